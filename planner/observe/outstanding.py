"""Which instances still need maintenance: what is finished stays finished, what came back does not."""

from collections.abc import Sequence
from datetime import datetime

from planner.azure.fleet import Instance, ResultCode
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import ENDED, InstanceState


def outstanding(instances: Sequence[Instance], run: Run | None, now: datetime) -> tuple[Instance, ...]:
    """The instances as a decision should see them: what is finished shows no maintenance any more.

    A status that lingers after its maintenance (same windows, or completed by somebody else) is finished. One
    that was gone and came back, or has new windows after the run's end, is not.
    """
    known = {instance.id: instance for instance in run.instances} if run is not None else {}
    return tuple(
        replace(instance, maintenance=None)
        if finished(instance, known.get(instance.id), run, now)
        else instance
        for instance in instances
    )


def returned(progress: InstanceProgress, instance: Instance) -> bool:
    """Whether a settled instance needs maintenance again: its status was gone and is there again.

    After maintenance in this run only new windows count; what merely lingers is finished.
    """
    status = instance.status
    if status is None or not progress.settled:
        return False
    if progress.state is InstanceState.BY_AZURE and not progress.gone:
        return status.result != ResultCode.COMPLETED and status.self_service != progress.window
    if not progress.gone:
        return False
    if progress.state is InstanceState.MAINTAINED:
        return progress.before is None or status.self_service != progress.before.self_service
    if progress.state is InstanceState.SKIPPED:
        return instance.running and status.allowed
    return True


def offered_anew(progress: InstanceProgress, instance: Instance) -> bool:
    """Whether Azure offers maintenance that we have done, and it does not merely linger.

    It shows another window and nobody has seen it without its status in between, or its status was gone and
    is there again with the window it had: by itself neither proves new maintenance.
    """
    status, before = instance.status, progress.before
    if status is None or before is None or progress.state is not InstanceState.MAINTAINED:
        return False
    return status.allowed and progress.gone is (status.self_service == before.self_service)


def due_again(progress: InstanceProgress, instance: Instance) -> bool:
    """Whether a settled instance has to be planned anew."""
    return returned(progress, instance) or offered_anew(progress, instance)


def remembered(former: Run, instances: Sequence[Instance]) -> tuple[InstanceProgress, ...]:
    """What `former` and the runs before it finished and still shows its old status."""
    showing = {instance.id: instance for instance in instances if instance.status is not None}
    known = {progress.id: progress for progress in (*former.finished, *former.instances) if progress.settled}
    return tuple(known[key] for key in known if key in showing and _lingers(known[key], showing[key], former))


def finished(instance: Instance, progress: InstanceProgress | None, run: Run | None, now: datetime) -> bool:
    """Whether the maintenance an instance shows is behind it; an unreadable one shows nothing."""
    status = instance.status
    if status is None:
        return False
    if progress is None:
        earlier = [each for each in run.finished if each.id == instance.id] if run is not None else []
        if run is not None and any(_lingers(each, instance, run) for each in earlier):
            return True
        # Completed by somebody else. Before its window opens the code can only be an earlier wave's, and in
        # an open window that Azure allows us to use it is as well: allowed is due.
        to_come = status.self_service is not None and now < status.self_service.start
        due = status.allowed and status.self_service is not None and now in status.self_service
        return status.result == ResultCode.COMPLETED and not to_come and not due
    if run is None or due_again(progress, instance):
        return False
    over = run.state in ENDED
    if progress.state is InstanceState.SKIPPED:
        return over and not progress.gone and _lingers(progress, instance, run)
    if progress.state is InstanceState.BY_AZURE:
        return _lingers(progress, instance, run)
    if progress.state is not InstanceState.MAINTAINED:
        return False
    return _lingers(progress, instance, run) or not over


def _lingers(progress: InstanceProgress, instance: Instance, run: Run) -> bool:
    """Whether a settled instance still shows the status it was settled with: nothing of it is new."""
    status = instance.status
    if status is None or due_again(progress, instance):
        return False
    if progress.state is InstanceState.MAINTAINED:
        return progress.before is None or status.self_service == progress.before.self_service
    if progress.state is InstanceState.BY_AZURE:
        return status.result == ResultCode.COMPLETED and status.self_service == progress.window
    if progress.state is InstanceState.SKIPPED:
        # What a person skipped or Azure refused is not started by a mere repetition of the announcement.
        return not progress.gone and status.self_service == (progress.window or run.times.self_service)
    return False
