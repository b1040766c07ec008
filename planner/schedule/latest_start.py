"""How late an answer still helps: the last moments at which a start inside every window is possible."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.calendar.openings import opening
from planner.record.run import Run
from planner.record.states import BatchState
from planner.schedule import timing
from planner.schedule.bisection import largest
from planner.schedule.options import misfit
from planner.text.phrases import long, say

MINUTE = timedelta(minutes=1)

AHEAD = MINUTE
"""An answer is applied by the poll it wakes, and the poll after that may start."""

AHEAD_OF_VERIFYING = 5 * MINUTE
"""After an answer about a batch that failed, two polls have to see it healthy before its soak begins."""


@dataclass(frozen=True, slots=True)
class Latest:
    """The latest answers (UTC) by which all that is left can still be started, and anything at all.

    None where no answer is early enough.
    """

    everything: datetime | None = None
    anything: datetime | None = None

    @property
    def start(self) -> datetime | None:
        """What a reader is reminded of: the end of everything, or of what is still possible."""
        return self.everything or self.anything


def latest(run: Run, now: datetime) -> Latest:
    """Until when an answer to `run` helps.

    Before its first start that is the latest start that meets the deadline: after it the plan does not fit
    and the run is paused. Once something was started, or a person has let a plan go that does not fit,
    whatever still ends inside the self-service window is started.
    """
    if run.times.self_service is None or not run.waiting:
        return Latest()
    begun = run.begun
    if not begun and not run.people.deadline_waived:
        timed = timing.timed(run, now)
        if not misfit(timed, now):
            last = timing.start_by(timed, now)
            return Latest(_ahead(run, last, now), _ahead(run, last, now))
    closing = run.times.self_service.end
    by = min(run.times.deadline or closing, closing)
    return Latest(
        _ahead(run, _last(lambda at: all(one <= by for one in _ends(run, at)), now, closing), now),
        _ahead(run, _last(lambda at: any(one <= closing for one in _ends(run, at)), now, closing), now),
    )


def fits(run: Run, now: datetime) -> str:
    """How long it still fits, in a sentence."""
    found = latest(run, now)
    if found.everything is not None:
        left = found.everything - now
        how_far = f", in {long(left)}" if left >= MINUTE else ""
        return f"It still fits if that is settled by {say(found.everything)}{how_far}."
    if found.anything is not None:
        return f"As planned, not all of it fits; something can be started until {say(found.anything)}."
    return "Nothing more can be started in time." if run.waiting else ""


def _ends(run: Run, at: datetime) -> Iterator[datetime]:
    """When each batch with something left to start should end if the answer comes at `at`."""
    failed = [one.started_at for one in run.batches if one.state is BatchState.FAILED and one.started_at]
    if failed:
        # Healed so late, it teaches the run that a batch takes that long (planner.decision.estimate).
        taken = max(run.times.expected, at - min(failed))
        run = replace(run, times=replace(run.times, expected=min(taken, run.terms.recover_within)))
    placed, _ = timing.placed(run, timing.earliest(run, at), at)
    for batch in (one for one in placed if one.waiting):
        begins = batch.not_before
        if batch.state is not BatchState.PENDING:
            found = opening(run.terms.windows, run.terms.freezes, at, run.times.expected)
            begins = found.start if found is not None else None
        yield begins + run.times.expected if begins is not None else datetime.max.replace(tzinfo=at.tzinfo)


def _last(good: Callable[[datetime], bool], first: datetime, end: datetime) -> datetime | None:
    """The last whole minute up to `end` that is good, later never being better; None without any."""
    if first > end or not good(first):
        return None
    minute = first.replace(second=0, microsecond=0)
    last = largest(lambda after: good(max(first, minute + after * MINUTE)), int((end - minute) / MINUTE))
    return max(first, minute + last * MINUTE)


def _ahead(run: Run, last: datetime | None, now: datetime) -> datetime | None:
    if last is None:
        return None
    failed = any(batch.state is BatchState.FAILED for batch in run.batches)
    by = last - (AHEAD_OF_VERIFYING if failed else AHEAD)
    return max(now, by.replace(second=0, microsecond=0))
