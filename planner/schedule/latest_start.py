"""How late an answer still helps: the last moments at which a start inside every window is possible."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from planner.calendar.openings import opening
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import BatchState
from planner.schedule import timing
from planner.schedule.options import misfit
from planner.schedule.timing import MINUTE
from planner.text.phrases import long, say

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
        """What people are reminded of: the last moment for everything, or else for anything at all."""
        return self.everything or self.anything


def latest(run: Run, now: datetime) -> Latest:
    """Until when an answer to `run` helps.

    Before its first start that is the latest start that meets the deadline: after it the plan does not fit
    and the run is paused. Once something was started, or a person has let a plan go that does not fit,
    whatever still ends inside the self-service window is started.
    """
    if run.times.self_service is None or not run.waiting:
        return Latest()
    if not run.begun and not run.people.deadline_waived:
        timed = timing.timed(run, now)
        if not misfit(timed, now):
            last = _ahead(run, timing.start_by(timed, now), now)
            return Latest(last, last)
    closing = run.times.self_service.end
    by = min(run.times.deadline or closing, closing)
    return Latest(
        _ahead(run, _last(lambda at: all(end <= by for end in _ends(run, at)), now, closing), now),
        _ahead(run, _last(lambda at: any(end <= closing for end in _ends(run, at)), now, closing), now),
    )


def fits(run: Run, now: datetime) -> str:
    """How long it still fits, in a sentence."""
    found = latest(run, now)
    if found.everything is not None:
        left = found.everything - now
        how_far = f", {long(left)} from now" if left >= MINUTE else ""
        return f"It still fits if that is settled by {say(found.everything)}{how_far}."
    if found.anything is not None:
        return f"Not all of it fits any more; something can still start until {say(found.anything)}."
    return "Nothing more can start in time." if run.waiting else ""


def _ends(run: Run, at: datetime) -> Iterator[datetime]:
    """When each batch with something left to start should end if the answer comes at `at`."""
    failed = [
        batch.started_at for batch in run.batches if batch.state is BatchState.FAILED and batch.started_at
    ]
    if failed:
        # Recovered so late, it teaches the run that a batch takes that long (planner.decision.estimate).
        taken = max(run.times.expected, at - min(failed))
        run = replace(run, times=replace(run.times, expected=min(taken, run.terms.recover_within)))
    placed, _ = timing.placed(run, timing.earliest(run, at), at)
    for batch in placed:
        if not batch.waiting:
            continue
        begins = batch.not_before
        if batch.state is not BatchState.PENDING:
            found = opening(run.terms.windows, run.terms.freezes, at, run.times.expected)
            begins = found.start if found is not None else None
        yield begins + run.times.expected if begins is not None else datetime.max.replace(tzinfo=at.tzinfo)


def _last(good: Callable[[datetime], bool], first: datetime, end: datetime) -> datetime | None:
    """The last whole minute up to `end` that is good, later never being better; None without any."""
    return None if first > end or not good(first) else timing.last_minute(good, first, end)


def _ahead(run: Run, last: datetime | None, now: datetime) -> datetime | None:
    if last is None:
        return None
    failed = any(batch.state is BatchState.FAILED for batch in run.batches)
    by = last - (AHEAD_OF_VERIFYING if failed else AHEAD)
    return max(now, by.replace(second=0, microsecond=0))
