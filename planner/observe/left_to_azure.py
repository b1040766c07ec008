"""What was left to Azure is followed to its end: when, in what order, how long, and healthy afterwards.

Nothing is started here. Times are those of our polls: `down_at` is the first poll that saw an instance down,
`up_at` the first that saw it serve again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.azure.fleet import Instance, ResultCode
from planner.observe.absence import unclear
from planner.observe.confirmation import cleared, confirmed, sighted
from planner.observe.settle import deleted, settle
from planner.policy.health import describe, serving
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight, counted
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState, transition
from planner.schedule.capacity import left_behind
from planner.state.change import with_batches
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.phrases import long, many, say

HANDS_OFF_AGAIN = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""When a hands-off run is planned again: after 15 minutes, an hour, then every six hours."""

UNTOUCHED = (
    "The run is over and Breakwater does nothing more here: what is unhealthy stays so until somebody "
    "looks at it."
)

SELDOM = 5
"""Poll intervals between polls in Azure's window while nothing is down."""


def to_follow(run: Run, now: datetime) -> bool:
    """Whether Azure may be maintaining instances of this run just now."""
    if run.state is not RunState.LEFT_TO_AZURE or run.times.scheduled is None:
        return False
    return now >= run.times.scheduled.start and not run.settled


def planned_again(run: Run) -> datetime:
    """When a hands-off run wants a new plan."""
    return run.planned_at + HANDS_OFF_AGAIN[min(run.polls, len(HANDS_OFF_AGAIN) - 1)]


def due(run: Run, now: datetime) -> datetime:
    """When a hands-off run is polled next: at once in Azure's window, else for a new plan."""
    if to_follow(run, now):
        return now
    again = planned_again(run)
    left = run.state is RunState.LEFT_TO_AZURE and any(not instance.settled for instance in run.instances)
    if left and run.times.scheduled is not None and now < run.times.scheduled.start:
        return min(again, run.times.scheduled.start)
    return again


def followed(run: Run, observation: Observation, now: datetime, gone: frozenset[str] = frozenset()) -> Run:
    """The run after a poll of what Azure does; told once, when it is over. `gone` are certainly no more."""
    seen = {instance.id: instance for instance in observation.instances or ()}
    batches = [_batch(run, batch, seen, observation, now, gone) for batch in run.batches]
    run = with_batches(run, batches, now, "azure")
    if run.settled and run.instances:
        return _over(run, seen, observation, now)
    return run


def over(run: Run) -> str:
    """How it ended, in a sentence."""
    return f"Azure is done with it: {counted(run.instances)}.{_story(run.instances)}"


def called_off(run: Run) -> str:
    """What had come of it when its wave was cancelled, in a sentence."""
    return f"The wave was cancelled: {counted(run.instances)}.{_story(run.instances)}"


def next_poll(run: Run, observation: Observation, now: datetime) -> datetime:
    """When to poll again in Azure's window: soon while something is down or has to be confirmed."""
    down = any(instance.down_at is not None and not instance.settled for instance in run.instances)
    return now + observation.poll_interval * (1 if down or unclear(run) else SELDOM)


def _batch(
    run: Run,
    batch: Batch,
    seen: dict[str, Instance],
    observation: Observation,
    now: datetime,
    gone: frozenset[str],
) -> Batch:
    if batch.settled:
        return batch

    def seen_now(instance: InstanceProgress) -> InstanceProgress:
        if instance.settled:
            return instance
        return watched(run, instance, seen.get(instance.id), observation, now, gone=instance.id in gone)

    batch = batch.each(seen_now)
    downs = (instance.down_at for instance in batch.instances if instance.down_at is not None)
    batch = replace(batch, started_at=batch.started_at or min(downs, default=None))
    if not batch.settled:
        return batch
    return replace(batch, state=transition(batch.state, BatchState.DONE), finished_at=now)


def watched(
    run: Run,
    progress: InstanceProgress,
    instance: Instance | None,
    observation: Observation,
    now: datetime,
    *,
    gone: bool,
) -> InstanceProgress:
    if gone:
        return deleted(progress, observation, now)
    if instance is None or instance.unreadable:
        return progress
    well = serving(instance, run.terms.health)
    if instance.down and not instance.switched_off and progress.down_at is None:
        progress = replace(progress, down_at=now, reason=f"Down since {say(now)} ({describe(instance)}).")
    if progress.down_at is not None and well and progress.up_at is None:
        progress = replace(progress, up_at=now)
    status = instance.status
    if status is not None and (status.result != ResultCode.COMPLETED or status.allowed):
        return cleared(progress)
    if status is None and not confirmed(progress, Sight.STATUS, observation):
        return sighted(progress, Sight.STATUS, observation)
    without = status is None
    if status is not None:
        progress = replace(progress, window=status.self_service)
    if instance.switched_off:
        return settle(progress, InstanceState.SKIPPED, f"It is {instance.power}.", now, gone=without)
    if well:
        return settle(progress, InstanceState.BY_AZURE, _how(progress), now, gone=without)
    if progress.down_at is None:
        # Its status is gone and it does not serve: Azure's reboot fell between two polls.
        return replace(progress, down_at=now, reason=f"Unhealthy since {say(now)} ({describe(instance)}).")
    if now - progress.down_at > max(run.terms.recover_within, timedelta(minutes=30)):
        words = (
            f"Rebooted by Azure: down since {say(progress.down_at)}, still unhealthy "
            f"{long(now - progress.down_at)} later (last seen: {describe(instance)})."
        )
        return settle(progress, InstanceState.BY_AZURE, words, now, gone=without)
    return progress


def _how(progress: InstanceProgress) -> str:
    if progress.down_at is None or progress.up_at is None:
        return "Rebooted by Azure between two polls, healthy afterwards."
    return (
        f"Rebooted by Azure: down from {say(progress.down_at)} to {say(progress.up_at)} "
        f"({long(progress.up_at - progress.down_at)}), healthy afterwards."
    )


def _over(run: Run, seen: dict[str, Instance], observation: Observation, now: datetime) -> Run:
    sick = [
        instance.id
        for instance in run.instances
        if instance.state is InstanceState.BY_AZURE
        and instance.id in seen
        and not serving(seen[instance.id], run.terms.health)
    ]
    reason, behind = over(run), left_behind(run, observation)
    if sick:
        which = "instance" if len(sick) == 1 else "instances"
        reason += f" Unhealthy afterwards: {which} {', '.join(sick)}."
    reason += behind
    run = with_entry(replace(run, reason=reason), "followed to its end", reason, now, "azure")
    if not sick and not behind:
        return with_notice(run, Kind.COMPLETED, Urgency.KNOW, reason, now, instances=observation.instances)
    return with_notice(
        run, Kind.TROUBLE, Urgency.ACT, reason, now, instances=observation.instances, otherwise=UNTOUCHED
    )


def _story(instances: Sequence[InstanceProgress]) -> str:
    """When, in what order and how long, of the instances that polls saw go down."""
    timed = sorted(
        (instance.down_at, instance.id, instance.up_at)
        for instance in instances
        if instance.down_at is not None and instance.up_at
    )
    if not timed:
        return ""
    lengths = [up - down for down, _, up in timed if up is not None]
    order = ", ".join(name for _, name, _ in timed[:20]) + (" and others" if len(timed) > 20 else "")
    order = f", in the order {order}; each" if len(timed) > 1 else "; it"
    least, most = long(min(lengths)), long(max(lengths))
    return (
        f" Azure rebooted {many(len(timed), 'instance')} between {say(timed[0][0])} and "
        f"{say(max(up for _, _, up in timed if up is not None))}{order} was down for "
        f"{least if least == most else f'{least} to {most}'}."
    )
