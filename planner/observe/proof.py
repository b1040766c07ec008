"""Whether the maintenance of a started instance has happened: done needs proof."""

from datetime import datetime, timedelta

from planner.azure.fleet import Instance, MaintenanceStatus, ResultCode
from planner.observe.aside import RETRY_CODES, set_aside
from planner.observe.confirmation import cleared, confirmed, sighted
from planner.observe.recovery import off, serves
from planner.observe.settle import fail, settle
from planner.policy.health import describe
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, Sight
from planner.record.observation import Observation, OperationSeen, OperationStatus
from planner.record.run import Run
from planner.record.states import InstanceState, transition
from planner.words import instances as words
from planner.words import starts

CLOCKS_DIFFER = timedelta(minutes=10)  # Azure closes a window by its own clock, and nobody's is exact

QUIET_POLLS = 2  # a start that was taken shows within a poll or two: a reboot takes minutes

ATTEMPTS_IN_DOUBT = 2

UNSUCCESSFUL = frozenset({OperationStatus.FAILED, OperationStatus.CANCELED})
FINISHED = UNSUCCESSFUL | {OperationStatus.SUCCEEDED}

UNKNOWN = OperationSeen(OperationStatus.UNKNOWN)


def looking_for_proof(
    run: Run, progress: InstanceProgress, instance: Instance, observation: Observation, now: datetime
) -> InstanceProgress:
    operation = observation.operations.get(progress.id, UNKNOWN)
    status = instance.status
    result = _new_result(progress, status)
    finished = operation.status in FINISHED
    if status is not None and status.result in RETRY_CODES and (result or finished):
        return set_aside(run, progress, instance, observation, now, status.result)
    if operation.status in UNSUCCESSFUL and result != ResultCode.COMPLETED:
        if operation.code in RETRY_CODES:
            return set_aside(run, progress, instance, observation, now, operation.code)
        return _operation_failed(progress, operation)
    if status is None and operation.status == OperationStatus.IN_PROGRESS:
        # A view without the status proves nothing while Azure is still at work.
        return _without_proof(run, cleared(progress), instance, operation, observation, now)
    proof = _proof(progress, instance, operation, now)
    if not proof and status is None:
        if not confirmed(progress, Sight.STATUS, observation):
            failed = progress.state is InstanceState.FAILED
            why = progress.reason if failed else words.STATUS_GONE
            return sighted(progress, Sight.STATUS, observation, why)
        if _left_no_trace(progress, observation):
            return settle(progress, InstanceState.CANCELLED, starts.LEFT_NO_TRACE, now, gone=True)
        if _has_failed(progress):
            return _no_longer_wanted(run, progress, instance, now)
        proof = words.STATUS_GONE_AFTER_START
    if proof:
        return _proven(progress, proof, now)
    if instance.switched_off and operation.status != OperationStatus.IN_PROGRESS:
        return off(run, progress, instance, observation, now)
    return _without_proof(run, cleared(progress), instance, operation, observation, now)


def _new_result(progress: InstanceProgress, status: MaintenanceStatus | None) -> str:
    """The result code, where it has changed since before the start; else empty."""
    before = progress.before
    return (
        status.result if status is not None and before is not None and status.result != before.result else ""
    )


def _proof(progress: InstanceProgress, instance: Instance, operation: OperationSeen, now: datetime) -> str:
    """What this poll proves its maintenance by; empty where it proves nothing yet."""
    if operation.status == OperationStatus.SUCCEEDED:
        return words.OPERATION_SUCCEEDED
    if _new_result(progress, instance.status) == ResultCode.COMPLETED:
        return words.result_changed(ResultCode.COMPLETED)
    early = instance.status is not None and _closed_early(progress, instance, now)
    if early and operation.status != OperationStatus.IN_PROGRESS and progress.seen_down:
        return words.WENT_DOWN_AND_NO_LONGER_OFFERED
    return ""


def _proven(progress: InstanceProgress, proof: str, now: datetime) -> InstanceProgress:
    return replace(
        progress,
        state=transition(progress.state, InstanceState.VERIFYING),
        reason=words.proven(proof),
        proof_at=now,
        proof=proof,
        answered=True,
        begun=True,
    )


def _operation_failed(progress: InstanceProgress, operation: OperationSeen) -> InstanceProgress:
    reason = words.operation_failed(operation.status, operation.code, operation.message)
    progress = fail(progress, reason)
    return replace(progress, answered=False, operation="")


def _has_failed(progress: InstanceProgress) -> bool:
    """Whether Azure's operation is known to have failed: what is gone after that proves nothing was done."""
    return progress.state is InstanceState.FAILED and progress.begun and not progress.answered


def _no_longer_wanted(
    run: Run, progress: InstanceProgress, instance: Instance, now: datetime
) -> InstanceProgress:
    """Its operation failed and its status is gone since: done by others, or called off. Down, it waits."""
    if not serves(run, progress, instance):
        return progress
    return settle(progress, InstanceState.CANCELLED, words.FAILED_AND_CALLED_OFF, now, gone=True)


def _left_no_trace(progress: InstanceProgress, observation: Observation) -> bool:
    """Whether a start that nobody answered was never seen to begin, by polls that would have seen it."""
    silent = not progress.seen_down and not progress.answered
    return silent and (observation.cancelled or progress.quiet_polls >= QUIET_POLLS)


def _closed_early(progress: InstanceProgress, instance: Instance, now: datetime) -> bool:
    status, before = instance.status, progress.before
    if status is None or before is None or before.self_service is None:
        return False
    same = status.self_service == before.self_service and not _has_failed(progress)
    return same and before.allowed and not status.allowed and now < before.self_service.end - CLOCKS_DIFFER


def _without_proof(
    run: Run,
    progress: InstanceProgress,
    instance: Instance,
    operation: OperationSeen,
    observation: Observation,
    now: datetime,
) -> InstanceProgress:
    if progress.state is InstanceState.FAILED:
        return progress
    began = (
        progress.answered
        or progress.seen_down
        or instance.busy
        or operation.status == OperationStatus.IN_PROGRESS
    )
    since = progress.since or progress.intent_at or now
    if began:
        if now - since > run.terms.recover_within:
            return fail(
                progress,
                words.without_proof(
                    progress.intent_at or since, run.terms.recover_within, describe(instance)
                ),
            )
        return replace(
            progress,
            state=transition(progress.state, InstanceState.REBOOTING),
            answered=True,
            begun=True,
            reason=starts.WAITING_FOR_PROOF,
        )
    if now - since < observation.in_doubt:
        reason = starts.on_record(progress.refused)
        return replace(progress, reason=reason, quiet_polls=progress.quiet_polls + 1)
    if progress.refused and progress.attempts < ATTEMPTS_IN_DOUBT:
        # Azure did answer, and nothing came of it: what was in the way was not a start of ours.
        return set_aside(run, progress, instance, observation, now, progress.refused)
    if progress.attempts < ATTEMPTS_IN_DOUBT:
        return replace(
            progress,
            state=transition(progress.state, InstanceState.PENDING),
            intent_at=None,
            since=None,
            reason=starts.ONCE_MORE,
        )
    return replace(
        progress,
        state=transition(progress.state, InstanceState.FAILED),
        reason=starts.TWICE_UNANSWERED,
    )
