"""What a wave would have cost at the least: the looks that were due, and the calls that these looks need.

By what happened and not by what the product did: the batches' starts and verifications, the pauses, the ends,
and Azure's ledger. Due are one look a poll interval while instances reboot or recover, two a soak, two a day
of waiting or standing paused, one for each plan and word, and one every six hours once a run is over, as long
as its wave is open.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from benchmarks.rehearsal.looks import ENDS, PAUSED, PLANNED, REBOOTS, SOAKS, WAITS, WORD
from planner.record.batch import Batch
from planner.record.run import Run
from planner.replan.reopening import EVERY

POLL = timedelta(minutes=1)
DAY = timedelta(days=1)

LIST, OPERATION, START = "list instances", "operation", "start"
GET, UPGRADE = "get scale set", "rolling upgrade"

type Span = tuple[datetime, datetime]


@dataclass(slots=True)
class Due:
    """Looks by what they are for, plans, and ARM calls by kind."""

    looks: Counter[str] = field(default_factory=Counter)
    plans: int = 0
    calls: Counter[str] = field(default_factory=Counter)

    @property
    def messages(self) -> int:
        return self.looks.total() + self.plans

    def add(self, other: "Due") -> None:
        self.looks += other.looks
        self.plans += other.plans
        self.calls += other.calls


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to a scale set: its run, when that was first written, when it was paused.

    `operations` are the lengths of its maintenance operations, `words` how many commands people gave,
    `plans` how many plans were wanted.
    """

    run: Run
    created: datetime
    pauses: Sequence[Span]
    operations: Sequence[timedelta]
    words: int
    plans: int


def due(course: Course, until: datetime) -> Due:
    """What was due for a scale set until the end of the rehearsal."""
    run, found = course.run, Due(plans=course.plans)
    end = min(run.ended_at or until, until)
    batches = [batch for batch in run.batches if batch.started_at is not None]
    busy = [piece for batch in batches for piece in _without(_busy(batch, end), course.pauses)]
    last = max(filter(None, (batch.started_at for batch in batches)), default=None)
    soaks = [
        (batch.verified_at, min(batch.verified_at + run.terms.soak, end))
        for batch in batches
        if batch.verified_at is not None and batch.started_at != last
    ]
    found.looks[PLANNED] = course.plans
    found.looks[WORD] = course.words
    found.looks[REBOOTS] = sum(ceil((b - a) / POLL) for a, b in busy)
    found.looks[SOAKS] = 2 * len(soaks)
    found.looks[PAUSED] = sum(_seldom(span) for span in course.pauses)
    gaps = [gap for gap in _gaps((course.created, end), [*busy, *soaks, *course.pauses]) if _long(gap)]
    found.looks[WAITS] = sum(map(_seldom, gaps))
    if run.ended_at is not None:
        found.looks[ENDS] = int((until - run.ended_at) / EVERY)
    found.calls = _calls(course, found, len(batches), gaps)
    return found


def _calls(course: Course, found: Due, batches: int, gaps: Sequence[Span]) -> Counter[str]:
    """The listing of each look that needs one, what precedes a batch, starts, and their operations."""
    looks, lead = found.looks, course.run.times.lead_over
    # Whoever waits for its turn learns nothing from Azure; for its own time it does.
    own = sum(_seldom((a, b)) for a, b in gaps if lead is None or a < lead or a > gaps[0][0])
    return Counter(
        {
            LIST: course.plans
            + looks[REBOOTS]
            + looks[SOAKS] // 2
            + batches
            + looks[PAUSED]
            + looks[WORD]
            + looks[ENDS]
            + own,
            GET: batches + course.plans - 1,
            UPGRADE: batches,
            START: len(course.operations),
            OPERATION: sum(ceil(each / POLL) for each in course.operations),
        }
    )


def _busy(batch: Batch, end: datetime) -> Span:
    assert batch.started_at is not None
    return batch.started_at, min(batch.verified_at or batch.finished_at or end, end)


def _seldom(span: Span) -> int:
    return max(1, ceil((span[1] - span[0]) / DAY * 2))


def _long(span: Span) -> bool:
    return span[1] - span[0] > 2 * POLL


def _without(span: Span, others: Iterable[Span]) -> list[Span]:
    return _gaps(span, others)


def _gaps(whole: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a time when others are taken out of it."""
    found: list[Span] = []
    at, end = whole
    for begins, ends in sorted(taken):
        if begins > at:
            found.append((at, min(begins, end)))
        at = max(at, ends)
        if at >= end:
            break
    if at < end:
        found.append((at, end))
    return [(a, b) for a, b in found if a < b]
