"""Which instances of a batch may be started now, by what this poll saw, and how many of them."""

from collections.abc import Sequence
from datetime import datetime

from planner.azure.fleet import Instance, domain_of, natural
from planner.observe.batches import standing
from planner.observe.confirmation import confirmed, sighted
from planner.observe.settle import settle
from planner.policy.model import CheckName
from planner.policy.overrides import accepted_instances
from planner.record.batch import Batch
from planner.record.cause import Cause
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.schedule.batching import most_down
from planner.schedule.capacity import lost
from planner.start.gate import PlanAgain, Wait
from planner.state.change import with_batches
from planner.text.phrases import some, upper


def skipped(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with what its batches need not wait for: protected, switched off, not offered by Azure.

    One poll is no proof: an instance is skipped when a second one, a poll later, shows the same.
    """
    if observation.instances is None or observation.rules is None:
        return run
    accepted = observation.rules.accept
    seen = {instance.id: instance for instance in observation.instances}

    def judged(progress: InstanceProgress) -> InstanceProgress:
        instance = seen.get(progress.id)
        doubted = progress.sighting is not None and progress.sighting.what in _SKIPS
        # What may be done already is to be confirmed first.
        asks = progress.waiting and (progress.sighting is None or doubted)
        found = _skip_reason(instance, accepted, now) if asks and instance is not None else None
        if found is None and doubted:
            return replace(progress, sighting=None, reason="It may be started again.")
        if found is None:
            return progress
        what, why = found
        if confirmed(progress, what, observation):
            return settle(
                progress, InstanceState.SKIPPED, f"{upper(why)}.", now, gone=what != Sight.PROTECTED
            )
        words = f"Not started: {why}. Skipped when the next poll shows the same."
        return sighted(progress, what, observation, words)

    batches = [standing(batch.each(judged), now) if batch.waiting else batch for batch in run.batches]
    return with_batches(run, batches, now)


_SKIPS = frozenset({Sight.STOPPED, Sight.PROTECTED, Sight.NOT_OFFERED})


def _skip_reason(instance: Instance, accepted: Sequence[str], now: datetime) -> tuple[Sight, str] | None:
    """What keeps an instance from being started for good, and why; None when it may be started."""
    status = instance.status
    if status is None:
        return None
    window = status.self_service
    if instance.protected and CheckName.PROTECTION not in accepted:
        return Sight.PROTECTED, "it is protected from scale-set actions"
    if instance.switched_off:
        return Sight.STOPPED, f"it is {instance.power}, so there is nothing to reboot"
    if not status.allowed and (window is None or now in window):
        return (
            Sight.NOT_OFFERED,
            "Azure does not offer self-service for it and reboots it in its own window",
        )
    return None


def startable(batch: Batch, observation: Observation, now: datetime) -> dict[str, Instance]:
    """The instances to start, by id: allowed now, inside their own window, running."""
    seen = {instance.id: instance for instance in observation.instances or ()}
    accepted = observation.rules.accept if observation.rules is not None else ()
    ready: dict[str, Instance] = {}
    for progress in batch.instances:
        instance = seen.get(progress.id)
        status = instance.status if instance is not None else None
        if not progress.waiting or instance is None or status is None or progress.sighting is not None:
            continue
        backs_off = progress.retry_at is not None and progress.retry_at > now
        if backs_off or _skip_reason(instance, accepted, now) is not None:
            continue
        inside = status.self_service is not None and now in status.self_service
        if status.allowed and inside and not status.unreadable and instance.running and not instance.busy:
            ready[progress.id] = instance
    return ready


def of_one_domain(batch: Batch, ready: dict[str, Instance], observation: Observation) -> dict[str, Instance]:
    """What of `ready` may go down with the rest of its batch; nothing where a new plan has to say.

    An instance that was deallocated and came back can be in another domain than when it was planned.
    """
    if observation.scale_set is None:
        return {}
    seen = {instance.id: instance for instance in observation.instances or ()}
    left = [seen[instance.id] for instance in batch.instances if not instance.settled and instance.id in seen]
    domains = {instance.id: domain_of(observation.scale_set, instance) for instance in left}
    if len(set(domains.values())) < 2:
        return ready
    if batch.started_at is None:
        return {}
    # Under way already: only what shares the domain of those that were started, or else the first of them.
    first = next((instance.id for instance in batch.instances if instance.in_flight), next(iter(ready)))
    return {key: instance for key, instance in ready.items() if domains[key] == domains.get(first)}


def room(
    run: Run, batch: Batch, instances: Sequence[Instance], observation: Observation
) -> int | Wait | PlanAgain:
    """How many of the batch may be started; instances down for any cause count against max-unavailable.

    Whatever served when the run was planned and does not now is down, stopped by nobody known included.
    """
    if observation.scale_set is None or observation.rules is None:
        return 0
    left = [progress for progress in batch.instances if not progress.settled]
    mine = {progress.id for progress in left}
    down = {each.id for each in instances if not each.running and not each.switched_off}
    running = sum(instance.running for instance in instances) + len(down & mine)
    allowed = most_down(observation.scale_set, observation.rules, running, max(1, len(batch.instances)))
    others = down - mine
    ill = others | (lost(run, instances, accepted_instances(observation.rules.accept)) - mine)
    if batch.started_at is not None:
        # Under way already: as many more as there is room for, the rest in a later poll.
        more = allowed - len(ill) - sum(not progress.waiting for progress in left)
        if more > 0:
            return more
        return Wait(f"{allowed} instances may be down at once, no more for now", cause=Cause.ROOM)
    if len(mine) > allowed:
        return PlanAgain(
            f"only {allowed} of {running} instances may be down at once and the batch has {len(mine)}"
        )
    if len(ill) + len(mine) > allowed:
        others_down = "1 other instance is" if len(ill) == 1 else f"{len(ill)} other instances are"
        names = some(sorted(ill, key=natural), most=3)
        return Wait(f"{others_down} down ({names}) and {allowed} may be down at once", cause=Cause.ROOM)
    return allowed
