"""A new plan over the batches of a run: what has begun stays, what has not is taken from the plan."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import count

from planner.azure.fleet import Instance, natural
from planner.decision.decide import Decision
from planner.observe import evidence, left_to_azure
from planner.observe.batches import again_label
from planner.observe.outstanding import due_again
from planner.record.observation import Look
from planner.record.run import Batch, Passage, Run
from planner.record.states import SETTLED, TO_START, InstanceState


def merged(
    run: Run,
    instances: Sequence[Instance],
    decision: Decision,
    look: Look,
    now: datetime,
    gone: frozenset[str] = frozenset(),
) -> tuple[Batch, ...]:
    """Batches that have begun stay as they are; what has not is taken from the new plan.

    `look` is what the plan has read, `gone` are the instances that are certainly no more.
    """
    seen = {one.id: one for one in instances}
    back = {one.id for one in run.passages if one.id in seen and due_again(one, seen[one.id])}
    wanted = {one.id for part in decision.batches for one in part.instances}
    # What Azure is at work on is followed by looks to its end, and no plan takes it for done before.
    followed = left_to_azure.to_follow(run, now)
    kept: list[Batch] = []
    unclear: dict[str, Passage] = {}
    for batch in run.batches:
        stay = tuple(
            one
            for one in batch.instances
            if one.id not in back
            and (
                one.state in SETTLED
                or one.state not in TO_START
                or one.attempts
                or (followed and one.id not in wanted)
            )
        )
        # Nothing that was planned is forgotten: what shows no maintenance any more is settled here.
        staying = {one.id for one in stay}
        left = tuple(
            _without_maintenance(run, one, seen.get(one.id), look, now, gone=one.id in gone)
            for one in batch.instances
            if one.id not in staying and one.id not in wanted and one.id not in back
        )
        stay += tuple(one for one in left if one.state is not InstanceState.PENDING)
        unclear |= {one.id: one for one in left if one.state is InstanceState.PENDING}
        if stay:
            kept.append(replace(batch, instances=stay))
    return (*kept, *_planned_anew(run, decision, kept, back, unclear, now))


def _planned_anew(
    run: Run,
    decision: Decision,
    kept: Sequence[Batch],
    back: Collection[str],
    unclear: Mapping[str, Passage],
    now: datetime,
) -> Iterator[Batch]:
    """The batches of the new plan without what `kept` has: each instance with its back-off, if it has one."""
    has = {one.id for batch in kept for one in batch.instances}
    held = {
        one.id: (unclear.get(one.id, one), batch)
        for batch in run.batches
        for one in batch.instances
        if one.id not in back
    }
    before = {one.id: one for one in run.passages if one.id in back}
    numbers = count(max((one.number for one in kept), default=0) + 1)
    # Told now, so its own lead time counts from now.
    own = now + decision.rules.lead if run.lead_over is not None else None
    put_off: dict[tuple[int, int], list[Passage]] = {}
    for batch in _in_their_places(run, decision.batches, unclear):
        rest = [one for one in batch.instances if one.id not in has]
        known: list[Passage] = []
        waits: list[datetime] = []
        for one in rest:
            if one.id not in held:
                continue
            old, place = held[one.id]
            now_shown = replace(old, since=None, window=one.window, code=old.code or one.code)
            if place.retry or old.state is InstanceState.ASIDE:
                put_off.setdefault((place.number, batch.number), []).append(now_shown)
                continue
            known.append(now_shown)
            waits += [place.held_until] if place.held_until is not None else []
        fresh = [_with_back_off(one, before.get(one.id)) for one in rest if one.id not in held]
        if known:
            yield Batch(next(numbers), batch.domain, tuple(known), held_until=max(waits, default=None))
        for part in (
            [one for one in fresh if one.retry_at is None],
            [one for one in fresh if one.retry_at is not None],
        ):
            if part:
                again = part[0].retry_at is not None
                yield Batch(next(numbers), batch.domain, tuple(part), held_until=own, retry=again)
    domains = {one.number: one.domain for one in run.batches if one.retry}
    for (place_number, _), passages in put_off.items():
        domain = domains.get(place_number) or again_label(passages)
        yield Batch(next(numbers), domain, tuple(passages), retry=True)


def _with_back_off(passage: Passage, before: Passage | None) -> Passage:
    """An instance that is due again, after Azure had put it off: it waits on as if nothing had been."""
    if before is None or not before.retries:
        return passage
    return replace(passage, retries=before.retries, retry_at=before.retry_at)


def _in_their_places(run: Run, planned: Sequence[Batch], unclear: Mapping[str, Passage]) -> Sequence[Batch]:
    """The planned batches with what this plan could not see where it was: one look changes no order."""
    if not unclear:
        return planned
    result = list(planned)
    for place, batch in enumerate(run.batches):
        ours = [unclear[one.id] for one in batch.instances if one.id in unclear]
        if not ours:
            continue
        at = _first_with(result, {one.id for one in batch.instances})
        if at is not None:
            members = sorted((*result[at].instances, *ours), key=lambda one: natural(one.id))
            result[at] = replace(result[at], instances=tuple(members))
            continue
        later = {one.id for after in run.batches[place + 1 :] for one in after.instances}
        at = _first_with(result, later)
        result.insert(len(result) if at is None else at, Batch(0, batch.domain, tuple(ours)))
    return result


def _first_with(batches: Sequence[Batch], ids: Collection[str]) -> int | None:
    return next((at for at, one in enumerate(batches) if any(each.id in ids for each in one.instances)), None)


def _without_maintenance(
    run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime, *, gone: bool
) -> Passage:
    """What became of an instance that shows no maintenance any more; Azure's own work keeps its story."""
    if left_to_azure.to_follow(run, now):
        return left_to_azure.watched(run, passage, instance, look, now, gone=gone)
    return evidence.observed(run, passage, instance, look, now, gone=gone)
