"""What to tell about a wave: which notices are ripe, how scale sets are grouped, what the counts are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from planner.notices.delivery import EMERGENCY, FINISHED, Delivery
from planner.record.cause import Cause
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import ENDED, InstanceState, RunState

HELD = frozenset({Kind.PLANNED, Kind.APPROVAL})
"""Notices of the wave's digest: they wait until every scale set of the roster has its plan."""

PATIENCE = 10
"""How many grouping waits the digest is held for the rest of the roster."""


@dataclass(frozen=True, slots=True)
class Row:
    """One run as the listing shows it."""

    state: RunState
    needs_person: bool = False
    deadline: datetime | None = None
    waits: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """A wave in numbers. `planning` are scale sets of the roster that have no run yet.

    `waits`: for each cause, how many may start by their times and do not.

    `finished`: every scale set has a run and every run is over, so nothing more will happen.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    needs_person: int = 0
    deadline: datetime | None = None
    planning: int = 0
    finished: bool = False
    waits: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def overview(rows: Iterable[Row], planning: int, *, wave_open: bool) -> Overview:
    """The wave from its runs, and how many scale sets of its roster have none."""
    known = tuple(rows)
    counts = Counter(row.state.value for row in known)
    deadlines = [row.deadline for row in known if row.deadline and row.state not in ENDED]
    return Overview(
        counts={state.value: counts[state.value] for state in RunState if counts[state.value]},
        needs_person=sum(row.needs_person for row in known),
        deadline=min(deadlines, default=None),
        planning=planning,
        waits={
            cause.value: number for cause in Cause if (number := sum(row.waits == cause for row in known))
        },
        finished=bool(known) and not planning and all(_over(row.state, wave_open=wave_open) for row in known),
    )


def _over(state: RunState, *, wave_open: bool) -> bool:
    """A hands-off run is over with its wave; a set that isn't hit has nothing to wait for."""
    if state is RunState.LEFT_TO_AZURE:
        return not wave_open
    return state in ENDED or state is RunState.NOT_IMPACTED


def untold(run: Run, told: int) -> tuple[Notice, ...]:
    """The notices after the last one told, in order."""
    return tuple(notice for notice in run.story.notices if notice.number > told)


def ripe(
    waiting: Mapping[str, tuple[Notice, ...]], *, quiet: bool, complete: bool, paged: bool
) -> Mapping[str, int]:
    """How far each run may be told now; runs that wait are left out.

    A page goes at once and takes what came before it along; a plan that pages (emergency maintenance) does
    so only until the wave has `paged`, then it is grouped like the others, or a thousand scale sets would
    page a thousand times. `complete` says that the digest need not wait for the roster any longer.
    """

    def goes(notice: Notice) -> bool:
        if notice.urgency is Urgency.PAGE:
            return not notice.emergency or not paged or not quiet
        return not quiet and (complete or notice.kind not in HELD)

    return {
        key: max(numbers)
        for key, notices in waiting.items()
        if (numbers := [notice.number for notice in notices if goes(notice)])
    }


@dataclass(frozen=True, slots=True)
class NextMessage:
    """What a channel is told now: `upto` per run, `kinds` of the wave; else `wake`, when to choose again."""

    upto: Mapping[str, int] = field(default_factory=dict)
    kinds: tuple[str, ...] = ()
    wake: datetime | None = None


def choose(
    delivery: Delivery,
    channel: str,
    waiting: Mapping[str, tuple[Notice, ...]],
    seen: Overview,
    wait: timedelta,
    now: datetime,
) -> NextMessage:
    """What is ripe for a channel that has nothing on its way; `wait` is the grouping wait.

    The first message waits from the oldest notice on, later ones from the message before. The closing
    overview comes last: with the wave's last notices or after them, once, and not for a wave
    that hit nothing.
    """
    state = delivery.channels[channel]
    notices = [notice for run_notices in waiting.values() for notice in run_notices]
    oldest = min((notice.at for notice in notices), default=now)
    earliest = delivery.not_before or oldest + wait
    quiet = now < earliest
    held = min((notice.at for notice in notices if notice.kind in HELD), default=None)
    # Every scale set has its plan, or the oldest plan has waited long enough for the others.
    complete = not seen.planning or held is None or held + PATIENCE * wait <= now
    paged = EMERGENCY in state.wave_told
    upto = ripe(waiting, quiet=quiet, complete=complete, paged=paged)
    pages = any(notice.emergency for key in upto for notice in waiting[key] if notice.number <= upto[key])
    hit = set(seen.counts) - {RunState.NOT_IMPACTED.value}
    ends = seen.finished and bool(hit) and FINISHED not in state.wave_told and bool(state.told or waiting)
    kinds = (EMERGENCY,) if pages and not paged else ()
    if ends and not quiet and upto.keys() == waiting.keys():
        kinds = (*kinds, FINISHED)
    if upto or kinds:
        return NextMessage(upto, kinds)
    if waiting or ends:
        return NextMessage(wake=earliest if quiet else now + wait)
    return NextMessage()


class Group(StrEnum):
    """What will happen to a scale set, in the order a reader wants to know it."""

    PERSON = "person"
    WAITS = "waits"
    OURS = "ours"
    AZURE = "azure"
    OVER = "over"
    NOT_HIT = "not_hit"


def group(run: Run) -> Group:
    """Where a scale set stands in the digest."""
    if run.needs_person:
        return Group.PERSON
    if run.waits is not None:
        return Group.WAITS
    if run.state in ENDED:
        return Group.OVER
    if run.state is RunState.LEFT_TO_AZURE:
        return Group.AZURE
    return Group.NOT_HIT if run.state is RunState.NOT_IMPACTED else Group.OURS


def grouped(runs: Iterable[Run]) -> Mapping[Group, tuple[Run, ...]]:
    """The runs by what will happen, each group by name; empty groups are left out."""
    found = sorted(runs, key=lambda run: (run.target.name.lower(), run.target.id.lower()))
    groups = {each: tuple(run for run in found if group(run) is each) for each in Group}
    return {each: members for each, members in groups.items() if members}


def outcomes(runs: Iterable[Run]) -> Mapping[InstanceState, int]:
    """How the instances of the plans ended; unfinished ones count as pending."""
    counts = Counter(
        progress.state if progress.settled else InstanceState.PENDING
        for run in runs
        for progress in run.instances
    )
    order = (
        InstanceState.MAINTAINED,
        InstanceState.BY_AZURE,
        InstanceState.SKIPPED,
        InstanceState.CANCELLED,
        InstanceState.MISSED,
        InstanceState.PENDING,
    )
    return {state: counts[state] for state in order if counts[state]}
