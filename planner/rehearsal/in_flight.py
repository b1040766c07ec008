"""Polls of a batch under way at which only its instances come further: the rest is not played.

What each poll shows of an instance is judged by the planner's own rule. The last poll is played whole, from
what the others have left, and has to come to the same; else none of them is left out.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from planner.azure.fleet import Instance
from planner.machine.advance import operations_wanted
from planner.observe import absence
from planner.observe.batches import standing
from planner.observe.evidence import observed, undisturbed
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.run import Fleet, Run
from planner.record.states import UNDER_WAY, BatchState, RunState
from planner.rehearsal import observe
from planner.rehearsal.part import Part
from planner.rehearsal.world import World
from planner.state.change import ORDINARY

_NOBODY_ELSE = Fleet()


def under_way(run: Run) -> Batch | None:
    """The batch that a run waits for and for nothing else; None where there is more to it."""
    if run.state is not RunState.RUNNING or not run.claims or run.people.holding or run.replan:
        return None
    going = [batch for batch in run.batches if batch.state not in {BatchState.PENDING, BatchState.DONE}]
    alone = len(going) == 1 and going[0].state in UNDER_WAY and not going[0].waiting
    return going[0] if alone else None


def followed(
    run: Run, batch: Batch, part: Part, world: World, now: datetime, step: timedelta, until: datetime
) -> list[Batch]:
    """The batch after each poll from here on, up to the one before it settles, or is told about."""
    ids = [each.id for each in batch.instances]
    foreign = part.machines.changes(now, apart=ids)
    # From then on its forecast end moves with each poll.
    on_time = batch.started_at + run.times.expected if batch.started_at is not None else now
    end = min(at for at in (foreign, until, on_time + step) if at is not None)
    seen = observe.from_records(run, part, world, now)
    found: list[Batch] = []
    at = now + step
    while at < end:
        new = _after(run, batch, part, replace(seen, at=at), at)
        if new is None:
            break
        found.append(new)
        batch, at = new, at + step
    return found


def _after(run: Run, batch: Batch, part: Part, seen: Observation, now: datetime) -> Batch | None:
    alone = replace(run, batches=(batch,), fleet=_NOBODY_ELSE)
    there = part.machines.directly([each.id for each in batch.instances], now)
    seen = replace(
        seen,
        instances=tuple(there.values()),
        operations={
            each.id: part.machines.operation(each.operation, now) for each in operations_wanted(alone)
        },
    )
    if absence.to_read(alone, seen):
        return None
    new = batch.each(lambda progress: _seen(run, progress, there, seen, now))
    told = (
        each.state not in ORDINARY and each.state is not old.state
        for each, old in zip(new.instances, batch.instances, strict=True)
    )
    if any(told):
        return None
    new = standing(new, now)
    return new if new.state in UNDER_WAY else None


def _seen(
    run: Run, progress: InstanceProgress, there: Mapping[str, Instance], seen: Observation, now: datetime
) -> InstanceProgress:
    instance = there.get(progress.id)
    if undisturbed(run, progress, instance):
        return progress
    return observed(run, progress, instance, seen, now)
