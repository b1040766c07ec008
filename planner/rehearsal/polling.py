"""One poll, one plan, one command: the steps of the stages, with records and machines in place of I/O."""

from collections.abc import Iterable
from datetime import datetime

from planner.machine.advance import advance
from planner.machine.planning import planned
from planner.people.commands import HANDLED, with_commands
from planner.places.laying import may_free_a_place
from planner.record.action import Action, Replan, SetRepairs, Start
from planner.record.command import Command
from planner.record.copying import replace
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.rehearsal import observe
from planner.rehearsal.part import Part
from planner.rehearsal.world import World
from planner.start.results import answered


def poll(part: Part, world: World, now: datetime) -> bool:
    """Poll a run and carry out what it asks for; whether it wants a new plan."""
    new, actions = polled(part.record, part, world, now)
    write(part, new, world)
    for action in actions:
        if isinstance(action, SetRepairs):
            part.machines.repairs_suspended = action.suspend
    starts = [action for action in actions if isinstance(action, Start)]
    if starts:
        results = [world.start(part, start.instance, now) for start in starts]
        write(part, answered(part.record, results, now), world)
    return wants_plan(actions)


def polled(run: Run, part: Part, world: World, now: datetime) -> tuple[Run, tuple[Action, ...]]:
    """The run after a poll, and what is to be done for it."""
    seen = observe.with_machines(run, part, observe.from_records(run, part, world, now), world, now)
    new, actions = advance(run, seen, (), now)
    if new.state is RunState.PAUSED and new.claims and seen.held_up is None:
        new, actions = advance(run, observe.with_held_up(part, seen, world), (), now)
    return replace(new, generation=new.generation + 1), actions


def wants_plan(actions: Iterable[Action]) -> bool:
    return any(isinstance(action, Replan) for action in actions)


def plan(part: Part, world: World, tracking_id: str, now: datetime, *, recheck: bool) -> bool:
    """Plan a scale set in this wave; whether anything was written."""
    run = part.run
    new = planned_in(tracking_id, run, part, world, now, recheck=recheck)
    if new is None:
        return False
    if run is not None and not run.alive:
        part.earlier.append(run)
    write(part, new, world)
    return True


def planned_in(
    tracking_id: str, run: Run | None, part: Part, world: World, now: datetime, *, recheck: bool
) -> Run | None:
    """The run as a plan in this wave makes it; None where that writes nothing."""
    mine = [tracking_id, *(run.waves if run is not None else ())]
    waves = [world.waves[name] for name in dict.fromkeys(mine) if name in world.waves]
    seen = observe.for_plan(run, part, now)
    new = planned(run, part.scale_set, seen, waves, world.policy, now, recheck=recheck)
    generation = run.generation if run is not None else 0
    return replace(new, generation=generation + 1) if new is not None else None


def say(part: Part, command: Command, world: World, now: datetime) -> None:
    """A person's command on the run's record; it is polled at once."""
    run = part.record
    others = HANDLED[command.kind].others
    seen = observe.from_records(run, part, world, now) if others else Observation(now)
    new = with_commands(run, (command,), seen, now)
    due = now if new.state in ACTIVE else run.due
    write(part, replace(new, generation=run.generation + 1, due=due), world)


def woken(before: Run, part: Part, world: World, now: datetime) -> list[str]:
    """The runs whose turn has come with what this one has become."""
    return world.queue.to_wake(now) if may_free_a_place(before, part.record) else []


def write(part: Part, run: Run, world: World) -> None:
    """Replace the run's record, and keep what it newly tells."""
    known = part.run.story.last_notice if part.run is not None else 0
    part.notices += [(notice, run) for notice in run.story.notices if notice.number > known]
    world.written(part, run)
