"""The other runs of a subscription as one listing shows them: how long their batches took, when they end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import HeldUp

MOST_NAMED, LONGEST_REASON = 3, 200
"""Paused runs that a sentence names, and how much of the reason of each."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the other runs of a subscription say.

    `durations` are of the same wave's runs, `first_end` is when the first one under way should end, `held_up`
    are those that wait for a limit, `paused` those that count against the limits and are paused.
    """

    durations: tuple[timedelta, ...] = ()
    first_end: datetime | None = None
    held_up: HeldUp = field(default_factory=HeldUp)
    paused: tuple[Listed, ...] = ()


async def of(run: Run, wiring: Wiring) -> Neighbours:
    """What the runs beside `run` tell it; raises StorageDown."""
    subscription, waves = run.target.subscription.lower(), set(run.waves)
    others = [
        one
        for one in await wiring.runs.of_subscription(subscription)
        if one.metadata.get("name", "").lower() != run.target.name.lower()
    ]
    took = [
        one.metadata["took"] for one in others if "took" in one.metadata and waves & {*waves_of(one.metadata)}
    ]
    ends = [forecast(one) for one in others if one.metadata.get("state") == RunState.RUNNING]
    return Neighbours(
        tuple(timedelta(seconds=int(one)) for one in took),
        min((one for one in ends if one is not None), default=None),
        _held_up(one for one in others if one.metadata.get("waits") == Cause.LIMIT),
        tuple(one for one in others if _paused(one)),
    )


async def blockers(around: Neighbours, wiring: Wiring) -> str:
    """Which paused runs take up the limits and why, in a sentence; empty without any."""
    found = (await wiring.runs.read_listed(around.paused[:MOST_NAMED])).values()
    said = [f"{run.target.name} ({run.target.location}) is paused: {shortened(run.reason)}" for run in found]
    if not said:
        return ""
    more = len(around.paused) - len(said)
    rest = f" And {more} more {'is' if more == 1 else 'are'} paused." if more > 0 else ""
    return f"{' '.join(said)}{rest} `let-pass` said to it lets the others pass."


def shortened(reason: str) -> str:
    """Its first sentence or so: a reason can name a hundred instances."""
    text = reason if len(reason) <= LONGEST_REASON else f"{reason[: LONGEST_REASON - 1].rstrip()}…"
    return text if text.endswith((".", "…")) else f"{text}."


def _held_up(lines: Iterable[Listed]) -> HeldUp:
    found = list(lines)
    by = [datetime.fromisoformat(one.metadata["start_by"]) for one in found if "start_by" in one.metadata]
    regions = sorted({unquote(one.metadata["location"]) for one in found if "location" in one.metadata})
    return HeldUp(len(found), tuple(regions), min(by, default=None))


def _paused(line: Listed) -> bool:
    """Whether it holds a claim and does not go on by itself."""
    said = line.metadata
    return said.get("state") == RunState.PAUSED and "begun" in said and "lets_pass" not in said


def forecast(line: Listed) -> datetime | None:
    """When the run of a listed record is expected to end."""
    said = line.metadata.get("forecast")
    return datetime.fromisoformat(said) if said else None
