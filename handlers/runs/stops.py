"""Who stopped what: read from the activity log when an instance that served is switched off."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from operator import attrgetter

from handlers.cloud import activity
from handlers.cloud.errors import AzureTrouble
from handlers.cloud.notes import Notes, place
from handlers.log import logger
from handlers.wiring import Wiring
from planner.azure.usage import LOOK_BACK
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import say

log = logger(__name__)

FAR_BACK = timedelta(days=2)
"""How far back later reads go: the first one showed what was stopped earlier."""

PACE = 5
"""Poll intervals between two reads: the log is minutes behind, and its quota is small."""


async def since_planned(
    run: Run, observation: Observation, wiring: Wiring, *, planning: bool = False
) -> Mapping[str, str] | None:
    """Who stopped instances of the run since it was planned, by instance id: a name and a time.

    Instances that an earlier run left down may have been stopped long before: the first read goes that far.
    `planning`: a plan is about to be made, after which nobody asks about the time before it.

    None where nobody needs to know, or the log could not be read: then nobody is known to have stopped them.
    """
    off = {
        instance.id
        for instance in observation.instances or ()
        if instance.switched_off and instance.id not in run.fleet.stops
    }
    concerned, read_at = set(run.fleet.served), run.fleet.log_read_at
    if not planning:
        # A plan asks only about those that served: what was off all along needs no explanation.
        skipped = InstanceState.SKIPPED
        concerned |= {instance.id for instance in run.instances if instance.state is not skipped}
        if read_at is not None and observation.at - read_at < observation.poll_interval * PACE:
            return None
    if not off & concerned:
        return None
    notes = Notes(_since(run, observation), observation.at)
    compute = wiring.compute(run.target.subscription)
    try:
        await activity.stops(compute, notes)
    except AzureTrouble as error:
        log.info("run.stops_unread", extra={"scale_set": run.target.id, "why": error.sentence})
        return None
    return _named(run, notes, off)


def _since(run: Run, observation: Observation) -> datetime:
    read_at = run.fleet.log_read_at
    far = LOOK_BACK if read_at is None or observation.at - read_at > FAR_BACK else FAR_BACK
    begin = observation.at - far
    return begin if run.fleet.left_down and read_at is None else max(run.planned_at, begin)


def _named(run: Run, notes: Notes, off: set[str]) -> dict[str, str]:
    group = f"/subscriptions/{run.target.subscription}/resourceGroups/{run.target.resource_group}"
    machine = f"{group}/providers/Microsoft.Compute/virtualMachines"  # of a Flexible scale set
    machines = {f"{machine}/{instance}".lower(): run.target.id.lower() for instance in off}
    found: dict[str, str] = {}
    for stop in sorted(notes.stops, key=attrgetter("at")):
        where = place(stop.target, machines)
        if where is None or where[0] != run.target.id.lower() or not stop.by:
            continue
        named = {where[1]} if where[1] else {instance.lower() for instance in stop.instances}
        hit = [instance for instance in off if not named or instance.lower() in named]
        found |= dict.fromkeys(hit, f"{stop.by} at {say(stop.at)}")
    return found
