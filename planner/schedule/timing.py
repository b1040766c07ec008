"""When each batch starts at the earliest.

Pure arithmetic over windows, freezes and the policy's pauses; `advance` decides at each poll whether a
batch may really start.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from planner.calendar.openings import NOTHING, Opening, opening
from planner.policy.model import Freeze
from planner.policy.weekly import WindowSets
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import BatchState
from planner.text.phrases import long, say

MINUTE = timedelta(minutes=1)


def next_start(
    windows: WindowSets, freezes: Sequence[Freeze], at: datetime, lasting: timedelta = NOTHING
) -> tuple[datetime | None, str]:
    """The earliest moment from `at` on when something may start and `lasting` still fits; why not earlier.

    None where windows and freezes leave no time in the next 60 days.
    """
    found, sooner = opening(windows, freezes, at, lasting), opening(windows, freezes, at)
    begins = found.start if found is not None else None
    frozen = next((freeze for freeze in freezes if at in freeze or freeze.end == begins), None)
    freeze = f"a freeze until {say(frozen.end)} ({frozen.reason})" if frozen is not None else ""
    if begins == at:
        why = ""
    elif begins is None and sooner is not None:
        why = f"no window in the next 60 days is as long as the {long(lasting)} a batch is expected to take"
    elif begins is None:
        leave = f"{freeze} leaves" if freeze else "freezes and windows leave"
        why = f"{leave} no time in the next 60 days"
    elif freeze:
        why = freeze
    elif sooner is not None and sooner.end is not None and sooner.start == at:
        why = (
            f"the time until {say(sooner.end)} is shorter than the {long(lasting)} a batch is expected to "
            f"take; the next window opens {say(begins)}"
        )
    else:
        why = f"the next window opens {say(begins)}"
    return begins, why


def closes(windows: WindowSets, freezes: Sequence[Freeze], at: datetime) -> datetime | None:
    """When the opening that `at` lies in ends: at once without one, None when nothing ends it."""
    found = opening(windows, freezes, at)
    return found.end if found is not None and found.start == at else at


def earliest(run: Run, now: datetime) -> datetime:
    """The earliest start: after the lead time, in the self-service window, after the scale sets before it."""
    opens = run.times.self_service.start if run.times.self_service is not None else None
    return max(filter(None, (now, run.times.lead_over, opens, run.times.others_until)))


def placed(run: Run, start: datetime, now: datetime) -> tuple[tuple[Batch, ...], datetime | None]:
    """Every batch with its earliest time if the next one starts at `start`, and the forecast end.

    No end where windows and freezes leave a batch no time.
    """
    free, last = start, None
    batches: list[Batch] = []
    room: Opening | None = None
    for number, batch in enumerate(run.batches):
        if batch.state is BatchState.DONE or (batch.settled and batch.state is not BatchState.SOAKING):
            batches.append(batch)
            continue
        if batch.started_at is not None and batch.state is not BatchState.PENDING:
            # What soaks has ended already; what still reboots ends now at the earliest.
            ended = batch.verified_at or max(now, batch.started_at + run.times.expected)
            last = max(now, ended)
            free = max(free, ended + run.terms.soak)
            batches.append(batch)
            continue
        at = max(free, batch.waits_until or free)
        if room is None or not room.holds(at, run.times.expected):
            room = opening(run.terms.windows, run.terms.freezes, at, run.times.expected)
            if room is None:
                later = run.batches[number:]
                return (
                    *batches,
                    *(replace(each, not_before=None) if to_place(each) else each for each in later),
                ), None
            at = room.start
        batches.append(replace(batch, not_before=at))
        last = at + run.times.expected
        free = last + run.terms.soak
    return tuple(batches), last


def to_place(batch: Batch) -> bool:
    """Whether a batch has not begun, and something of it is to be started."""
    return batch.state is BatchState.PENDING and not batch.settled


def timed(run: Run, now: datetime) -> Run:
    """The run with the earliest time of every batch to come, the forecast end and the slack."""
    batches, end = placed(run, earliest(run, now), now)
    slack = run.times.deadline - end if run.times.deadline is not None and end is not None else None
    return replace(run, batches=batches, times=replace(run.times, forecast_end=end, slack=slack))


def start_by(run: Run, now: datetime) -> datetime | None:
    """The latest first start that still meets the deadline; None when even the earliest one does not."""
    if run.times.deadline is None or run.times.slack is None or run.times.slack < NOTHING:
        return None
    first, last = earliest(run, now), run.times.deadline
    own_times = any(
        batch.waits_until is not None or batch.state not in {BatchState.PENDING, BatchState.DONE}
        for batch in run.batches
    )
    if not run.terms.windows and not run.terms.freezes and not own_times:
        # Every time follows from the first start: no batch is held back or under way.
        return first + run.times.slack

    def fits(start: datetime) -> bool:
        _, end = placed(run, start, now)
        return end is not None and end <= last

    return last_minute(fits, first, last)


def last_minute(good: Callable[[datetime], bool], first: datetime, end: datetime) -> datetime:
    """The last whole minute up to `end` that is good, `first` being good and later never being better."""
    minute = first.replace(second=0, microsecond=0)
    minutes = int((end - minute) / MINUTE)
    return max(
        first, minute + MINUTE * largest(lambda after: good(max(first, minute + after * MINUTE)), minutes)
    )


def largest(good: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that is good, zero being good and everything above a bad one bad."""
    return bisect_left(range(most + 1), True, lo=1, key=lambda number: not good(number)) - 1
