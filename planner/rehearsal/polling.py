"""One poll, one plan, one command: the steps of the stages, with records and machines in place of I/O."""

from dataclasses import replace
from datetime import datetime

from planner.machine.advance import advance
from planner.machine.planning import planned
from planner.people.commands import WORDS, with_commands
from planner.places.laying import may_free_a_place
from planner.record.action import Replan, SetRepairs, Start
from planner.record.command import Command
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.rehearsal import observe
from planner.rehearsal.part import Part
from planner.rehearsal.world import World
from planner.start.results import answered


def poll(part: Part, world: World, now: datetime) -> bool:
    """Poll a run and carry out what it asks for; whether it wants a new plan."""
    run = part.record
    seen = observe.with_machines(part, observe.from_records(part, world, now), now)
    new, actions = advance(run, seen, (), now)
    if new.state is RunState.PAUSED and new.claims and seen.held_up is None:
        new, actions = advance(run, observe.with_held_up(part, seen, world), (), now)
    _write(part, replace(new, generation=new.generation + 1), world)
    for action in actions:
        if isinstance(action, SetRepairs):
            part.machines.repairs_suspended = action.suspend
    starts = [action for action in actions if isinstance(action, Start)]
    if starts:
        results = [world.start(part, start.instance, now) for start in starts]
        _write(part, answered(part.record, results, now), world)
    return any(isinstance(action, Replan) for action in actions)


def plan(part: Part, world: World, tracking_id: str, now: datetime, *, recheck: bool) -> bool:
    """Plan a scale set in this wave; whether anything was written."""
    run = part.run
    mine = [tracking_id, *(run.waves if run is not None else ())]
    waves = [world.waves[name] for name in dict.fromkeys(mine) if name in world.waves]
    new = planned(run, part.scale_set, observe.for_plan(part, now), waves, world.policy, now, recheck=recheck)
    if new is None:
        return False
    if run is not None and not run.alive:
        part.earlier.append(run)
    generation = run.generation if run is not None else 0
    _write(part, replace(new, generation=generation + 1), world)
    return True


def say(part: Part, command: Command, world: World, now: datetime) -> None:
    """A person's command on the run's record; it is polled at once."""
    run = part.record
    others = WORDS[command.kind].others
    seen = observe.from_records(part, world, now) if others else Observation(now)
    new = with_commands(run, (command,), seen, now)
    due = now if new.state in ACTIVE else run.due
    _write(part, replace(new, generation=run.generation + 1, due=due), world)


def woken(before: Run, part: Part, world: World, now: datetime) -> list[str]:
    """The runs whose turn has come with what this one has become."""
    return world.queue.to_wake(now) if may_free_a_place(before, part.record) else []


def _write(part: Part, run: Run, world: World) -> None:
    known = part.run.story.last_notice if part.run is not None else 0
    part.notices += [(notice, run) for notice in run.story.notices if notice.number > known]
    world.written(part, run)
