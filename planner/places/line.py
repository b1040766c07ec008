"""A run as the queue sees it: what a listing says of it, and what follows for its place."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from planner.azure.fleet import Interval
from planner.azure.wave import normal_region
from planner.calendar.openings import HORIZON, opening
from planner.places.table import Holder, Seeker
from planner.policy.weekly import WindowSets
from planner.record.cause import Cause
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.schedule.timing import MINUTE, to_place

EVER = datetime.min.replace(tzinfo=UTC)
"""The earliest start of a run that has no date to wait for."""

GOING = frozenset({RunState.SCHEDULED, RunState.RUNNING})
"""Runs that go on by themselves: nobody knows when one ends that waits for a person."""

NEVER = datetime.max.replace(tzinfo=UTC)
"""The latest start of a run without a date."""


type _When = Callable[[datetime], datetime | None]

MOMENTS = 4096
"""Whose answers are remembered: a layout asks for a few, a run that waits for weeks sees many layouts."""


@dataclass(frozen=True, slots=True)
class Course:
    """How a run goes once it starts: its batches one after another, `expected` each, a soak between two."""

    batches: int
    expected: timedelta
    soak: timedelta
    windows: WindowSets = ()
    freezes: tuple[Interval, ...] = ()

    def opens(self, at: datetime) -> datetime | None:
        """The first start from `at` on; None where windows and freezes leave none within 60 days."""
        found = opening(self.windows, self.freezes, at, self.expected)
        return found.start if found is not None else None

    def ends(self, start: datetime) -> datetime | None:
        """When a run that starts at `start` should end; None where its last batches find no time."""
        if not self.windows and not self.freezes:
            return start + self.expected * self.batches + self.soak * (self.batches - 1)
        at, room = start, None
        for _ in range(self.batches):
            if room is None or not room.holds(at, self.expected):
                room = opening(self.windows, self.freezes, at, self.expected)
                if room is None:
                    return None
                at = room.start
            at += self.expected + self.soak
        return at - self.soak


@lru_cache(maxsize=4096)
def course_of(
    batches: int,
    expected: timedelta,
    soak: timedelta,
    windows: WindowSets = (),
    freezes: tuple[Interval, ...] = (),
) -> Course:
    """A course, the same object for the same values: of a thousand runs a handful differ."""
    return Course(batches, expected, soak, windows, freezes)


@dataclass(frozen=True, slots=True)
class Line:
    """One active run of the listing; times are aware UTC.

    `name` and `region` as Azure spells them. `forecast` is its expected end, once it has begun and while it
    goes on by itself. `after` names scale sets and tiers that go first, `counts_in` limits by match.
    `held_back`: it could start by its times, and something of its own keeps it from that, of the kind
    `waits`. `acts_at` is when it is polled next; None where it is woken when its turn comes.
    """

    key: str
    name: str
    region: str
    state: RunState
    course: Course
    earliest: datetime
    deadline: datetime | None = None
    tier: str = ""
    after: tuple[str, ...] = ()
    counts_in: tuple[str, ...] = ()
    claims: bool = False
    forecast: datetime | None = None
    held_back: bool = False
    waits: Cause | None = None
    acts_at: datetime | None = None

    @property
    def ready(self) -> bool:
        """Whether it could start by itself."""
        return self.state in GOING and not self.held_back


def of_run(key: str, run: Run) -> Line:
    """The line of an active run: `acts_at` is None while it sleeps until its turn."""
    opens = run.times.self_service.start if run.times.self_service is not None else None
    begins = [at for at in (run.times.lead_over, opens) if at is not None]
    waits = run.waits.cause if run.waits is not None else None
    held_back = run.gaps.trouble is not None or waits not in {None, Cause.LIMIT}
    return Line(
        key,
        run.target.name,
        run.target.location,
        run.state,
        course_of(
            sum(map(to_place, run.batches)),
            run.times.expected,
            run.terms.soak,
            run.terms.windows,
            tuple(Interval(freeze.start, freeze.end) for freeze in run.terms.freezes),
        ),
        earliest=max(begins, default=EVER),
        deadline=run.times.deadline,
        tier=run.terms.tier,
        after=run.terms.after,
        counts_in=run.terms.counts_in,
        claims=run.claims,
        forecast=run.times.forecast_end if run.begun and run.state in GOING else None,
        held_back=held_back,
        waits=waits if held_back else None,
        acts_at=None if waits is Cause.LIMIT and not held_back else run.due,
    )


def holders(lines: Iterable[Line], now: datetime) -> Iterator[Holder]:
    """The runs in flight. One that needs a person ends when nobody knows; one that is overdue, soon."""
    for line in lines:
        if line.claims and line.state in ACTIVE:
            soon = now + MINUTE
            ends = max(line.forecast, soon) if line.forecast is not None else soon
            yield Holder(
                line.key, normal_region(line.region), ends if line.state in GOING else None, line.counts_in
            )


def seekers(lines: Iterable[Line]) -> Iterator[Seeker]:
    """The runs that have not begun, or let the others pass."""
    known = [line for line in lines if line.state in ACTIVE]
    # Many runs have one course, and are asked about the same moments in every order that is tried.
    shared: dict[int, tuple[_When, _When]] = {}
    latest: dict[tuple[int, datetime | None], datetime | None] = {}
    named: dict[str, set[str]] = {}
    for line in known if any(line.after for line in known) else ():
        for name in {line.name.lower(), line.tier.lower()} - {""}:
            named.setdefault(name, set()).add(line.key)
    for line in known:
        if line.claims or not line.course.batches:
            continue
        course, dated = id(line.course), (id(line.course), line.deadline)
        if course not in shared:
            shared[course] = _remembering(line.course.opens), _remembering(line.course.ends)
        if dated not in latest:
            latest[dated] = latest_start(line.course, line.deadline) if line.deadline is not None else NEVER
        opens, ends = shared[course]
        first = {key for name in line.after for key in named.get(name.lower(), ())} - {line.key}
        yield Seeker(
            line.key,
            line.name,
            normal_region(line.region),
            max(line.earliest, line.acts_at or line.earliest),
            latest[dated],
            opens,
            ends,
            line.tier,
            tuple(sorted(first)) if first else (),
            line.counts_in,
            ready=line.ready,
        )


def _remembering(when: _When) -> _When:
    return lru_cache(maxsize=MOMENTS)(when)


@lru_cache(maxsize=4096)
def latest_start(course: Course, deadline: datetime) -> datetime | None:
    """The latest start, to the minute, by which the run still ends by `deadline`; None when none is found."""
    shortest = course.expected * course.batches + course.soak * (course.batches - 1)
    if not course.windows and not course.freezes:
        return deadline - shortest
    most = int(HORIZON / MINUTE)
    last = deadline - shortest

    def fits(minutes: int) -> bool:
        end = course.ends(last - minutes * MINUTE)
        return end is not None and end <= deadline

    back = bisect_left(range(most), True, key=fits)
    return last - back * MINUTE if back < most else None
