"""What a poll of a run sees in storage: waves, predecessors, limits; `observe_azure` adds the rest."""

from collections.abc import Sequence
from dataclasses import replace

from handlers.repository.runs import path_of
from handlers.runs import claims, neighbours, queue
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner.azure import order
from planner.azure.wave import Wave, awaited, cancelled
from planner.machine.advance import asks_for_a_place
from planner.policy.fingerprint import digest
from planner.record.observation import Observation, Predecessor
from planner.record.run import Run
from planner.record.states import ENDED, HANDS_OFF, RunState
from planner.record.waits import Turn


async def from_storage(run: Run, wiring: Wiring) -> tuple[Observation, Sequence[Wave]]:
    """What the records and the policy say: the stop, the waves, who goes first, the limits."""
    observation = Observation(
        at=wiring.now(),
        stopped=wiring.stopped(),
        policy=digest(wiring.policy()),
        poll_interval=wiring.settings.poll_interval,
        in_doubt=wiring.settings.in_doubt,
    )
    if run.state in HANDS_OFF:
        return observation, ()
    found = [await wiring.waves.get(wave, run.target.subscription) for wave in run.waves]
    waves = [wave for wave in found if wave is not None and wave.announcements]
    observation = replace(observation, open=any(wave.open for wave in waves))
    if run.state in ENDED:
        return observation, waves
    awaits = awaited(run.target.id.lower(), waves)
    observation = replace(observation, cancelled=cancelled(waves), awaits=awaits)
    if run.terms.after:
        observation = await _with_predecessors(run, observation, waves, wiring)
    turn = Turn() if run.claims else await queue.turn_of(run, wiring)
    observation = replace(observation, turn=turn)
    if asks_for_a_place(run, observation, wiring.now()):
        around = await neighbours.of(run, wiring)
        limit = await claims.forbidden(run, wiring)
        limit = await neighbours.limited(limit, run.target.subscription, around, turn, wiring)
        observation = replace(observation, limit=limit, durations=around.durations)
    elif run.state is RunState.PAUSED and run.claims:
        observation = await with_held_up(run, observation, wiring)
    return observation, waves


async def with_held_up(run: Run, observation: Observation, wiring: Wiring) -> Observation:
    """The poll with what a paused run holds up: the others that wait for its place in the limits."""
    return replace(observation, held_up=(await neighbours.of(run, wiring)).held_up)


async def _with_predecessors(
    run: Run, observation: Observation, waves: Sequence[Wave], wiring: Wiring
) -> Observation:
    """Where the runs stand that go first, by one small listing each."""
    roster = {member.scale_set.key: member for wave in waves for member in wave.roster}
    first, problem = order.predecessors(tuple(roster.values()), run.target.id, run.terms.after)
    found: list[Predecessor] = []
    for member in first:
        line = await wiring.runs.listed_at(path_of(member.scale_set))
        state, ends = None, None
        if line is not None and set(waves_of(line.metadata)) & set(run.waves):
            state, ends = RunState(line.metadata["state"]), neighbours.forecast(line)
        found.append(Predecessor(member.scale_set.name, state, ends))
    return replace(observation, predecessors=tuple(found), order_problem=problem)
