"""The batches of a run after a poll: what became of their instances, and how each batch stands."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from planner.azure.fleet import Instance, Interval
from planner.observe import evidence
from planner.observe.confirmation import STATUS, matured
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import IN_FLIGHT, SETTLED, BatchState, InstanceState, transition
from planner.state.journal import with_entry


def observed(run: Run, observation: Observation, now: datetime, gone: frozenset[str] = frozenset()) -> Run:
    """The run after a poll that read Azure: every instance, and how each batch stands.

    `gone` are the instances that are certainly no more.
    """
    seen: dict[str, Instance] = {instance.id: instance for instance in observation.instances or ()}
    batches: list[Batch] = []
    aside: list[InstanceProgress] = []
    for batch in run.batches:
        instances = [
            evidence.observed(
                run, instance, seen.get(instance.id), observation, now, gone=instance.id in gone
            )
            for instance in batch.instances
        ]
        apart = _goes_apart(batch, instances)
        if not apart and all(one is old for one, old in zip(instances, batch.instances, strict=True)):
            # Most batches of a large set are done or still to come: what did not change is not copied.
            batches.append(standing(batch, now))
            continue
        if apart:
            aside += [instance for instance in instances if instance.state is InstanceState.ASIDE]
            instances = [instance for instance in instances if instance.state is not InstanceState.ASIDE]
        if instances:
            batches.append(standing(replace(batch, instances=tuple(instances)), now))
    number = max((one.number for one in run.batches), default=0)
    for progress in aside:
        number += 1
        batches.append(
            Batch(
                number,
                again_label([progress]),
                (progress,),
                retry=True,
            )
        )
    changed = replace(run, batches=tuple(batches))
    by_number = {one.number: one for one in batches}
    for old in run.batches:
        new = by_number.get(old.number)
        if (
            new is not None
            and new.state is not old.state
            and new.state in {BatchState.SOAKING, BatchState.DONE}
        ):
            changed = with_entry(
                changed, f"batch {new.number} {new.state}", f"{new.domain}: {counted(new.instances)}", now
            )
    return _over_at_window_end(changed, seen, observation, now)


def _goes_apart(batch: Batch, instances: Sequence[InstanceProgress]) -> bool:
    """Whether some of a batch under way is put off: tried again in a batch of its own it holds up nothing."""
    put_off = [instance.state is InstanceState.ASIDE for instance in instances]
    return batch.state is not BatchState.PENDING and any(put_off) and not all(put_off)


def standing(batch: Batch, now: datetime) -> Batch:
    """The batch's state from its instances'."""
    states = {instance.state for instance in batch.instances}
    if InstanceState.FAILED in states:
        # Also of one that was done: what has stopped serving since is watched and soaks again.
        return replace(batch, state=transition(batch.state, BatchState.FAILED), finished_at=None)
    if batch.state is BatchState.DONE:
        return batch
    if states & IN_FLIGHT:
        for state, name in (
            (InstanceState.STARTING, BatchState.STARTING),
            (InstanceState.REBOOTING, BatchState.REBOOTING),
        ):
            if state in states:
                return replace(batch, state=transition(batch.state, name))
        return replace(batch, state=transition(batch.state, BatchState.VERIFYING))
    if states <= SETTLED:
        begun = any(
            instance.begun or instance.state is InstanceState.MAINTAINED for instance in batch.instances
        )
        if batch.started_at is None or not begun:
            return replace(
                batch, state=transition(batch.state, BatchState.DONE), finished_at=batch.finished_at or now
            )
        if batch.state is BatchState.SOAKING:
            return batch
        return replace(batch, state=transition(batch.state, BatchState.SOAKING), verified_at=now)
    if states == {InstanceState.ASIDE}:
        return replace(batch, state=transition(batch.state, BatchState.PENDING), retry=True)
    return batch


def soaked(run: Run, now: datetime) -> Run:
    """Batches whose soak is over are done; the last one needs no soak."""
    if all(one.state is not BatchState.SOAKING for one in run.batches):
        return run
    over = run.settled

    def rested(batch: Batch) -> Batch:
        if batch.state is not BatchState.SOAKING or batch.verified_at is None:
            return batch
        if over or now >= batch.verified_at + run.terms.soak:
            return replace(batch, state=transition(batch.state, BatchState.DONE), finished_at=now)
        return batch

    return replace(run, batches=tuple(map(rested, run.batches)))


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
        words = "The self-service window has closed; a person must look at it."
        return replace(
            progress,
            state=transition(progress.state, InstanceState.MISSED),
            reason=f"{progress.reason} {words}",
            finished_at=now,
        )

    batches = tuple(
        standing(replace(batch, instances=tuple(map(settled, batch.instances))), now) for batch in run.batches
    )
    return replace(run, batches=batches)


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
        instance is not None and not instance.unreadable and matured(progress, STATUS, observation)
    )
    if shown_without:
        return run.times.self_service is not None and now >= run.times.self_service.end
    windows = known_windows(run, progress)
    return bool(windows) and all(now >= window.end for window in windows)


def known_windows(run: Run, progress: InstanceProgress) -> list[Interval]:
    """The self-service windows on record that concern it: the run's, its own, and that before its start."""
    recorded = progress.before.self_service if progress.before is not None else None
    return [one for one in (run.times.self_service, progress.window, recorded) if one is not None]


def again_label(instances: Sequence[InstanceProgress]) -> str:
    """What people call a batch of what Azure has put off."""
    ids = [instance.id for instance in instances]
    if len(ids) > 2:
        return f"instances {ids[0]} to {ids[-1]} ({len(ids)}), again"
    return f"{'instance' if len(ids) == 1 else 'instances'} {', '.join(ids)}, again"


def counted(instances: Sequence[InstanceProgress]) -> str:
    """How many instances stand where, in words: `3 maintained, 1 skipped`."""
    counts = Counter(instance.state for instance in instances)
    return ", ".join(f"{number} {state_words(state)}" for state, number in counts.items())


def state_words(state: InstanceState) -> str:
    """An instance's state as it is said to people."""
    return {InstanceState.BY_AZURE: "by Azure", InstanceState.ASIDE: "set aside"}.get(state, state.value)
