"""What `breakwater rehearse` takes: a wave over 1,000 scale sets of 100 instances, played for 35 days.

python -m benchmarks.rehearsing [scale sets] [instances]
"""

import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, ScaleSet
from planner.azure.wave import Announcement, Stage, Wave
from planner.policy.model import Limits, Policy, Receiver
from planner.rehearsal.part import Snapshot
from planner.rehearsal.play import by_subscription, play_subscription
from planner.rehearsal.story import Story, together
from planner.rehearsal.trouble import Trouble

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LASTS = timedelta(days=35)
SUBSCRIPTIONS = ("11111111-2222-3333-4444-555555555555", "22222222-3333-4444-5555-666666666666")
REGIONS = ("westeurope", "northeurope", "eastus", "uksouth")
TRACKING_ID = "VM8T-1Q8"

SECONDS, MEBIBYTES = 10.0, 1024.0
"""What it may take on two cores; memory of all processes together."""

A_PLACE = 20
"""Scale sets of a subscription for each that may be in flight."""

TROUBLE = Trouble(lost=0.0005, slow=0.005)


def fleet(sets: int, each: int) -> list[Snapshot]:
    """Uniform scale sets with five update domains in two subscriptions and four regions.

    Of ten one waits for approvals, two have windows at night.
    """
    opens = START - timedelta(hours=1)
    window = Interval(opens, opens + LASTS)
    status = MaintenanceStatus(
        allowed=True,
        self_service=window,
        scheduled=Interval(window.end + timedelta(days=1), window.end + timedelta(days=9)),
    )
    return [_snapshot(number, each, status) for number in range(sets)]


def _snapshot(number: int, each: int, status: MaintenanceStatus) -> Snapshot:
    subscription, name = SUBSCRIPTIONS[number % len(SUBSCRIPTIONS)], f"set{number:05}"
    tags = {"breakwater-mode": "approve"} if number % 10 == 0 else {}
    if number % 5 == 1:
        tags = {"breakwater-windows": "daily 20:00-06:00 UTC"}
    group = f"rg-{number % 97:02}"
    where = f"/subscriptions/{subscription}/resourceGroups/{group}/providers"
    scale_set = ScaleSet(
        f"{where}/Microsoft.Compute/virtualMachineScaleSets/{name}",
        subscription,
        group,
        name,
        REGIONS[number // len(SUBSCRIPTIONS) % len(REGIONS)],
        tags=tags,
    )
    instances = (
        Instance(
            str(place),
            update_domain=place % 5,
            power="running",
            provisioning="succeeded",
            health=Health.HEALTHY,
            maintenance=status,
        )
        for place in range(each)
    )
    return Snapshot(scale_set, tuple(instances))


def waves() -> list[Wave]:
    """The wave, announced in each subscription."""
    return [
        Wave(
            TRACKING_ID,
            subscription,
            (
                Announcement(
                    TRACKING_ID,
                    subscription,
                    "one",
                    Stage.PLANNED,
                    f"alert {subscription}",
                    START,
                    START,
                    START,
                ),
            ),
        )
        for subscription in SUBSCRIPTIONS
    ]


def policy(sets: int) -> Policy:
    limits = Limits(regions=2, scale_sets=max(2, sets // len(SUBSCRIPTIONS) // A_PLACE))
    receivers = (Receiver("ops", email=("ops@example.org",)),)
    return Policy({"self-service": "always"}, limits=limits, receivers=receivers)


def _part(number: int, sets: int, each: int) -> tuple[Story, float, float]:
    """The story of one subscription, with the MiB and the seconds of CPU of its process."""
    mine, its_waves = list(by_subscription(fleet(sets, each), waves()))[number]
    story = play_subscription(mine, its_waves, policy(sets), TROUBLE, 1, START, until=START + LASTS)
    return story, _most(), time.process_time()


def _most() -> float:
    """The most memory of this process so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(sets: int, each: int) -> int:
    """Play, print, and say by the exit status whether the budget was kept."""
    began = time.perf_counter()
    with ProcessPoolExecutor(len(SUBSCRIPTIONS), mp_context=get_context("spawn")) as processes:
        jobs = [processes.submit(_part, number, sets, each) for number in range(len(SUBSCRIPTIONS))]
        parts = [job.result() for job in jobs]
    story = together(tuple(story for story, _, _ in parts), policy(sets))
    seconds = time.perf_counter() - began
    mebibytes = sum(most for _, most, _ in parts) + _most()
    cpu = sum(spent for _, _, spent in parts)
    kept = seconds <= SECONDS and mebibytes <= MEBIBYTES
    print(
        f"{sets:,} scale sets of {each} instances, {LASTS.days} days: {seconds:.1f} s (at most {SECONDS:g}), "
        f"{cpu:.1f} s of CPU, {mebibytes:,.0f} MiB in three processes (at most {MEBIBYTES:,.0f})\n"
        f"{dict(story.states)}, {story.counts}, {len(story.told):,} notices in {len(story.messages):,} messages, {len(story.misses)} misses"
    )
    print("kept" if kept else "MISSED")
    return 0 if kept else 1


if __name__ == "__main__":
    numbers = [int(given) for given in sys.argv[1:]]
    sys.exit(main(*numbers) if numbers else main(1000, 100))
