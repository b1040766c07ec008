"""What a plan reads of Azure: its scale set and one listing of instances, and who stopped which of them."""

from dataclasses import replace
from datetime import timedelta

from handlers.cloud.errors import NotFound, Unreachable
from handlers.runs import observe_azure, stops
from handlers.wire.messages import ScaleSetMessage
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet, impacted
from planner.observe import absence
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ENDED
from planner.words.checks import instance_unreadable

PATIENT_TRIES = 3
"""Tries for which a plan waits for views that Azure has left out: a minute or two."""


class NotFoundYet(Exception):
    """Azure did not find the scale set, and no earlier poll has confirmed that."""


async def read(
    run: Run | None, scale_set: ScaleSet, message: ScaleSetMessage, wiring: Wiring
) -> tuple[ScaleSet, Observation, timedelta]:
    """The scale set, its observation, and how long reading took where that was long.

    The scale set itself is as discovery found it unless that is long ago. Raises AzureTrouble, and
    NotFoundYet when Azure does not find the scale set for the first time.
    """
    began = wiring.now()
    async with observe_azure.in_time():
        scale_set, observation = await _read(run, scale_set, message, wiring)
    return scale_set, observation, observe_azure.slowness(began, wiring)


async def _read(
    run: Run | None, scale_set: ScaleSet, message: ScaleSetMessage, wiring: Wiring
) -> tuple[ScaleSet, Observation]:
    compute = wiring.compute(scale_set.subscription)
    observation = Observation(wiring.now(), poll_interval=wiring.settings.poll_interval)
    try:
        if message.reason != "announced":
            scale_set = await compute.scale_set(scale_set.id)
        instances = await compute.instances(scale_set)
        if not instances:
            # A Flexible set's machines are listed by a filter, which finds none of a set that is gone.
            scale_set = await compute.scale_set(scale_set.id)
    except NotFound:
        await observe_azure.confirm_absent(scale_set, wiring)
        since = message.absent_since
        if since is None or observation.at - since < observation.poll_interval:
            raise NotFoundYet from None
        return scale_set, replace(observation, deleted=True, instances=())
    observation = replace(observation, instances=instances)
    unreadable = tuple(instance.id for instance in instances if instance.unreadable)
    ids = absence.to_read(run, observation) if run is not None else unreadable
    observation = await observe_azure.read_directly(scale_set, observation, ids[: absence.MOST_READS], wiring)
    unplanned = run.gaps.unplanned if run is not None else None
    _require_readable(observation, max(message.attempt, unplanned.count if unplanned is not None else 0))
    if run is not None and run.state not in ENDED and run.ended_at is None:
        stopped = await stops.since_planned(run, observation, wiring, planning=True)
        observation = replace(observation, stops=stopped)
    return scale_set, observation


def _require_readable(observation: Observation, tries: int) -> None:
    """Raise Unreachable where Azure left out views that may decide the plan.

    After some tries the plan is made by what can be read, if anything of that is impacted: what is unreadable
    holds up every start, and polls plan again as soon as it shows.
    """
    instances = observation.instances or ()
    unreadable = next((instance for instance in instances if instance.unreadable), None)
    if unreadable is not None and (tries < PATIENT_TRIES or not impacted(instances)):
        raise Unreachable(instance_unreadable(unreadable.unreadable, unreadable.id))
