"""Whether a plan still covers what a look saw; `plan` makes the new one, at a pace that cannot run hot."""

from dataclasses import replace
from datetime import datetime

from planner.fleet import Interval
from planner.look import Look
from planner.outstanding import finished, returned
from planner.run import InstanceState, Run

PACE = 5
"""Look-agains between two plans of a run."""


def why(run: Run, look: Look, now: datetime) -> str:
    """Why the plan no longer covers what the look saw, empty when it does."""
    if look.instances is None or look.cancelled:
        return ""
    passages = {one.id: one for one in run.passages}
    for instance in look.instances:
        status = instance.maintenance
        if status is None:
            continue
        passage = passages.get(instance.id)
        if passage is None:
            if finished(instance, None, run, now):
                continue
            return f"instance {instance.id} shows maintenance and is not in the plan"
        if returned(passage, instance):
            return f"instance {instance.id} shows maintenance again"
        if passage.state is InstanceState.PENDING and _earlier(status.self_service, run.self_service, now):
            return f"the self-service window of instance {instance.id} has been moved forward"
    return ""


def _earlier(seen: Interval | None, planned: Interval | None, now: datetime) -> bool:
    """Whether waiting for the planned window would lose some of the one Azure shows now."""
    if seen is None or planned is None or now >= seen.end:
        return False
    return seen.start < planned.start or seen.end < planned.end


def plan_again_at(run: Run, look: Look) -> datetime:
    """Plan and advance may see things differently; asking each other at a pace, they cannot run hot."""
    return run.planned_at + look.look_again * PACE


def planned_soon(run: Run, why: str, look: Look) -> Run:
    return replace(run, reason=f"To be planned again: {why}.", due=plan_again_at(run, look))
