"""What a poll of the rehearsal sees: the records as they are, and the machines where it has to."""

from collections.abc import Sequence
from datetime import datetime

from planner.azure import order
from planner.azure.fleet import RepairsState, ScaleSet
from planner.azure.wave import Wave, awaited, cancelled
from planner.machine.advance import (
    asks_for_a_place,
    may_start,
    needs_azure,
    operations_wanted,
    repairs_wanted,
)
from planner.observe import absence
from planner.record.copying import replace
from planner.record.observation import Observation, Predecessor, with_direct_reads
from planner.record.run import Run
from planner.record.states import ENDED, HANDS_OFF, RunState
from planner.record.waits import Turn
from planner.rehearsal.part import Part
from planner.rehearsal.world import World
from planner.words import refusals as words


def from_records(run: Run, part: Part, world: World, now: datetime) -> Observation:
    """What `handlers.runs.observe_storage` reads: waves, who goes first, the limits."""
    observation = Observation(now, stopped=world.stopped, policy=world.policy_digest)
    if run.state in HANDS_OFF:
        return observation
    waves = world.waves_of(run)
    opened = any(wave.open for wave in waves)
    if run.state in ENDED:
        return replace(observation, open=opened)
    predecessors, problem = _predecessors(run, waves, world) if run.terms.after else ((), "")
    turn = Turn() if run.claims else world.queue.turn(part.key, now)
    observation = replace(
        observation,
        open=opened,
        cancelled=cancelled(waves),
        awaits=awaited(part.key, waves),
        predecessors=predecessors,
        order_problem=problem,
        turn=turn,
    )
    if asks_for_a_place(run, observation, now):
        around = world.queue.beside(part.key)
        limit = world.queue.in_the_way(world.queue.forbidden(part.key), around, turn)
        return replace(observation, limit=limit, durations=around.durations)
    if run.state is RunState.PAUSED and run.claims:
        return with_held_up(part, observation, world)
    return observation


def with_held_up(part: Part, observation: Observation, world: World) -> Observation:
    """The poll with what a paused run holds up."""
    return replace(observation, held_up=world.queue.beside(part.key).held_up)


def with_machines(run: Run, part: Part, observation: Observation, world: World, now: datetime) -> Observation:
    """The poll with what `handlers.runs.observe_azure` reads, where it has to."""
    if not needs_azure(run, observation, now):
        return observation
    wait = world.throttles_reads(now)
    if wait is not None:
        return replace(observation, trouble=words.wait_asked_for(wait), wait=wait)
    fresh = may_start(run, observation, now)
    scale_set = part.scale_set if fresh else None
    seen = replace(observation, scale_set=scale_set, rules=part.rules if fresh else None)
    if repairs_wanted(run, seen):
        suspended = part.machines.repairs_suspended
        seen = replace(seen, repairs=RepairsState.SUSPENDED if suspended else RepairsState.RUNNING)
    seen = replace(seen, instances=part.machines.shown(now))
    if run.state in ENDED:
        return seen
    seen = read_directly(part, absence.to_read(run, seen), seen)
    return replace(
        seen,
        operations={each.id: part.machines.operation(each.operation, now) for each in operations_wanted(run)},
    )


def for_plan(run: Run | None, part: Part, now: datetime) -> Observation:
    """What `handlers.runs.read_for_plan` reads."""
    seen = Observation(now, part.machines.shown(now))
    return read_directly(part, absence.to_read(run, seen), seen) if run is not None else seen


def read_directly(part: Part, ids: Sequence[str], seen: Observation) -> Observation:
    """The observation with these instances read one by one."""
    if not ids:
        return seen
    found = part.machines.directly(ids, seen.at)
    return with_direct_reads(seen, found, [key for key in ids if key not in found])


def _predecessors(run: Run, waves: Sequence[Wave], world: World) -> tuple[tuple[Predecessor, ...], str]:
    roster = {member.scale_set.key: member for wave in waves for member in wave.roster}
    first, problem = order.predecessors(tuple(roster.values()), run.target.id, run.terms.after)
    return tuple(_predecessor(member.scale_set, run, world) for member in first), problem


def _predecessor(scale_set: ScaleSet, run: Run, world: World) -> Predecessor:
    other = world.runs.get(scale_set.key)
    if other is None or set(run.waves).isdisjoint(other.waves):
        return Predecessor(scale_set.name, None)
    return Predecessor(scale_set.name, other.state, other.times.forecast_end)
