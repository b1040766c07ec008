"""The batches of a run after a poll: what became of their instances, and how each batch stands."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from planner.azure.fleet import Instance, Interval
from planner.observe import evidence, not_started
from planner.observe.confirmation import matured
from planner.observe.settle import settle
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import SETTLED, BatchState, InstanceState, transition
from planner.state.change import with_batches
from planner.words import batches as words
from planner.words.instances import for_a_person

AS_INSTANCES = {
    InstanceState.STARTING: BatchState.STARTING,
    InstanceState.REBOOTING: BatchState.REBOOTING,
    InstanceState.VERIFYING: BatchState.VERIFYING,
}
"""A batch under way stands where the instance stands that has come least far."""


def observed(run: Run, observation: Observation, now: datetime, gone: frozenset[str] = frozenset()) -> Run:
    """The run after a poll that read Azure: every instance, and how each batch stands.

    `gone` are the instances that are certainly no more.
    """
    seen: dict[str, Instance] = {instance.id: instance for instance in observation.instances or ()}

    def seen_now(progress: InstanceProgress) -> InstanceProgress:
        found = seen.get(progress.id)
        return evidence.observed(run, progress, found, observation, now, gone=progress.id in gone)

    batches: list[Batch] = []
    aside: list[InstanceProgress] = []
    for planned in run.batches:
        if _undisturbed(run, planned, seen, observation, now):
            batches.append(planned)
            continue
        batch = planned.each(seen_now)
        put_off = _put_off(batch)
        aside += put_off
        left = tuple(instance for instance in batch.instances if instance not in put_off)
        if left:
            batches.append(standing(replace(batch, instances=left) if put_off else batch, now))
    number = max((batch.number for batch in run.batches), default=0)
    batches += [
        Batch(place, again_label([instance]), (instance,), retry=True)
        for place, instance in enumerate(aside, number + 1)
    ]
    return _over_at_window_end(with_batches(run, batches, now), seen, observation, now)


def _undisturbed(
    run: Run, batch: Batch, seen: Mapping[str, Instance], observation: Observation, now: datetime
) -> bool:
    """Whether this poll plainly shows nothing new of a batch that is done, or has not begun."""
    if batch.state is BatchState.DONE:
        return all(evidence.undisturbed(run, each, seen.get(each.id)) for each in batch.instances)
    return batch.state is BatchState.PENDING and all(
        not_started.undisturbed(each, seen.get(each.id), observation, now) for each in batch.instances
    )


def _put_off(batch: Batch) -> list[InstanceProgress]:
    """What Azure has put off of a batch under way: tried again in a batch of its own it holds up nothing."""
    put_off = [instance for instance in batch.instances if instance.state is InstanceState.ASIDE]
    apart = batch.state is not BatchState.PENDING and len(put_off) < len(batch.instances)
    return put_off if apart else []


def standing(batch: Batch, now: datetime) -> Batch:
    """The batch in the state that follows from its instances'."""
    states = {instance.state for instance in batch.instances}
    if InstanceState.FAILED in states:
        # Also of one that was done: what has stopped serving since is watched and soaks again.
        return replace(batch, state=transition(batch.state, BatchState.FAILED), finished_at=None)
    if batch.state is BatchState.DONE:
        return batch
    under_way = [state for instance, state in AS_INSTANCES.items() if instance in states]
    if under_way:
        return replace(batch, state=transition(batch.state, under_way[0]))
    if states <= SETTLED:
        ours = any(
            instance.begun or instance.state is InstanceState.MAINTAINED for instance in batch.instances
        )
        if batch.started_at is None or not ours:
            return _done(batch, batch.finished_at or now)
        if batch.state is BatchState.SOAKING:
            return batch
        return replace(batch, state=transition(batch.state, BatchState.SOAKING), verified_at=now)
    if states == {InstanceState.ASIDE}:
        return replace(batch, state=transition(batch.state, BatchState.PENDING), retry=True)
    return batch


def _done(batch: Batch, at: datetime) -> Batch:
    return replace(batch, state=transition(batch.state, BatchState.DONE), finished_at=at)


def soaked(run: Run, now: datetime) -> Run:
    """Batches whose soak is over are done; the last one needs no soak."""
    if all(batch.state is not BatchState.SOAKING for batch in run.batches):
        return run
    over = run.settled

    def rested(batch: Batch) -> Batch:
        if batch.state is not BatchState.SOAKING or batch.verified_at is None:
            return batch
        return _done(batch, now) if over or now >= batch.verified_at + run.terms.soak else batch

    return with_batches(run, [rested(batch) for batch in run.batches], now)


def _over_at_window_end(
    run: Run, seen: Mapping[str, Instance], observation: Observation, now: datetime
) -> Run:
    """With the window closed nothing can be tried again: a failed instance is what it is."""
    unsettled = [instance for instance in run.instances if not instance.settled]
    if not unsettled or any(instance.state is not InstanceState.FAILED for instance in unsettled):
        return run
    if not all(_closed(run, instance, seen.get(instance.id), observation, now) for instance in unsettled):
        return run

    def settled(progress: InstanceProgress) -> InstanceProgress:
        if progress.state is not InstanceState.FAILED:
            return progress
        # Maintained or not, it does not serve: whoever goes after this scale set has to ask a person.
        reason = for_a_person(progress.reason)
        return settle(progress, InstanceState.MISSED, reason, now, gone=progress.gone)

    return with_batches(run, [standing(batch.each(settled), now) for batch in run.batches], now)


def _closed(
    run: Run, progress: InstanceProgress, instance: Instance | None, observation: Observation, now: datetime
) -> bool:
    """Whether its self-service window is over: the one Azure shows for it, or the run's where it shows none.

    While Azure does not show it, every window known of it has to be over.
    """
    status = instance.status if instance is not None else None
    if status is not None and status.self_service is not None:
        return now >= status.self_service.end
    shown_without = (
        instance is not None and not instance.unreadable and matured(progress, Sight.STATUS, observation)
    )
    if shown_without:
        return run.times.self_service is not None and now >= run.times.self_service.end
    windows = known_windows(run, progress)
    return bool(windows) and all(now >= window.end for window in windows)


def known_windows(run: Run, progress: InstanceProgress) -> list[Interval]:
    """The self-service windows on record that concern it: the run's, its own, and that before its start."""
    recorded = progress.before.self_service if progress.before is not None else None
    return [window for window in (run.times.self_service, progress.window, recorded) if window is not None]


def again_label(instances: Sequence[InstanceProgress]) -> str:
    """What people call a batch of what Azure has put off."""
    return words.again([instance.id for instance in instances])
