"""Whether a plan still covers what a poll saw; `plan` makes the new one, at a pace that cannot run hot."""

from datetime import datetime

from planner.azure.fleet import Interval, MaintenanceStatus
from planner.observe.left_to_azure import HANDS_OFF_AGAIN
from planner.observe.outstanding import finished, offered_anew, returned
from planner.record.copying import replace
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState

PACE = 5
"""Poll intervals between two plans of a run."""


def why(run: Run, observation: Observation, now: datetime) -> str:
    """Why the plan no longer covers what the poll saw, empty when it does."""
    if observation.instances is None or observation.cancelled or observation.deleted:
        return ""
    if _waits_by_another_policy(run, observation):
        return "the policy file has changed since the plan was made"
    instances = {instance.id: instance for instance in run.instances}
    # A new plan takes what is offered anew out of its batch, and its soak with it.
    soaks = (batch for batch in run.batches if batch.state is BatchState.SOAKING)
    soaking = {instance.id for batch in soaks for instance in batch.instances}
    as_planned: MaintenanceStatus | None = None
    for instance in observation.instances:
        status = instance.status
        if status is None:
            continue
        progress = instances.get(instance.id)
        if progress is None:
            if finished(instance, None, run, now):
                continue
            return f"instance {instance.id} shows maintenance and is not in the plan"
        if progress.settled:
            if returned(progress, instance):
                return f"instance {instance.id} shows maintenance again"
            if offered_anew(progress, instance) and progress.id not in soaking:
                return f"instance {instance.id} was maintained and Azure offers it again"
        if not progress.waiting or status is as_planned:
            continue
        if progress.state is InstanceState.PENDING and _earlier(
            status.self_service, run.times.self_service, now
        ):
            return f"the self-service window of instance {instance.id} has been moved forward"
        if _azures_turn_sooner(status.scheduled, run):
            return f"Azure's own window of instance {instance.id} begins sooner than it was planned by"
        if _longer(status.self_service, run.times.self_service, now):
            return f"the self-service window of instance {instance.id} is open longer than it was planned by"
        if progress.state is InstanceState.PENDING:
            # Many instances show the very same status: what is true of one need not be asked again.
            as_planned = status
    return ""


def _waits_by_another_policy(run: Run, observation: Observation) -> bool:
    """Whether a run waits by a policy that has changed; before a batch its rules are read afresh anyway."""
    waits = run.state in {RunState.SCHEDULED, RunState.AWAITING_APPROVAL} or bool(run.people.misfit)
    return waits and bool(run.terms.policy and observation.policy) and run.terms.policy != observation.policy


def _earlier(seen: Interval | None, planned: Interval | None, now: datetime) -> bool:
    """Whether waiting for the planned window would lose some of the one Azure shows now."""
    if seen is None or planned is None or now >= seen.end:
        return False
    return seen.start < planned.start or seen.end < planned.end


def _azures_turn_sooner(seen: Interval | None, run: Run) -> bool:
    """Whether Azure may begin before what was planned by, and before the self-service window is over."""
    if seen is None or run.times.scheduled is None or run.times.self_service is None:
        return False
    return seen.start < run.times.scheduled.start and seen.start < run.times.self_service.end


def _longer(seen: Interval | None, planned: Interval | None, now: datetime) -> bool:
    """Whether the planned window is over and the one Azure shows is not: each instance has its own."""
    return seen is not None and planned is not None and planned.end <= now < seen.end


def watched(run: Run) -> bool:
    """Whether something was started and does not serve again yet, or repairs are to run again.

    A plan by rules that leave the scale set to Azure has to wait for that.
    """
    started = any(instance.in_flight or instance.state is InstanceState.FAILED for instance in run.instances)
    return started or run.repairs is not None


def fruitless(run: Run) -> bool:
    """Whether another plan would change nothing either, unless the rules have changed again."""
    return run.fruitless_plans > 0 and watched(run)


def plan_again_at(run: Run, observation: Observation) -> datetime:
    """Plan and advance may see things differently; asking each other at a pace, they cannot run hot.

    What a plan could not change it is asked for as seldom as a hands-off run.
    """
    if fruitless(run):
        return run.planned_at + HANDS_OFF_AGAIN[min(run.fruitless_plans, len(HANDS_OFF_AGAIN)) - 1]
    return run.planned_at + observation.poll_interval * PACE


def planned_soon(run: Run, why: str, observation: Observation) -> Run:
    # Why a paused run waits for a person stays to be read.
    reason = run.reason if run.state is RunState.PAUSED else f"To be planned again: {why}."
    return replace(run, reason=reason, due=plan_again_at(run, observation))
