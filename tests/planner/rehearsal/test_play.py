"""A rehearsal: one story for one seed, no poll left out that matters, and the promises kept in it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from planner.azure.fleet import (
    Health,
    Instance,
    Interval,
    MaintenanceStatus,
    Orchestration,
    ScaleSet,
)
from planner.azure.wave import Announcement, Stage, Wave
from planner.policy.model import Limits, Policy, Receiver
from planner.rehearsal.part import Snapshot
from planner.rehearsal.play import play
from planner.rehearsal.story import Played, Story
from planner.rehearsal.trouble import HOUR, MINUTE, Moved, Span, Throttling, Trouble

START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SUBSCRIPTIONS = ("aaaa0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e", "bbbb0b0b-bb1b-cc2c-dd3d-eeeeee4e4e4e")

TAGS = st.fixed_dictionaries(
    {},
    optional={
        "breakwater-windows": st.sampled_from(["daily 22:00-00:30 Europe/Berlin", "Tue,Thu 01:00-05:00 UTC"]),
        "breakwater-mode": st.sampled_from(["approve", "observe"]),
        "breakwater-self-service": st.sampled_from(["never", "when-needed"]),
        "breakwater-after": st.just("set0"),
        "breakwater-soak": st.sampled_from(["0m", "45m"]),
        "breakwater-max-unavailable": st.sampled_from(["1", "50%"]),
        "breakwater-complete-by": st.just("2026-11-25T20:00:00Z"),
    },
)

SETS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 3), st.booleans(), st.booleans(), TAGS),
    min_size=1,
    max_size=4,
)

SPANS = st.sampled_from([None, Span(20 * MINUTE, 20 * MINUTE), Span(HOUR, 30 * HOUR)])

TROUBLES = st.builds(
    Trouble,
    reboot=st.just(Span(2 * MINUTE, 9 * MINUTE)),
    lost=st.sampled_from([0.0, 0.1]),
    slow=st.sampled_from([0.0, 0.2]),
    slow_by=st.sampled_from([3.0, 12.0]),
    approves=SPANS,
    resumes=SPANS,
    unanswered=st.sampled_from([0.0, 0.5]),
    throttled=st.sampled_from(
        [(), (Throttling(11 * HOUR, 9 * HOUR),), (Throttling(12 * HOUR, HOUR, 7 * MINUTE),)]
    ),
    moved=st.sampled_from([(), (Moved(30 * HOUR, 2 * DAY),), (Moved(20 * HOUR, -DAY),)]),
    cancelled=st.sampled_from([None, None, 14 * HOUR, 40 * HOUR]),
)


def snapshot(
    number: int,
    count: int,
    domains: int,
    tags: dict[str, str],
    *,
    flexible: bool = False,
    reports: bool = True,
    subscription: str = SUBSCRIPTIONS[0],
    lasts: timedelta = 5 * DAY,
) -> Snapshot:
    window = Interval(START - HOUR, START - HOUR + lasts)
    status = MaintenanceStatus(
        allowed=True, self_service=window, scheduled=Interval(window.end + DAY, window.end + 4 * DAY)
    )
    name = f"set{number}"
    scale_set = ScaleSet(
        f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/{name}",
        subscription,
        "rg",
        name,
        ("westeurope", "eastus")[number % 2],
        Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
        tags=tags,
    )
    instances = (
        Instance(
            f"{name}_{place}" if flexible else str(place),
            update_domain=None if flexible else place % domains,
            power="running",
            provisioning="succeeded",
            health=Health.HEALTHY if reports else Health.NOT_REPORTED,
            maintenance=status,
        )
        for place in range(count)
    )
    return Snapshot(scale_set, tuple(instances))


def fleet(drawn: Sequence[tuple[int, int, bool, bool, dict[str, str]]]) -> list[Snapshot]:
    return [
        snapshot(
            number,
            count,
            domains,
            tags,
            flexible=flexible,
            reports=reports,
            subscription=SUBSCRIPTIONS[number == 3],
        )
        for number, (count, domains, flexible, reports, tags) in enumerate(drawn)
    ]


def waves() -> list[Wave]:
    return [
        Wave(
            "VM8T-1Q8", name, (Announcement("VM8T-1Q8", name, "1", Stage.PLANNED, "a", START, START, START),)
        )
        for name in SUBSCRIPTIONS
    ]


def policy(**values: str) -> Policy:
    return Policy(
        {"self-service": "always", "lead": "10h", **values},
        tags_may_loosen=frozenset({"soak", "max-unavailable"}),
        limits=Limits(regions=1, scale_sets=2),
        receivers=(Receiver("ops", email=("ops@example.org",)),),
    )


def told_by(parts: Sequence[Snapshot], trouble: Trouble, seed: int = 1, **more: Any) -> Story:
    return play(parts, waves(), policy(), trouble, seed, START, **more)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SETS, TROUBLES, st.integers(0, 9))
def test_polls_that_are_left_out_would_have_changed_nothing(drawn: Any, trouble: Trouble, seed: int) -> None:
    quick = told_by(fleet(drawn), trouble, seed)
    slow = told_by(fleet(drawn), trouble, seed, each_poll=True)
    for one, other in zip(quick.played, slow.played, strict=True):
        assert as_read(one) == as_read(other)
    assert quick.counts["polls"] <= slow.counts["polls"]


def as_read(one: Played) -> Any:
    """Everything but when it is polled next, and what only the last poll saw."""
    run = one.run
    return (
        one.told,
        one.capacity,
        one.misses,
        run.story,
        run.batches,
        (run.state, run.ended_at, run.verdict, run.people, run.terms, run.reason),
        one.first,
    )
