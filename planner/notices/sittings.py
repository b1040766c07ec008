"""What of a wave stands in a calendar: sittings of our own, and the windows in which Azure takes its turn.

Nothing here depends on the moment it is asked at: what has not changed gives the same times again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from planner.azure.fleet import Interval
from planner.record.batch import Batch
from planner.record.run import Run
from planner.record.states import ACTIVE, BatchState, InstanceState, RunState

APART = timedelta(hours=2)
"""Batches with less than this between them are one sitting: nobody goes to bed in between."""

MINUTE = timedelta(minutes=1)

ROUND = timedelta(minutes=5)
"""What is planned is told in round minutes: a forecast that moves by seconds is no news."""


@dataclass(frozen=True, slots=True)
class Sitting:
    """Batches of a scale set that follow each other; aware UTC.

    `end` of what is under way is when it should be over. `begun`: something of it was started; `over`: all.
    """

    run: Run
    batches: tuple[Batch, ...]
    start: datetime
    end: datetime
    begun: bool
    over: bool


@dataclass(frozen=True, slots=True)
class AzuresTurn:
    """Scale sets of one subscription that Azure maintains at a time it chooses in one window; aware UTC.

    Once all of them are `over`, the times are those at which polls saw them go down and serve again.
    """

    subscription: str
    runs: tuple[Run, ...]
    start: datetime
    end: datetime
    over: bool


def sittings(run: Run) -> tuple[Sitting, ...]:
    """A run's sittings in the order of time: done ones as they were, the others as they are planned."""
    timed = sorted(
        ((span, batch) for batch in run.batches if (span := _span(run, batch)) is not None),
        key=lambda each: (each[0].start, each[1].number),
    )
    found: list[list[tuple[Interval, Batch]]] = []
    until: datetime | None = None
    for span, batch in timed:
        if until is None or span.start - until >= APART:
            found.append([])
        found[-1].append((span, batch))
        until = span.end if until is None else max(until, span.end)
    return tuple(_sitting(run, each) for each in found)


def azures_turns(runs: Iterable[Run]) -> tuple[AzuresTurn, ...]:
    """What is left to Azure, by subscription and window, in the order of time."""
    found: dict[tuple[str, datetime, datetime], list[Run]] = {}
    for run in runs:
        window = run.times.scheduled
        if window is not None and _left_to_azure(run):
            key = (run.target.subscription.lower(), _down(window.start, MINUTE), _up(window.end, MINUTE))
            found.setdefault(key, []).append(run)
    return tuple(
        _turn(Interval(start, end), sorted(members, key=_by_name))
        for (_, start, end), members in sorted(found.items())
    )


def _by_name(run: Run) -> tuple[str, str]:
    return run.target.name.lower(), run.target.id.lower()


def _turn(window: Interval, runs: list[Run]) -> AzuresTurn:
    over = all(run.state is RunState.LEFT_TO_AZURE and run.instances and run.settled for run in runs)
    batches = [batch for run in runs for batch in run.batches]
    begins = [batch.started_at for batch in batches if batch.started_at is not None]
    ends = [batch.finished_at for batch in batches if batch.finished_at is not None]
    if over and begins and ends:
        window = _at_least_a_minute(_down(min(begins), MINUTE), _up(max(ends), MINUTE))
    return AzuresTurn(runs[0].target.subscription, tuple(runs), window.start, window.end, over)


def _left_to_azure(run: Run) -> bool:
    """Whether Azure is still to maintain something of it, or has done so."""
    if run.state is RunState.LEFT_TO_AZURE:
        return True
    if run.state in {RunState.CANCELLED, RunState.NOT_IMPACTED}:
        return False
    # A status that is still there is Azure's to work off, whoever left the instance out.
    left = {InstanceState.MISSED, InstanceState.SKIPPED}
    return any(instance.state in left and not instance.gone for instance in run.instances)


def _sitting(run: Run, timed: list[tuple[Interval, Batch]]) -> Sitting:
    batches = tuple(batch for _, batch in timed)
    return Sitting(
        run,
        batches,
        min(span.start for span, _ in timed),
        max(span.end for span, _ in timed),
        begun=any(map(_begun, batches)),
        over=all(_begun(batch) and _over(batch) for batch in batches),
    )


def _span(run: Run, batch: Batch) -> Interval | None:
    """From when to when a batch of ours is down and watched; None for what is not ours, or has no time."""
    if run.state is RunState.LEFT_TO_AZURE and not any(
        instance.attempts or instance.state is InstanceState.MAINTAINED for instance in batch.instances
    ):
        return None
    if _begun(batch) and batch.started_at is not None:
        ended = batch.verified_at or batch.finished_at
        lasts = run.times.expected
        if batch.state is BatchState.FAILED:
            lasts = max(lasts, run.terms.recover_within)
        return _at_least_a_minute(
            _down(batch.started_at, MINUTE), _up(ended or batch.started_at + lasts, MINUTE)
        )
    if run.state not in ACTIVE or batch.settled or batch.not_before is None:
        return None
    return _at_least_a_minute(
        _down(batch.not_before, ROUND), _up(batch.not_before + run.times.expected, ROUND)
    )


def _begun(batch: Batch) -> bool:
    """Whether it was started; what Azure has put off is planned anew."""
    return batch.started_at is not None and (batch.state is not BatchState.PENDING or batch.settled)


def _over(batch: Batch) -> bool:
    return batch.state in {BatchState.SOAKING, BatchState.DONE} or batch.settled


def _at_least_a_minute(start: datetime, end: datetime) -> Interval:
    """RFC 5545, 3.8.2.2: an event ends after it starts."""
    return Interval(start, max(end, start + MINUTE))


_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def _down(at: datetime, to: timedelta) -> datetime:
    return at.astimezone(UTC) - (at - _EPOCH) % to


def _up(at: datetime, to: timedelta) -> datetime:
    return at.astimezone(UTC) + (_EPOCH - at) % to
