"""The other runs of a subscription as one listing shows them: how long their batches took, when they end."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import RunState
from planner.record.waits import HeldUp
from planner.text.phrases import shortened

MOST_NAMED, LONGEST_REASON = 3, 200
"""Paused runs that a sentence names, and how much of the reason of each."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """What the other runs of a subscription show.

    `durations` are those of batches in the same waves, `first_end` is when the first run under way should
    end, `held_up` are those that wait for a limit, `paused` those that count against the limits.
    """

    durations: tuple[timedelta, ...] = ()
    first_end: datetime | None = None
    held_up: HeldUp = field(default_factory=HeldUp)
    paused: tuple[Listed, ...] = ()


async def of(run: Run, wiring: Wiring) -> Neighbours:
    """What the runs beside `run` show; raises StorageDown."""
    waves = set(run.waves)
    others = [
        line
        for line in await wiring.runs.of_subscription(run.target.subscription)
        if line.metadata.get("name", "").lower() != run.target.name.lower()
    ]
    took = [line.metadata.get("took") for line in others if waves & {*waves_of(line.metadata)}]
    ends = [forecast(line) for line in others if line.metadata.get("state") == RunState.RUNNING]
    return Neighbours(
        tuple(timedelta(seconds=int(seconds)) for seconds in took if seconds is not None),
        min((end for end in ends if end is not None), default=None),
        _held_up([line for line in others if line.metadata.get("waits") == Cause.LIMIT]),
        tuple(line for line in others if _paused(line)),
    )


async def blockers(around: Neighbours, wiring: Wiring) -> str:
    """Which paused runs take up the limits and why, in a sentence; empty without any."""
    runs = (await wiring.runs.read_listed(around.paused[:MOST_NAMED])).values()
    named = [words.paused(run.target.name, run.target.location, _shortened(run.reason)) for run in runs]
    return words.let_them_pass(named, len(around.paused) - len(named)) if named else ""


def _shortened(reason: str) -> str:
    """As much of a reason as fits, with a full stop: it can name a hundred instances."""
    text = shortened(reason, LONGEST_REASON)
    return text if text.endswith((".", ")")) else f"{text}."


def _held_up(lines: Sequence[Listed]) -> HeldUp:
    by = [datetime.fromisoformat(at) for line in lines if (at := line.metadata.get("start_by"))]
    regions = {unquote(region) for line in lines if (region := line.metadata.get("location"))}
    return HeldUp(len(lines), tuple(sorted(regions)), min(by, default=None))


def _paused(line: Listed) -> bool:
    """Whether it holds a claim and does not go on by itself."""
    fields = line.metadata
    return fields.get("state") == RunState.PAUSED and "begun" in fields and "lets_pass" not in fields


def forecast(line: Listed) -> datetime | None:
    """When the run of a listed record is expected to end."""
    end = line.metadata.get("forecast")
    return datetime.fromisoformat(end) if end else None
