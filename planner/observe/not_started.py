"""What a poll tells about an instance that is still to be started."""

from datetime import datetime

from planner.azure.fleet import Instance, Interval, MaintenanceStatus, ResultCode
from planner.azure.refusal import Refusal
from planner.observe.confirmation import cleared, confirmed, sighted
from planner.observe.settle import settle
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState
from planner.words import instances as words
from planner.words.refusals import left_to_azure


def undisturbed(
    progress: InstanceProgress, instance: Instance | None, observation: Observation, now: datetime
) -> bool:
    """Whether a poll plainly shows an instance as it was planned: offered, up, its window not over."""
    status = instance.status if instance is not None else None
    return (
        status is not None
        and status.self_service is not None
        and now < status.self_service.end
        and status.result == ResultCode.NONE
        and instance is not None
        and not instance.down
        and progress.state is InstanceState.PENDING
        and progress.sighting is None
        and progress.refusal is None
        and not progress.answered
        and not observation.cancelled
    )


def waiting(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    """An instance nobody here has started, or not in its last attempt."""
    if observation.cancelled:
        return settle(progress, InstanceState.CANCELLED, words.CANCELLED_BEFORE_START, now)
    status = instance.status
    if status is None:
        if not confirmed(progress, Sight.STATUS, observation):
            return sighted(progress, Sight.STATUS, observation, words.STATUS_GONE)
        return _without_status(run, progress, instance, now)
    if _done_by_others(progress, status, instance, now):
        # Nobody here started it, and Azure may go on showing its status, and even offering it.
        if not confirmed(progress, Sight.COMPLETED, observation):
            return sighted(progress, Sight.COMPLETED, observation, words.maybe_by_others(status.result))
        progress = replace(progress, window=status.self_service)
        return settle(progress, InstanceState.BY_AZURE, words.BY_OTHERS, now)
    if progress.sighting is not None and progress.sighting.what in {Sight.STATUS, Sight.COMPLETED}:
        progress = replace(cleared(progress), reason=words.STATUS_BACK)
    window = status.self_service or run.times.self_service
    if window is not None and now >= window.end:
        scheduled = status.scheduled or run.times.scheduled
        azures = (scheduled.start, scheduled.end) if scheduled is not None else None
        return settle(progress, InstanceState.MISSED, words.window_closed(window.end, azures), now)
    if progress.refusal is Refusal.NOT_ELIGIBLE and _not_offered(status, window, now):
        # The refusal alone proves nothing; with what Azure shows now it is final until Azure offers it again.
        why = left_to_azure(progress.refused)
        return settle(progress, InstanceState.SKIPPED, why, now, gone=True)
    down = instance.down and not instance.switched_off
    return replace(progress, seen_down=True) if down and not progress.seen_down else progress


def _not_offered(status: MaintenanceStatus, window: Interval | None, now: datetime) -> bool:
    """Whether Azure shows in its own words that it does not offer this instance now."""
    return not status.allowed and not status.unreadable and (window is None or now in window)


def _without_status(
    run: Run, progress: InstanceProgress, instance: Instance, now: datetime
) -> InstanceProgress:
    """What became of an instance whose maintenance status is gone for certain."""
    if instance.switched_off:
        return settle(progress, InstanceState.SKIPPED, words.off(instance.power), now, gone=True)
    if progress.seen_down or (run.times.scheduled is not None and now >= run.times.scheduled.start):
        return settle(progress, InstanceState.BY_AZURE, words.BY_OTHERS, now, gone=True)
    return settle(progress, InstanceState.CANCELLED, words.NOT_STARTED_HERE, now, gone=True)


def _done_by_others(
    progress: InstanceProgress, status: MaintenanceStatus, instance: Instance, now: datetime
) -> bool:
    """Whether somebody else's maintenance is over: the result code turned to completed under our eyes.

    What Azure allows us to start in an open window is due, whatever the code says, unless a poll has seen it
    go down for it. A code of an earlier wave proves nothing: then it has to have gone down as well, and Azure
    to offer it no longer while its window is open. What is down is not over.
    """
    if status.result != ResultCode.COMPLETED or not instance.running:
        return False
    inside = status.self_service is not None and now in status.self_service
    if progress.code not in {"", ResultCode.COMPLETED}:
        return progress.seen_down or not (status.allowed and inside)
    return progress.seen_down and inside and not status.allowed
