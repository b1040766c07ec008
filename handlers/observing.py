"""What a look at a run sees: storage first, then, where it is needed, Azure."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from handlers import claims, neighbours
from handlers.cloud.errors import NotFound, Refused
from handlers.cloud.names import run_path
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner import order
from planner.advance import may_start, needs_azure, repairs_wanted
from planner.fleet import Orchestration
from planner.look import (
    Look,
    OperationSeen,
    Predecessor,
)
from planner.policy import rules_for
from planner.policy_digest import digest
from planner.run import ACTIVE, IN_FLIGHT, Run, RunState
from planner.wave import Stage, Wave, awaited, informed

AT_ONCE = 32  # operations read side by side


async def from_storage(run: Run, wiring: Wiring) -> tuple[Look, Sequence[Wave]]:
    """What the records and the policy say: the stop, the waves, who goes first, the limits."""
    look = _blank(wiring)
    if run.state not in ACTIVE:
        return look, ()
    waves = await _waves(run, wiring)
    look = replace(look, cancelled=_cancelled(waves), awaits=awaited(run.target.id.lower(), waves))
    if run.after:
        look = await _with_predecessors(run, look, waves, wiring)
    if may_start(run, look, wiring.now()):
        around = await neighbours.of(run, wiring)
        look = replace(
            look,
            limit=await claims.forbidden(wiring, run),
            limit_until=around.first_end,
            durations=around.durations,
        )
    return look, waves


def _blank(wiring: Wiring) -> Look:
    """A look that has not read Azure."""
    settings = wiring.settings
    return Look(
        at=wiring.now(),
        stopped=wiring.stopped(),
        policy=digest(wiring.policy()),
        look_again=settings.look_again,
        in_doubt=settings.in_doubt,
    )


async def with_azure(run: Run, look: Look, waves: Sequence[Wave], wiring: Wiring) -> Look:
    """The look with what Azure shows, where that is needed. Raises AzureTrouble."""
    if not needs_azure(run, look, wiring.now()):
        return look
    compute = wiring.compute(run.target.subscription)
    look = replace(look, at=wiring.now())
    scale_set = run.target.scale_set
    try:
        if may_start(run, look, wiring.now()):
            scale_set, upgrade = await asyncio.gather(compute.scale_set(scale_set.id), _upgrade(run, wiring))
            scale_set = informed(replace(scale_set, rolling_upgrade=upgrade), waves)
            look = replace(
                look, at=wiring.now(), scale_set=scale_set, rules=rules_for(wiring.policy(), scale_set)
            )
        if repairs_wanted(run, look):
            look = replace(look, repairs=await compute.repairs(scale_set.id))
        instances = await compute.instances(scale_set)
    except NotFound:
        return replace(look, deleted=True, instances=())
    return replace(look, instances=instances, operations=await _operations(run, wiring))


async def _upgrade(run: Run, wiring: Wiring) -> str:
    try:
        return await wiring.compute(run.target.subscription).rolling_upgrade(run.target.id)
    except Refused:
        if run.target.orchestration is Orchestration.FLEXIBLE:
            # Not every subscription has rolling upgrades for these: where there are none, none is under way.
            return ""
        raise


async def _operations(run: Run, wiring: Wiring) -> dict[str, OperationSeen]:
    """The operations in flight, by instance."""
    compute = wiring.compute(run.target.subscription)
    flying = [
        one for one in run.passages if one.state in IN_FLIGHT and one.operation and one.proof_at is None
    ]
    gate = asyncio.Semaphore(AT_ONCE)

    async def read(address: str) -> OperationSeen:
        async with gate:
            seen = await compute.operation(address)
        return OperationSeen(seen.status, seen.code, seen.message)

    seen = await asyncio.gather(*(read(one.operation) for one in flying))
    return {one.id: operation for one, operation in zip(flying, seen, strict=True)}


async def _waves(run: Run, wiring: Wiring) -> list[Wave]:
    found = [await wiring.wave(one, run.target.subscription) for one in run.waves]
    return [one for one in found if one is not None and one.announcements]


def _cancelled(waves: Sequence[Wave]) -> bool:
    """A cancelled wave stops a run only if no other open wave covers the set."""
    return not any(one.open for one in waves) and any(one.stage is Stage.CANCELED for one in waves)


async def _with_predecessors(run: Run, look: Look, waves: Sequence[Wave], wiring: Wiring) -> Look:
    """Where the runs stand that go first, by one small listing each."""
    roster = {one.scale_set.key: one for wave in waves for one in wave.roster}
    first, problem = order.predecessors(tuple(roster.values()), run.target.id, run.after)
    found: list[Predecessor] = []
    for member in first:
        one = member.scale_set
        path = run_path(one.subscription, one.resource_group, one.name)
        listed = [each for each in await wiring.records.list(path) if each.path == path]
        state, ends = None, None
        if listed and set(waves_of(listed[0].metadata)) & set(run.waves):
            state = RunState(listed[0].metadata["state"])
            ends = neighbours.forecast(listed[0])
        found.append(Predecessor(one.name, state, ends))
    return replace(look, predecessors=tuple(found), order_problem=problem)
