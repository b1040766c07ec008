"""What of a rehearsal concerns those who are told: runs whenever there is something to tell, and waves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.run import Fleet, Run
from planner.record.states import InstanceState


@dataclass(frozen=True, slots=True)
class Moment:
    """A run at `at` (aware UTC), by the key of its scale set.

    What happens at one moment comes in turns: those of turn 1 were woken by what happened in turn 0.
    """

    at: datetime
    turn: int
    key: str
    run: Run


@dataclass(frozen=True, slots=True)
class Turned:
    """Whether a wave is open in a subscription from `at` on (aware UTC)."""

    at: datetime
    turn: int
    tracking_id: str
    subscription: str
    open: bool


def concerns(before: Run | None, after: Run) -> bool:
    """Whether a write changes what people are told, or have been told of."""
    return before is None or _told(before) != _told(after)


def kept(run: Run) -> Run:
    """As much of a run as telling of it needs: its notices, and what pages."""
    return replace(
        run,
        checks=(),
        batches=tuple(_failed(run.batches)),
        finished=(),
        facts={},
        story=replace(run.story, history=run.story.history[-1:]),
        fleet=Fleet(),
    )


def _failed(batches: Iterable[Batch]) -> Iterable[Batch]:
    for batch in batches:
        failed = tuple(each for each in batch.instances if each.state is InstanceState.FAILED)
        yield replace(batch, instances=failed)


def _told(run: Run) -> tuple[object, ...]:
    alarm = run.ringing
    return run.story.last_notice, run.state, run.begun, (alarm.number, alarm.since) if alarm else None
