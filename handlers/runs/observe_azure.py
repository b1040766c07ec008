"""What a poll sees in Azure: one listing, and what the listing does not tell read one by one."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import datetime, timedelta

from handlers import deadline
from handlers.cloud import patience
from handlers.cloud.errors import AzureTrouble, NotFound, Refused, Unreachable
from handlers.cloud.side_by_side import side_by_side
from handlers.runs import stops
from handlers.wiring import Wiring
from handlers.words import trouble
from planner.azure.fleet import Instance, Orchestration, ScaleSet
from planner.azure.wave import Wave, informed
from planner.machine.advance import may_start, needs_azure, operations_wanted, repairs_wanted
from planner.observe import absence
from planner.policy.resolve import rules_for
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation, OperationSeen, with_direct_reads
from planner.record.run import Run
from planner.record.states import ENDED
from planner.start import gate
from planner.start.prepare import FRESH

AT_ONCE = 32  # operations and single instances read side by side

LISTING_TOO_OLD = FRESH - timedelta(seconds=10)
"""A listing that took longer than this leaves no time to send a start: its batch is read once more."""

WORTH_BEGINNING = timedelta(minutes=1)
"""With less time than this nothing is read of Azure: it would be called slow for what others have used up.

Of two messages of a run in one process the second waits for the first, and may have to do it all again.
"""


def slowness(since: datetime, wiring: Wiring) -> timedelta:
    """How long reading has taken since then, where that is long enough to matter; otherwise zero.

    The sweep waits that much longer for the run's next poll before it counts as lost.
    """
    taken = wiring.now() - since
    return taken if taken >= LISTING_TOO_OLD else timedelta(0)


def in_time() -> AbstractAsyncContextManager[None]:
    """Ends all reading for a poll or a plan, with Unreachable, when the function has no more time for it.

    Raises TooLittleTime where it would hardly begin.
    """
    deadline.need(WORTH_BEGINNING)
    left = deadline.left()
    return patience.in_time(left, trouble.azure_took_longer(left))


async def with_azure(
    run: Run, observation: Observation, waves: Sequence[Wave], wiring: Wiring
) -> Observation:
    """The poll with what Azure shows, where that is needed. Raises AzureTrouble."""
    if not needs_azure(run, observation, wiring.now()):
        return observation
    async with in_time():
        return await _read(run, observation, waves, wiring)


async def _read(run: Run, observation: Observation, waves: Sequence[Wave], wiring: Wiring) -> Observation:
    compute = wiring.compute(run.target.subscription)
    observation = replace(observation, at=wiring.now())
    scale_set = run.target.scale_set
    try:
        if may_start(run, observation, wiring.now()):
            observation = await _before_a_batch(run, observation, waves, wiring)
            scale_set = observation.scale_set or scale_set
        if repairs_wanted(run, observation):
            observation = replace(observation, repairs=await compute.repairs(scale_set.id))
        instances = await compute.instances(scale_set)
        if not instances and run.instances:
            # A Flexible set's machines are listed by a filter, which finds none of a set that is gone.
            await compute.scale_set(scale_set.id)
    except NotFound:
        await confirm_absent(scale_set, wiring)
        return replace(observation, deleted=True, instances=())
    observation = replace(observation, instances=instances)
    if run.state in ENDED:
        # Whether something is due again is the plan's to say, by all that it reads.
        return observation
    observation = await read_directly(scale_set, observation, absence.to_read(run, observation), wiring)
    observation = await _freshened(run, observation, waves, wiring)
    observation = replace(observation, stops=await stops.since_planned(run, observation, wiring))
    return replace(observation, operations=await _operations(run, wiring))


async def read_directly(
    scale_set: ScaleSet, observation: Observation, ids: Iterable[str], wiring: Wiring
) -> Observation:
    """The poll with these instances read one by one; what cannot be read stays as the listing had it."""
    compute = wiring.compute(scale_set.subscription)
    found: dict[str, Instance] = {}
    absent: set[str] = set()

    async def read(key: str) -> None:
        try:
            found[key] = await compute.instance(scale_set, key)
        except NotFound:
            absent.add(key)
        except AzureTrouble:
            return  # one answer less; the next poll asks again

    await side_by_side(read, ids, AT_ONCE)
    return with_direct_reads(observation, found, absent)


async def _before_a_batch(
    run: Run, observation: Observation, waves: Sequence[Wave], wiring: Wiring
) -> Observation:
    """The poll with scale set, upgrade and rules read afresh; NotFound when the set is not there."""
    compute = wiring.compute(run.target.subscription)
    scale_set, upgrade = await asyncio.gather(compute.scale_set(run.target.id), _upgrade(run, wiring))
    scale_set = informed(replace(scale_set, rolling_upgrade=upgrade), waves)
    return replace(
        observation, at=wiring.now(), scale_set=scale_set, rules=rules_for(wiring.policy(), scale_set)
    )


async def confirm_absent(scale_set: ScaleSet, wiring: Wiring) -> None:
    """Believe a 404 only when one more read says the same. Raises Unreachable when the scale set is there."""
    with suppress(NotFound):
        await wiring.compute(scale_set.subscription).scale_set(scale_set.id)
        raise Unreachable(trouble.SHOWN_AFTER_404)


async def _freshened(
    run: Run, observation: Observation, waves: Sequence[Wave], wiring: Wiring
) -> Observation:
    """The next batch read once more where the listing took so long that no start could follow it.

    Without that, nothing of a scale set whose listing takes minutes could start. The rest stays as listed.
    """
    batch = gate.next_batch(run, wiring.now())
    if observation.rules is None or batch is None or wiring.now() - observation.at < LISTING_TOO_OLD:
        return observation
    try:
        observation = await _before_a_batch(run, observation, waves, wiring)
    except NotFound as error:
        raise Unreachable(trouble.LISTED_AND_404) from error
    ids = [instance.id for instance in batch.instances if not instance.settled]
    return await read_directly(run.target.scale_set, observation, ids[: absence.MOST_READS], wiring)


async def _upgrade(run: Run, wiring: Wiring) -> str:
    try:
        return await wiring.compute(run.target.subscription).rolling_upgrade(run.target.id)
    except Refused:
        if run.target.orchestration is Orchestration.FLEXIBLE:
            # Not every subscription offers rolling upgrades for these: then none is under way.
            return ""
        raise


async def _operations(run: Run, wiring: Wiring) -> dict[str, OperationSeen]:
    """The operations in flight, by instance."""
    compute = wiring.compute(run.target.subscription)

    async def read(instance: InstanceProgress) -> tuple[str, OperationSeen]:
        return instance.id, await compute.operation(instance.operation)

    return dict(await side_by_side(read, operations_wanted(run), AT_ONCE))
