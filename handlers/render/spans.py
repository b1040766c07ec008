"""From when to when something of a run is down, as it was seen or as the plan has it; times are aware UTC."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run, Verdict
from planner.record.states import UNDER_WAY, BatchState, InstanceState


class Stand(StrEnum):
    """How far a batch is, as it is drawn."""

    PLANNED = "planned"
    LIVE = "live"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Span:
    """`instances` of one domain, down together from `start` to `end`; of a plan that is what is expected."""

    domain: str
    number: int
    start: datetime
    end: datetime
    stand: Stand
    instances: tuple[str, ...]


def spans(run: Run, now: datetime) -> tuple[Span, ...]:
    """Every batch that has a time, in the order of the plan; what was left to Azure as it was seen."""
    if run.verdict is Verdict.LEAVE_TO_AZURE:
        return tuple(
            Span(batch.domain, batch.number, one.down_at, end, stand, (one.id,))
            for batch in run.batches
            for one in batch.instances
            if one.down_at is not None
            for end, stand in (_seen(one, one.down_at, now),)
        )
    return tuple(span for batch in run.batches if (span := _span(batch, run, now)) is not None)


def _seen(one: InstanceProgress, since: datetime, now: datetime) -> tuple[datetime, Stand]:
    end = one.up_at or one.finished_at
    return (max(end, since), Stand.DONE) if end is not None else (max(now, since), Stand.LIVE)


def _span(batch: Batch, run: Run, now: datetime) -> Span | None:
    if batch.started_at is None:
        known = [at for at in (batch.not_before, batch.waits_until) if at is not None]
        waiting = _ids(one for one in batch.instances if one.waiting)
        if batch.state is not BatchState.PENDING or not known or not waiting:
            return None
        start = max(known)
        return Span(batch.domain, batch.number, start, start + run.times.expected, Stand.PLANNED, waiting)
    start = batch.started_at
    if batch.state is BatchState.FAILED:
        failed = _ids(one for one in batch.instances if one.state is InstanceState.FAILED or one.in_flight)
        return Span(batch.domain, batch.number, start, max(now, start), Stand.FAILED, failed)
    if batch.state in UNDER_WAY and batch.verified_at is None:
        flying = _ids(one for one in batch.instances if not one.settled)
        end = max(now, start + run.times.expected)
        return Span(batch.domain, batch.number, start, end, Stand.LIVE, flying)
    end = batch.verified_at or batch.finished_at or now
    maintained = _ids(one for one in batch.instances if one.begun or one.state is InstanceState.MAINTAINED)
    return Span(batch.domain, batch.number, start, max(end, start), Stand.DONE, maintained)


def _ids(instances: Iterable[InstanceProgress]) -> tuple[str, ...]:
    return tuple(one.id for one in instances)
