"""A wave with its runs, as the stages would have stored them, for tests of what people are told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from handlers.cloud.names import run_path, wave_path
from handlers.wire.documents import encode, run_metadata, wave_metadata
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.azure.fleet import Interval, Orchestration, ScaleSet
from planner.azure.wave import Announcement, Member, Stage, Wave
from planner.notices.delivery import Delivery
from planner.record.batch import Batch
from planner.record.check import Check, Outcome
from planner.record.instance import InstanceProgress
from planner.record.notice import Choice, Down, Kind, Notice, Urgency
from planner.record.run import Entry, People, Repairs, Run, Story, Target, Terms, Times, Verdict
from planner.record.states import BatchState, InstanceState, RunState
from tests.altered import altered

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SUBSCRIPTION = "12345678-1234-1234-1234-1234567890ab"
TRACKING = "VM8T-1Q8"
HOUR = timedelta(hours=1)


class Clock:
    """The time of a test, moved by hand."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, time: timedelta) -> None:
        self.now += time


def target(name: str, group: str = "shop") -> Target:
    provider = "providers/Microsoft.Compute/virtualMachineScaleSets"
    arm_id = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/{provider}/{name}"
    return Target(arm_id, SUBSCRIPTION, group, name, "westeurope", Orchestration.UNIFORM, 6)


def notice(
    number: int = 1, kind: Kind = Kind.PLANNED, urgency: Urgency = Urgency.KNOW, **more: Any
) -> Notice:
    given: dict[str, Any] = {"at": NOW, "sentence": f"{kind.value} number {number}."}
    return Notice(number=number, kind=kind, urgency=urgency, **(given | more))


def run(name: str, *notices: Notice, state: RunState = RunState.SCHEDULED, **more: Any) -> Run:
    ours = state not in {RunState.LEFT_TO_AZURE, RunState.NOT_IMPACTED}
    batches = (batch(1, "1", "2", domain="zone 1, domain 0"), batch(2, "3", domain="zone 1, domain 1"))
    made = Run(
        target=target(name),
        waves=(TRACKING,),
        state=state,
        reason="Waits until the lead time is over.",
        verdict=Verdict.SELF_SERVICE if ours else Verdict.LEAVE_TO_AZURE,
        due=NOW + HOUR,
        planned_at=NOW,
        batches=batches if ours else (),
        checks=(
            Check("needed", Outcome.PASS, "complete-by is declared: 2026-11-28."),
            Check("local-state", Outcome.NOT_DECLARED, "Nobody declared large local state."),
        ),
        facts={"self_service": "Yes"},
        terms=Terms(receiver="ops"),
        times=Times(
            self_service=Interval(NOW - HOUR, NOW + 24 * 4 * HOUR),
            scheduled=Interval(NOW + 24 * 5 * HOUR, NOW + 24 * 9 * HOUR),
            lead_over=NOW + 25 * HOUR,
            deadline=NOW + 24 * 4 * HOUR,
            forecast_end=NOW + 30 * HOUR,
            slack=66 * HOUR,
        ),
        people=People(checksum="4f1c09ab" * 8),
        story=Story(
            history=(Entry(NOW, "breakwater", "scheduled", "The plan was made."),),
            notices=notices,
        ),
    )
    return altered(made, **more)


def batch(
    number: int, *ids: str, domain: str = "domain 0", state: InstanceState = InstanceState.PENDING
) -> Batch:
    return Batch(
        number,
        domain,
        tuple(InstanceProgress(instance, state=state) for instance in ids),
        BatchState.PENDING,
        NOW + 25 * HOUR,
    )


def paused(name: str, number: int = 2, **more: Any) -> Run:
    asks = notice(
        number,
        Kind.PAUSED,
        Urgency.PAGE,
        sentence="Instance 4 did not come back within 60 min of its start.",
        down=(Down("4", "1", "domain 2", "stopped", "OSProvisioningTimedOut"),),
        serving="14 of 18 instances are running and healthy",
        otherwise="If nobody answers by Sat 28 Nov 12:00 UTC, the self-service window closes.",
        answers=("resume", "skip"),
    )
    return run(name, notice(1), asks, state=RunState.PAUSED, **more)


CHOICES = (
    Choice("soak", "Shorter pauses: with a soak of 22 minutes it then ends in time.", "raise", {"soak": "22m"}),
    Choice(
        "windows", "Wider windows: with 1 hour more each it ends in time.", "raise",
        {"windows": "Sat,Sun 02:00-07:00 Europe/Berlin"},
    ),
    Choice(
        "leave", "Fewer instances: leave zone 1, domain 1 (1 instance) to Azure; the rest fits.", "skip",
        {"domains": "zone 1, domain 1"},
    ),
    Choice("resume", "Go ahead as planned, and leave to Azure what has not started by then.", "resume"),
)  # fmt: skip
MISFIT = "The plan does not fit: it needs until Mon 30 Nov 2026 12:00 UTC and must be done by Sat 28 Nov 2026 12:00 UTC."
CAPACITY = (
    "At most 2 of 10 healthy instances are down at a time (20 %); 2 more instances would make up for it."
)


def misfit(name: str, **more: Any) -> Run:
    """A plan that does not fit, paused before its first start, with what would make it fit."""
    asks = notice(
        2,
        Kind.PAUSED,
        Urgency.ACT,
        sentence=MISFIT,
        otherwise="If nobody answers by Sat 28 Nov 2026 12:00 UTC, the self-service window closes and 3 instances are left to Azure, which maintains them when it likes.",
        answers=("resume", "skip"),
        choices=CHOICES,
    )
    given: dict[str, Any] = {
        "reason": MISFIT,
        "misfit": MISFIT,
        "choices": CHOICES,
        "slack": timedelta(days=-2),
        "serving": 10,
        "capacity": CAPACITY,
    }
    return run(name, notice(1), asks, state=RunState.PAUSED, **(given | more))


def short_of_time(name: str, **more: Any) -> Run:
    """Under way, and the forecast has fallen behind the deadline."""
    warning = notice(
        2, Kind.SLACK, Urgency.ACT, sentence=f"Time is short. {MISFIT}", answers=("hold", "skip"),
        choices=CHOICES[:1],
    )  # fmt: skip
    given: dict[str, Any] = {"slack": timedelta(hours=-5), "reason": "domain 0: 2 rebooting."}
    return run(name, notice(1), warning, state=RunState.RUNNING, **(given | more))


def repairing(name: str) -> Run:
    """Paused on an instance that stays unhealthy, its automatic repairs suspended by the run."""
    return paused(name, repairs=Repairs(NOW - HOUR, seen_suspended=True))


def followed(name: str, *, over: bool = True) -> Run:
    """Left to Azure: three domains of which Azure has done two, or all."""
    seen = "Rebooted by Azure: down from Tue 24 Nov 2026 08:00 UTC to Tue 24 Nov 2026 08:25 UTC (25 minutes)."
    instances = [
        InstanceProgress(
            "2", state=InstanceState.BY_AZURE, reason=seen, down_at=NOW - 2 * HOUR, finished_at=NOW - HOUR
        ),
        InstanceProgress(
            "0", state=InstanceState.BY_AZURE, reason=seen, down_at=NOW - 4 * HOUR, finished_at=NOW
        ),
        InstanceProgress("1", state=InstanceState.BY_AZURE, reason="By Azure.", down_at=NOW - HOUR)
        if over
        else InstanceProgress("1"),
    ]
    batches = tuple(
        Batch(number, f"domain {one.id}", (one,), BatchState.DONE if one.reason else BatchState.PENDING)
        for number, one in enumerate(instances, 1)
    )
    reason = "Azure is done with it: 3 by Azure." if over else "Left to Azure: nobody declared a need."
    return run(name, notice(1), state=RunState.LEFT_TO_AZURE, reason=reason, batches=batches)


def wave(*runs: Run, stage: Stage = Stage.PLANNED, **more: Any) -> Wave:
    given: dict[str, Any] = {
        "event_time": NOW - HOUR,
        "submitted_at": NOW - HOUR,
        "received_at": NOW - HOUR,
        "title": "Planned maintenance for Virtual Machine Scale Sets",
        "text": "<p>We will <b>reboot</b> your machines.</p>",
        "regions": ("westeurope",),
        "services": ("Virtual Machine Scale Sets",),
    }
    current = Announcement(TRACKING, SUBSCRIPTION, "1", stage, "a" * 64, **(given | more))
    roster = tuple(
        Member(
            ScaleSet(one.target.id, SUBSCRIPTION, one.target.resource_group, one.target.name, "westeurope")
        )
        for one in runs
    )
    return Wave(TRACKING, SUBSCRIPTION, (current,), roster, (current.alert,), generation=1)


async def store(wiring: Wiring, *runs: Run, announced: Wave | None = None) -> None:
    """Write the runs and the wave, over what was there."""
    for one in runs:
        path = run_path(one.target.subscription, one.target.resource_group, one.target.name)
        old = await wiring.records.read(path)
        await wiring.records.write(
            path, encode(one), etag=old.etag if old else None, metadata=run_metadata(one)
        )
    found = announced or wave(*runs)
    path = wave_path(found.tracking_id, found.subscription)
    old = await wiring.records.read(path)
    await wiring.records.write(
        path, encode(found), etag=old.etag if old else None, metadata=wave_metadata(found)
    )


def with_notice(old: Run, *more: Notice, state: RunState | None = None) -> Run:
    return replace(
        old, state=state or old.state, story=replace(old.story, notices=(*old.story.notices, *more))
    )


def troubles(delivery: Delivery) -> str:
    """Why channels do not get through, empty when they do."""
    return " ".join(f"{name}: {state.trouble}" for name, state in delivery.channels.items() if state.trouble)


def policy_file(folder: Path, receivers: Mapping[str, Any]) -> str:
    """A policy file with these receivers; JSON is YAML."""
    path = folder / "policy.yaml"
    path.write_text(json.dumps({"receivers": receivers, "defaults": {"owner": next(iter(receivers))}}))
    return str(path)


def settings(storage: str, **more: Any) -> Settings:
    return Settings(
        storage=storage,
        public_url="https://breakwater.example",
        mail_from="Breakwater <breakwater@example.org>",
        **more,
    )
