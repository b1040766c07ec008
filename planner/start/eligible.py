"""Which instances of a batch may be started now, by what this look saw, and how many of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner.azure.fleet import Instance, natural
from planner.observe.batches import standing
from planner.observe.confirmation import NOT_OFFERED, PROTECTED, STOPPED, cleared, confirmed, sighted
from planner.policy.overrides import accepted_instances
from planner.record.cause import Cause
from planner.record.observation import Look
from planner.record.run import Batch, Passage, Run
from planner.record.states import IN_FLIGHT, SETTLED, InstanceState, transition
from planner.schedule.capacity import lost
from planner.schedule.schedule import most_down, together
from planner.start.gate import PlanAgain, Wait, to_start
from planner.text.phrases import some


def excused(run: Run, look: Look, now: datetime) -> Run:
    """The run with what its batches need not wait for: protected, switched off, not offered by Azure.

    One look is no proof: an instance is excused when a second one, a poll later, shows the same.
    """
    if look.instances is None or look.rules is None:
        return run
    accepted = look.rules.accept
    batches = tuple(
        standing(_without_excused(one, look, accepted, now), now)
        if any(map(to_start, one.instances))
        else one
        for one in run.batches
    )
    return replace(run, batches=batches)


def _without_excused(batch: Batch, look: Look, accepted: Sequence[str], now: datetime) -> Batch:
    seen = {one.id: one for one in look.instances or ()}
    passages: list[Passage] = []
    for passage in batch.instances:
        instance = seen.get(passage.id)
        # What may be done already is to be confirmed first.
        open_question = passage.sighting is not None and passage.sighting.what not in _EXCUSES
        asks = to_start(passage) and instance is not None and not open_question
        found = _excuse(instance, accepted, now) if asks and instance is not None else None
        if found is None:
            settles = passage.sighting is not None and passage.sighting.what in _EXCUSES
            back = replace(cleared(passage), reason="It may be started again.")
            passages.append(back if settles else passage)
            continue
        what, why = found
        if not confirmed(passage, what, look):
            words = f"Not started: {why}. Excused when the next look shows the same."
            passages.append(sighted(passage, what, look, words))
            continue
        passages.append(
            replace(
                passage,
                state=transition(passage.state, InstanceState.EXCUSED),
                reason=f"Excused: {why}.",
                finished_at=now,
                gone=what != PROTECTED,
                sighting=None,
            )
        )
    return replace(batch, instances=tuple(passages))


_EXCUSES = frozenset({STOPPED, PROTECTED, NOT_OFFERED})


def _excuse(instance: Instance, accepted: Sequence[str], now: datetime) -> tuple[str, str] | None:
    """What keeps an instance from being started for good, and why; None when it may be started."""
    status = instance.status
    if status is None:
        return None
    window = status.self_service
    if instance.protected and "protection" not in accepted:
        return PROTECTED, "it is protected from scale-set actions"
    if instance.switched_off:
        return STOPPED, f"it is {instance.power}, so there is nothing to reboot"
    if not status.allowed and (window is None or now in window):
        return NOT_OFFERED, "Azure does not offer self-service for it and maintains it in its own window"
    return None


def startable(batch: Batch, look: Look, now: datetime) -> dict[str, Instance]:
    """The instances to start, by id: allowed now, inside their own window, running."""
    seen = {one.id: one for one in look.instances or ()}
    ready: dict[str, Instance] = {}
    for passage in batch.instances:
        instance = seen.get(passage.id)
        status = instance.status if instance is not None else None
        if not to_start(passage) or instance is None or status is None or passage.sighting is not None:
            continue
        if _excuse(instance, look.rules.accept if look.rules is not None else (), now) is not None:
            continue
        if passage.retry_at is not None and passage.retry_at > now:
            continue
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


def room(run: Run, batch: Batch, instances: Sequence[Instance], look: Look) -> int | Wait | PlanAgain:
    """How many of the batch may be started; instances down for any cause count against max-unavailable.

    Whatever served when the run was planned and does not now is down, stopped by nobody known included.
    """
    if look.scale_set is None or look.rules is None:
        return 0
    left = [passage for passage in batch.instances if passage.state not in SETTLED]
    mine = {passage.id for passage in left}
    running = sum(one.running for one in instances) + sum(
        1 for one in instances if one.id in mine and not one.running and not one.switched_off
    )
    allowed = most_down(look.scale_set, look.rules, running, max(1, len(batch.instances)))
    others = {one.id for one in instances if one.id not in mine and not one.running and not one.switched_off}
    ill = others | (lost(run, instances, accepted_instances(look.rules.accept)) - mine)
    down = len(ill)
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
        others_down = "1 other instance is" if down == 1 else f"{down} other instances are"
        names = some(sorted(ill, key=natural), most=3)
        return Wait(f"{others_down} down ({names}) and {allowed} may be down at once", cause=Cause.ROOM)
    return allowed
