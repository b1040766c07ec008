"""Long lists, cut so that a page stays readable: what is left out is counted, and the JSON has all of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, pairwise

from markupsafe import Markup

from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Entry, Run
from planner.record.states import BatchState, InstanceState
from planner.text.phrases import many, some

IDS = 40
"""Instances named in one line."""

BEFORE, AFTER = 4, 12
"""Batches shown before and after those under way, where there are too many to show them all."""

LINKED = 100
"""Scale sets that one line links to."""

NEAR = 2
"""Pages before and after the one that is shown, which it links to beside the first and the last."""

LATER = datetime.max.replace(tzinfo=UTC)
"""For what has not gone down yet: it comes last."""


@dataclass(frozen=True, slots=True)
class Members:
    """Instances in the same state for the same reason: one line instead of many."""

    domain: str
    state: InstanceState
    reason: str
    ids: tuple[str, ...]

    @property
    def named(self) -> str:
        return named(self.ids)


def named(ids: Iterable[str]) -> str:
    """Instances in one line; of very many the first, and how many more."""
    return some(ids, most=IDS)


def batches(run: Run, most: int) -> tuple[Batch | str, ...]:
    """The batches in order; of more than `most` those that matter now, the others as a sentence."""
    every = run.batches
    if len(every) <= most:
        return every
    undone = (place for place, batch in enumerate(every) if batch.state is not BatchState.DONE)
    here = next(undone, len(every))
    first = max(0, min(here - BEFORE, len(every) - AFTER))
    last = max(here + AFTER, first + AFTER)
    return (*_left_out(every[:first], "earlier"), *every[first:last], *_left_out(every[last:], "later"))


def _left_out(left: Sequence[Batch], where: str) -> tuple[str, ...]:
    if not left:
        return ()
    batches = many(len(left), f"{where} batch", f"{where} batches")
    instances = many(sum(len(batch.instances) for batch in left), "instance")
    return (f"{batches} with {instances} left out here; the JSON has them all.",)


def members(batch: Batch) -> tuple[Members, ...]:
    """The batch's instances, those in the same state for the same reason together."""
    return _alike((batch.domain, instance) for instance in batch.instances)


def followed(run: Run, most: int) -> tuple[Members | str, ...]:
    """What was left to Azure, in the order in which it was seen to go down."""
    ordered = sorted(
        ((batch, instance) for batch in run.batches for instance in batch.instances),
        key=lambda pair: pair[1].down_at or pair[1].finished_at or pair[0].started_at or LATER,
    )
    rows = _alike((batch.domain, instance) for batch, instance in ordered)
    if len(rows) <= most:
        return rows
    left = sum(len(row.ids) for row in rows[most:])
    return (*rows[:most], f"{many(left, 'more instance')} left out here; the JSON has them all.")


def numbers(shown: int, pages: int) -> tuple[int, ...]:
    """The pages that one links to, in order; 0 where some between them are left out."""
    near = sorted({1, pages, *range(max(1, shown - NEAR), min(pages, shown + NEAR) + 1)})
    gaps = ((0, number) if number - before > 1 else (number,) for before, number in pairwise((0, *near)))
    return tuple(chain.from_iterable(gaps))


def as_many_as_fit(made: Iterable[Markup], room: int) -> tuple[Markup, ...]:
    """The first pieces of a page that take no more than `room` bytes together, at least one."""
    fitting: list[Markup] = []
    for piece in made:
        room -= len(piece.encode())
        if fitting and room < 0:
            break
        fitting.append(piece)
    return tuple(fitting)


def _alike(pairs: Iterable[tuple[str, InstanceProgress]]) -> tuple[Members, ...]:
    groups: dict[tuple[str, InstanceState, str], list[str]] = {}
    for domain, instance in pairs:
        groups.setdefault((domain, instance.state, instance.reason), []).append(instance.id)
    return tuple(Members(*key, tuple(ids)) for key, ids in groups.items())


def history(run: Run, most: int) -> tuple[Entry | str, ...]:
    """The latest lines of the history, with the first one; what lies between is counted."""
    every = run.story.history
    if len(every) <= most:
        return every
    left = len(every) - most
    return (every[0], f"{many(left, 'line')} left out here; the JSON has them all.", *every[-most + 1 :])
