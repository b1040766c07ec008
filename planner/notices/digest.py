"""How a wave stands for whoever is told of it: how scale sets are grouped, what the counts are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from planner.record.cause import Cause
from planner.record.notice import Kind
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
        finished=bool(known) and not planning and all(over(row.state, wave_open=wave_open) for row in known),
    )


def over(state: RunState, *, wave_open: bool) -> bool:
    """A hands-off run is over with its wave; a set that isn't hit has nothing to wait for."""
    if state is RunState.LEFT_TO_AZURE:
        return not wave_open
    return state in ENDED or state is RunState.NOT_IMPACTED


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
