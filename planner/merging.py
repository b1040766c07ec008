"""A new plan over the batches of a run: what has begun stays, what has not is taken from the plan."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from planner import evidence, following
from planner.decide import Decision
from planner.fleet import Instance, natural
from planner.look import Look
from planner.outstanding import due_again
from planner.run import SETTLED, Batch, BatchState, InstanceState, Passage, Run


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
    followed = following.to_follow(run, now)
    kept: list[Batch] = []
    unclear: dict[str, Passage] = {}
    for batch in run.batches:
        stay = tuple(
            one
            for one in batch.instances
            if one.id not in back
            and (
                one.state in SETTLED
                or one.state not in {InstanceState.PENDING, InstanceState.ASIDE}
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
    has = {one.id for batch in kept for one in batch.instances}
    held = {
        one.id: (unclear.get(one.id, one), batch.held_until)
        for batch in run.batches
        for one in batch.instances
        if one.id not in back
    }
    number = max((one.number for one in kept), default=0)
    merged = list(kept)
    for batch in _in_their_places(run, decision.batches, unclear):
        rest = [one for one in batch.instances if one.id not in has]
        known = tuple(
            replace(held[one.id][0], since=None, window=one.window, code=held[one.id][0].code or one.code)
            for one in rest
            if one.id in held
        )
        fresh = tuple(one for one in rest if one.id not in held)
        if known:
            number += 1
            waits = [held[one.id][1] for one in known]
            until = max((one for one in waits if one is not None), default=None)
            merged.append(Batch(number, batch.domain, known, BatchState.PENDING, held_until=until))
        if fresh:
            number += 1
            # Told now, so its own lead time counts from now.
            own = now + decision.rules.lead if run.lead_over is not None else None
            merged.append(Batch(number, batch.domain, fresh, BatchState.PENDING, held_until=own))
    return tuple(merged)


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
    if following.to_follow(run, now):
        return following.watched(run, passage, instance, look, now, gone=gone)
    return evidence.observed(run, passage, instance, look, now, gone=gone)
