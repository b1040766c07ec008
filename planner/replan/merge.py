"""A new plan over the batches of a run: what has begun stays, what has not is taken from the plan."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count

from planner.azure.fleet import Instance, natural
from planner.decision.decide import Decision
from planner.observe import evidence, left_to_azure
from planner.observe.batches import again_label
from planner.observe.outstanding import due_again
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState


def merged(
    run: Run,
    instances: Sequence[Instance],
    decision: Decision,
    observation: Observation,
    now: datetime,
    gone: frozenset[str] = frozenset(),
) -> tuple[Batch, ...]:
    """Batches that have begun stay as they are; what has not is taken from the new plan.

    `observation` is what the plan has read, `gone` are the instances that are certainly no more.
    """
    seen = {instance.id: instance for instance in instances}
    back = {
        instance.id
        for instance in run.instances
        if instance.id in seen and due_again(instance, seen[instance.id])
    }
    wanted = {instance.id for part in decision.batches for instance in part.instances}
    # What Azure is at work on is followed by polls to its end, and no plan takes it for done before.
    followed = left_to_azure.to_follow(run, now)
    kept: list[Batch] = []
    unclear: dict[str, InstanceProgress] = {}
    for batch in run.batches:
        stay = tuple(
            instance
            for instance in batch.instances
            if instance.id not in back
            and (
                instance.settled
                or not instance.waiting
                or instance.attempts
                or (followed and instance.id not in wanted)
            )
        )
        # Nothing that was planned is forgotten: what shows no maintenance any more is settled here.
        staying = {instance.id for instance in stay}
        left = tuple(
            _without_maintenance(
                run, instance, seen.get(instance.id), observation, now, gone=instance.id in gone
            )
            for instance in batch.instances
            if instance.id not in staying and instance.id not in wanted and instance.id not in back
        )
        stay += tuple(instance for instance in left if instance.state is not InstanceState.PENDING)
        unclear |= {instance.id: instance for instance in left if instance.state is InstanceState.PENDING}
        if stay:
            kept.append(replace(batch, instances=stay))
    return (*kept, *_planned_anew(run, decision, kept, back, unclear, now))


def _planned_anew(
    run: Run,
    decision: Decision,
    kept: Sequence[Batch],
    back: Collection[str],
    unclear: Mapping[str, InstanceProgress],
    now: datetime,
) -> Iterator[Batch]:
    """The batches of the new plan without what `kept` has: each instance with its back-off, if it has one."""
    has = {instance.id for batch in kept for instance in batch.instances}
    held = {
        instance.id: (unclear.get(instance.id, instance), batch)
        for batch in run.batches
        for instance in batch.instances
        if instance.id not in back
    }
    before = {instance.id: instance for instance in run.instances if instance.id in back}
    numbers = count(max((batch.number for batch in kept), default=0) + 1)
    # Told now, so its own lead time counts from now.
    own = now + decision.rules.lead if run.times.lead_over is not None else None
    put_off: dict[tuple[int, int], list[InstanceProgress]] = {}
    for batch in _in_their_places(run, decision.batches, unclear):
        rest = [instance for instance in batch.instances if instance.id not in has]
        known: list[InstanceProgress] = []
        waits: list[datetime] = []
        for instance in rest:
            if instance.id not in held:
                continue
            old, place = held[instance.id]
            code = old.code or instance.code
            now_shown = replace(_still_due(old, unclear), since=None, window=instance.window, code=code)
            if place.retry or old.state is InstanceState.ASIDE:
                put_off.setdefault((place.number, batch.number), []).append(now_shown)
                continue
            known.append(now_shown)
            waits += [place.held_until] if place.held_until is not None else []
        if known:
            yield Batch(next(numbers), batch.domain, tuple(known), held_until=max(waits, default=None))
        fresh = [_with_back_off(each, before.get(each.id)) for each in rest if each.id not in held]
        for again in (False, True):
            part = tuple(each for each in fresh if (each.retry_at is not None) is again)
            if part:
                yield Batch(next(numbers), batch.domain, part, held_until=own, retry=again)
    domains = {batch.number: batch.domain for batch in run.batches if batch.retry}
    for (place_number, _), instances in put_off.items():
        domain = domains.get(place_number) or again_label(instances)
        yield Batch(next(numbers), domain, tuple(instances), retry=True)


def _still_due(progress: InstanceProgress, unclear: Collection[str]) -> InstanceProgress:
    """The instance as this plan shows it: a status that is there contradicts the poll that did not see it."""
    seen = progress.sighting
    contradicted = seen is not None and seen.what is Sight.STATUS and progress.id not in unclear
    return replace(progress, sighting=None) if contradicted else progress


def _with_back_off(progress: InstanceProgress, before: InstanceProgress | None) -> InstanceProgress:
    """An instance that is due again, after Azure had put it off: it waits on as if nothing had been."""
    if before is None or not before.retries:
        return progress
    return replace(progress, retries=before.retries, retry_at=before.retry_at)


def _in_their_places(
    run: Run, planned: Sequence[Batch], unclear: Mapping[str, InstanceProgress]
) -> Sequence[Batch]:
    """The planned batches with what this plan could not see where it was: one poll changes no order."""
    if not unclear:
        return planned
    result = list(planned)
    for place, batch in enumerate(run.batches):
        ours = [unclear[instance.id] for instance in batch.instances if instance.id in unclear]
        if not ours:
            continue
        at = _first_with(result, {instance.id for instance in batch.instances})
        if at is not None:
            members = sorted((*result[at].instances, *ours), key=lambda instance: natural(instance.id))
            result[at] = replace(result[at], instances=tuple(members))
            continue
        later = {instance.id for after in run.batches[place + 1 :] for instance in after.instances}
        at = _first_with(result, later)
        result.insert(len(result) if at is None else at, Batch(0, batch.domain, tuple(ours)))
    return result


def _first_with(batches: Sequence[Batch], ids: Collection[str]) -> int | None:
    members = ({instance.id for instance in batch.instances} for batch in batches)
    return next((at for at, names in enumerate(members) if not names.isdisjoint(ids)), None)


def _without_maintenance(
    run: Run,
    progress: InstanceProgress,
    instance: Instance | None,
    observation: Observation,
    now: datetime,
    *,
    gone: bool,
) -> InstanceProgress:
    """What became of an instance that shows no maintenance any more; Azure's own work keeps its story."""
    if left_to_azure.to_follow(run, now):
        return left_to_azure.watched(run, progress, instance, observation, now, gone=gone)
    return evidence.observed(run, progress, instance, observation, now, gone=gone)
