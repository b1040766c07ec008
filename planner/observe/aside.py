"""What Azure has put off: set aside, and started again after a back-off."""

from datetime import datetime

from planner.azure.fleet import Instance, ResultCode
from planner.observe.settle import fail
from planner.policy.health import describe
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState, transition
from planner.text.backoff import back_off
from planner.text.phrases import say

RETRY_CODES = frozenset({ResultCode.RETRY_LATER, ResultCode.ABORTED})


def set_aside(
    run: Run,
    progress: InstanceProgress,
    instance: Instance,
    observation: Observation,
    now: datetime,
    code: str,
) -> InstanceProgress:
    """`RetryLater` and `MaintenanceAborted` on a serving instance hold up nobody; retried with back-off.

    One that is not back within `recover-within` has failed, unless somebody is known to have stopped it.
    """
    stopped = instance.switched_off and progress.id in run.fleet.stops
    if (not instance.running or instance.busy) and not stopped:
        since = progress.since or progress.intent_at or now
        if progress.state is InstanceState.FAILED:
            return progress
        if now - since <= run.terms.recover_within:
            return replace(progress, reason=f"Azure answered {code}; waiting for it to be running.")
        words = f"Azure answered {code}, and it is not back after {minutes(run)} ({describe(instance)})."
        return fail(progress, words)
    wait = back_off(observation.poll_interval, progress.retries)
    return replace(
        progress,
        state=transition(progress.state, InstanceState.ASIDE),
        reason=f"Azure answered {code}; to be started again after {say(now + wait)}.",
        retries=progress.retries + 1,
        attempts=0,
        intent_at=None,
        since=None,
        retry_at=now + wait,
        answered=False,
        operation="",
        seen_down=False,
        healthy_polls=0,
        proof_at=None,
        proof="",
    )


def put_off(progress: InstanceProgress, instance: Instance) -> bool:
    """Whether the result code has changed to one that says Azure did not maintain it."""
    status, before = instance.status, progress.before
    if status is None or before is None:
        return False
    return status.result in RETRY_CODES and status.result != before.result


def minutes(run: Run) -> str:
    seconds = int(run.terms.recover_within.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"
