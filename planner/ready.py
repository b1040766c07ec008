"""Which instances of a batch may be started now, by what this look saw, and how many of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner.cause import Cause
from planner.fleet import Instance
from planner.gate import PlanAgain, Wait, to_start
from planner.look import Look
from planner.run import (
    IN_FLIGHT,
    SETTLED,
    Batch,
    InstanceState,
    Passage,
)
from planner.schedule import most_down, together


def without_excused(batch: Batch, look: Look, now: datetime) -> Batch:
    """Protected, switched-off and not offered instances are not started and hold up nobody."""
    seen = {one.id: one for one in look.instances or ()}
    accepted = look.rules.accept if look.rules is not None else ()
    passages: list[Passage] = []
    for passage in batch.instances:
        instance = seen.get(passage.id)
        why, passing = "", False
        if to_start(passage) and instance is not None and instance.maintenance is not None:
            window = instance.maintenance.self_service
            if instance.protected and "protection" not in accepted:
                why = "it is protected from scale-set actions"
            elif instance.switched_off:
                why, passing = f"it is {instance.power}, so there is nothing to reboot", True
            elif not instance.maintenance.allowed and (window is None or now in window):
                why = "Azure does not offer self-service for it and maintains it in its own window"
                passing = True
        excused = replace(
            passage, state=InstanceState.EXCUSED, reason=f"Excused: {why}.", finished_at=now, gone=passing
        )
        passages.append(excused if why else passage)
    return replace(batch, instances=tuple(passages))


def startable(batch: Batch, look: Look, now: datetime) -> dict[str, Instance]:
    """The instances to start, by id: allowed now, inside their own window, running."""
    seen = {one.id: one for one in look.instances or ()}
    ready: dict[str, Instance] = {}
    for passage in batch.instances:
        instance = seen.get(passage.id)
        if not to_start(passage) or instance is None or instance.maintenance is None:
            continue
        if passage.since is not None and passage.since > now:
            continue
        status = instance.maintenance
        inside = status.self_service is not None and now in status.self_service
        if status.allowed and inside and not status.unreadable and instance.running and not instance.busy:
            ready[passage.id] = instance
    return ready


def of_one_domain(batch: Batch, ready: dict[str, Instance], look: Look) -> dict[str, Instance]:
    """What of `ready` may go down with the rest of its batch; nothing where a new plan has to say.

    An instance that was deallocated and came back can be in another domain than when it was planned.
    """
    if look.scale_set is None:
        return {}
    seen = {one.id: one for one in look.instances or ()}
    left = [seen[one.id] for one in batch.instances if one.state not in SETTLED and one.id in seen]
    domains = {one.id: together(look.scale_set, one) for one in left}
    if len(set(domains.values())) < 2:
        return ready
    if batch.started_at is None:
        return {}
    # Under way already: only what shares the domain of those that were started, or else the first of them.
    first = next((one.id for one in batch.instances if one.state in IN_FLIGHT), next(iter(ready)))
    return {key: one for key, one in ready.items() if domains[key] == domains.get(first)}


def room(batch: Batch, instances: Sequence[Instance], look: Look) -> int | Wait | PlanAgain:
    """How many of the batch may be started; instances down for any cause count against max-unavailable."""
    if look.scale_set is None or look.rules is None:
        return 0
    left = [passage for passage in batch.instances if passage.state not in SETTLED]
    mine = {passage.id for passage in left}
    running = sum(one.running for one in instances) + sum(
        1 for one in instances if one.id in mine and not one.running and not one.switched_off
    )
    allowed = most_down(look.scale_set, look.rules, running, max(1, len(batch.instances)))
    down = sum(1 for one in instances if one.id not in mine and not one.running and not one.switched_off)
    if batch.started_at is not None:
        # Under way already: as many more as there is room for, the rest in a later look.
        more = allowed - down - sum(not to_start(passage) for passage in left)
        if more > 0:
            return more
        return Wait(f"{allowed} instances may be down at once, no more for now", cause=Cause.ROOM)
    if len(mine) > allowed:
        return PlanAgain(
            f"only {allowed} of {running} instances may be down at once and the batch has {len(mine)}"
        )
    if down + len(mine) > allowed:
        return Wait(f"{down} other instances are down and {allowed} may be down at once", cause=Cause.ROOM)
    return allowed
