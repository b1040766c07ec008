"""Who stopped what: asked of the activity log when an instance that served is switched off."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta

from handlers.cloud import activity
from handlers.cloud.errors import AzureTrouble
from handlers.cloud.notes import Notes, place
from handlers.wiring import Wiring
from planner.azure.usage import LOOK_BACK
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import say

log = logging.getLogger(__name__)

FAR_BACK = timedelta(days=2)
"""How far back it is read again: what was stopped earlier was in the answer before."""

PACE = 5
"""Poll intervals between two questions: the log is minutes behind, and its quota is small."""


async def since_planned(
    run: Run, observation: Observation, wiring: Wiring, *, planning: bool = False
) -> Mapping[str, str] | None:
    """Who stopped instances of the run since it was planned, by instance id: a name and a time.

    What an earlier run left down may have been stopped long before that: the first question asks so far back.
    `planning`: a plan is about to be made, after which nobody asks for what was before it.

    None where nobody has to know, or the log could not be read: then nobody is known to have stopped them.
    """
    off = {
        instance.id
        for instance in observation.instances or ()
        if instance.switched_off and instance.id not in run.fleet.stops
    }
    # A plan asks of those that served alone: what was off all along is nobody's to explain.
    open_ones = {instance.id for instance in run.instances if instance.state is not InstanceState.SKIPPED}
    if not off & (set(run.fleet.served) if planning else open_ones | set(run.fleet.served)):
        return None
    lately = (
        run.fleet.log_read_at is not None
        and observation.at - run.fleet.log_read_at < observation.poll_interval * PACE
    )
    if lately and not planning:
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
    asked = run.fleet.log_read_at
    far = LOOK_BACK if asked is None or observation.at - asked > FAR_BACK else FAR_BACK
    begin = observation.at - far
    return begin if run.fleet.left_down and asked is None else max(run.planned_at, begin)


def _named(run: Run, notes: Notes, off: set[str]) -> dict[str, str]:
    machines = {_machine(run, one): run.target.id.lower() for one in off}
    found: dict[str, str] = {}
    for stop in sorted(notes.stops, key=lambda one: one.at):
        where = place(stop.target, machines)
        if where is None or where[0] != run.target.id.lower() or not stop.by:
            continue
        named = {where[1]} if where[1] else {instance.lower() for instance in stop.instances}
        hit = [one for one in off if not named or one.lower() in named]
        found |= dict.fromkeys(hit, f"{stop.by} at {say(stop.at)}")
    return found


def _machine(run: Run, instance: str) -> str:
    """The id of a Flexible scale set's machine, in lower case."""
    one = run.target
    group = f"/subscriptions/{one.subscription}/resourcegroups/{one.resource_group}"
    return f"{group}/providers/microsoft.compute/virtualmachines/{instance}".lower()
