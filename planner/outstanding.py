"""Which instances still need maintenance: what is finished stays finished, what came back does not."""

from collections.abc import Sequence
from dataclasses import replace

from planner.fleet import Instance
from planner.run import ENDED, SETTLED, InstanceState, Passage, Run


def outstanding(instances: Sequence[Instance], run: Run | None) -> tuple[Instance, ...]:
    """The instances as a decision should see them: what is finished shows no maintenance any more.

    A status that merely lingers after its maintenance (same windows, or completed by somebody else) is
    finished; one that was gone and came back, or came with new windows after the run's end, is not.
    """
    known = {one.id: one for one in run.passages} if run is not None else {}
    return tuple(
        replace(one, maintenance=None) if _finished(one, known.get(one.id), run) else one for one in instances
    )


def returned(passage: Passage, instance: Instance) -> bool:
    """Whether a settled instance needs maintenance again: its status was gone and is there again.

    After maintenance in this run only new windows count; what merely lingers is finished.
    """
    status = instance.maintenance
    if status is None or not passage.gone or passage.state not in SETTLED:
        return False
    if passage.state is InstanceState.MAINTAINED:
        return passage.before is None or status.self_service != passage.before.self_service
    if passage.state is InstanceState.EXCUSED:
        return instance.running and status.allowed
    return True


def _finished(instance: Instance, passage: Passage | None, run: Run | None) -> bool:
    status = instance.maintenance
    if status is None:
        return False
    if passage is None or run is None:
        return status.result == "MaintenanceCompleted"
    if returned(passage, instance):
        return False
    over = run.state in ENDED
    if passage.state is InstanceState.EXCUSED:
        # What a person skipped or Azure refused is not started by a mere repetition of the announcement.
        return over and not passage.gone and status.self_service == run.self_service
    if passage.state is not InstanceState.MAINTAINED:
        return False
    lingers = passage.before is None or status.self_service == passage.before.self_service
    return lingers or not over
