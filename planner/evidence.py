"""What a look tells about one instance: whether its maintenance happened, and whether it serves again.

Done needs proof (design: Protocols): first the maintenance itself, then running, then healthy on two looks.
"""

from dataclasses import replace
from datetime import datetime

from planner.doubling import back_off
from planner.fleet import COMPLETED, Instance, Interval, MaintenanceStatus
from planner.look import Look, OperationSeen
from planner.refusal import Refusal
from planner.run import SETTLED, InstanceState, Passage, Run
from planner.saying import say
from planner.serving import describe, healthy

HEALTHY_LOOKS = 2
RETRY_CODES = frozenset({"RetryLater", "MaintenanceAborted"})
ATTEMPTS_IN_DOUBT = 2


def observed(run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime) -> Passage:
    """The passage after a look that saw `instance`, or saw that it is no more.

    Raises nothing; every change carries its sentence.
    """
    if passage.state in SETTLED:
        return _after_the_end(passage, instance)
    if instance is None:
        why = "the scale set was deleted" if look.deleted else "the instance was deleted"
        return _settled(passage, InstanceState.EXCUSED, f"Excused: {why}.", now, gone=True)
    if passage.state in {InstanceState.PENDING, InstanceState.ASIDE}:
        return _waiting(run, passage, instance, look, now)
    passage = replace(passage, seen_down=passage.seen_down or not instance.running)
    if passage.proof_at is None:
        passage = _looking_for_proof(run, passage, instance, look, now)
    if passage.proof_at is not None and passage.state not in SETTLED:
        passage = _verifying(run, passage, instance, now)
    return passage


def _settled(
    passage: Passage, state: InstanceState, reason: str, now: datetime, *, gone: bool = False
) -> Passage:
    return replace(passage, state=state, reason=reason, finished_at=now, gone=gone)


def _after_the_end(passage: Passage, instance: Instance | None) -> Passage:
    if instance is not None and instance.maintenance is None and not passage.gone:
        return replace(passage, gone=True)
    return passage


def _waiting(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    """An instance nobody here has started, or not in its last attempt."""
    status = instance.maintenance
    if look.cancelled:
        return _settled(
            passage, InstanceState.CANCELLED, "The wave was cancelled before it was started.", now
        )
    if status is None and instance.switched_off:
        return _settled(passage, InstanceState.EXCUSED, f"Excused: it is {instance.power}.", now, gone=True)
    if status is None:
        if passage.seen_down or (run.scheduled is not None and now >= run.scheduled.start):
            return _settled(
                passage, InstanceState.BY_AZURE, "Maintained by Azure or by a person outside.", now, gone=True
            )
        return _settled(
            passage,
            InstanceState.CANCELLED,
            "Its maintenance status is gone and nobody here started it.",
            now,
            gone=True,
        )
    if status.result == COMPLETED and (
        passage.code not in {"", COMPLETED} or (passage.seen_down and not status.allowed)
    ):
        # Nobody here started it, and Azure may go on showing its status, and even offering it.
        passage = replace(passage, window=status.self_service)
        return _settled(passage, InstanceState.BY_AZURE, "Maintained by Azure or by a person outside.", now)
    window = status.self_service or run.self_service
    if window is not None and now >= window.end:
        scheduled = status.scheduled or run.scheduled
        later = (
            f" Azure does it between {say(scheduled.start)} and {say(scheduled.end)}." if scheduled else ""
        )
        return _settled(
            passage,
            InstanceState.MISSED,
            f"The self-service window closed at {say(window.end)} before it was started.{later}",
            now,
        )
    if passage.refusal is Refusal.NOT_ELIGIBLE and _not_offered(status, window, now):
        # The refusal alone proves nothing; with what Azure shows now it is final until Azure offers it again.
        why = f"Excused: Azure refused it ({passage.refused}). Azure maintains it in its own window."
        return _settled(passage, InstanceState.EXCUSED, why, now, gone=True)
    down = not instance.running and not instance.switched_off
    return replace(passage, seen_down=True) if down and not passage.seen_down else passage


def _not_offered(status: MaintenanceStatus, window: Interval | None, now: datetime) -> bool:
    """Whether Azure shows in its own words that it does not offer this instance now."""
    return not status.allowed and not status.unreadable and (window is None or now in window)


def _looking_for_proof(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    operation = look.operations.get(passage.id, OperationSeen("Unknown"))
    if instance.power == "deallocated" and operation.status != "InProgress":
        # A reboot never deallocates: somebody did, and whether the maintenance happened nobody can say.
        why = "Excused: it was deallocated while its maintenance was under way."
        return _settled(passage, InstanceState.EXCUSED, why, now)
    status, before = instance.maintenance, passage.before
    result = status.result if status is not None else ""
    finished = operation.status in {"Succeeded", "Failed", "Canceled"}
    changed_result = status is not None and before is not None and result != before.result
    if result in RETRY_CODES and (changed_result or finished):
        return _set_aside(passage, instance, look, now, result)
    if operation.status in {"Failed", "Canceled"} and not (changed_result and result == COMPLETED):
        error = f"{operation.code}: {operation.message}".strip(": ")
        if operation.code in RETRY_CODES:
            return _set_aside(passage, instance, look, now, operation.code)
        return replace(
            passage,
            state=InstanceState.FAILED,
            reason=f"Azure's operation ended {operation.status}: {error}",
            answered=False,
            operation="",
        )
    proof = ""
    if operation.status == "Succeeded":
        proof = "Azure's operation succeeded"
    elif changed_result and result == COMPLETED:
        proof = f"its result code changed to {COMPLETED}"
    elif status is None and (operation.status != "InProgress" or passage.seen_down):
        if look.cancelled and not passage.seen_down and not passage.answered:
            return _settled(
                passage,
                InstanceState.CANCELLED,
                "The wave was cancelled; its start left no trace.",
                now,
                gone=True,
            )
        proof = "its maintenance status is gone"
    elif _closed_early(passage, instance, now) and operation.status != "InProgress" and passage.seen_down:
        proof = "it went down and Azure no longer offers its maintenance"
    if proof:
        return replace(
            passage,
            state=InstanceState.VERIFYING,
            reason=f"Maintained ({proof}); waiting for it to be running and healthy.",
            proof_at=now,
            proof=proof,
            answered=True,
        )
    return _without_proof(run, passage, instance, operation, look, now)


def _closed_early(passage: Passage, instance: Instance, now: datetime) -> bool:
    status, before = instance.maintenance, passage.before
    if status is None or before is None or before.self_service is None:
        return False
    return before.allowed and not status.allowed and now < before.self_service.end


def _without_proof(
    run: Run, passage: Passage, instance: Instance, operation: OperationSeen, look: Look, now: datetime
) -> Passage:
    if passage.state is InstanceState.FAILED:
        return passage
    began = passage.answered or passage.seen_down or instance.busy or operation.status == "InProgress"
    since = passage.since or passage.intent_at or now
    if began:
        if now - since > run.recover_within:
            return replace(
                passage,
                state=InstanceState.FAILED,
                reason=f"Started at {say(passage.intent_at or since)}, and after {_minutes(run)} there is no "
                f"proof that its maintenance happened (last seen: {describe(instance)}).",
            )
        return replace(
            passage,
            state=InstanceState.REBOOTING,
            answered=True,
            reason="Started; waiting for proof of the maintenance.",
        )
    if now - since < look.in_doubt:
        said = f"Azure answered {passage.refused}" if passage.refused else "Azure's answer is not on record"
        return replace(passage, reason=f"In doubt: the start was written, {said}.")
    if passage.refused and passage.attempts < ATTEMPTS_IN_DOUBT:
        # Azure did answer, and nothing came of it: what was in the way was not a start of ours.
        return _set_aside(passage, instance, look, now, passage.refused)
    if passage.attempts < ATTEMPTS_IN_DOUBT:
        return replace(
            passage,
            state=InstanceState.PENDING,
            intent_at=None,
            since=None,
            reason="In doubt for long and nothing happened: to be started once more.",
        )
    return replace(
        passage,
        state=InstanceState.FAILED,
        reason="Started twice, both times without an answer or any sign that Azure took it.",
    )


def _set_aside(passage: Passage, instance: Instance, look: Look, now: datetime, code: str) -> Passage:
    """`RetryLater` and `MaintenanceAborted` on a serving instance hold up nobody; retried with back-off."""
    if not instance.running or instance.busy:
        return replace(passage, reason=f"Azure answered {code}; waiting for it to be running.")
    wait = back_off(look.look_again, passage.retries)
    return replace(
        passage,
        state=InstanceState.ASIDE,
        reason=f"Azure answered {code}; to be started again after {say(now + wait)}.",
        retries=passage.retries + 1,
        attempts=0,
        intent_at=None,
        since=None,
        retry_at=now + wait,
        answered=False,
        operation="",
        seen_down=False,
        healthy_looks=0,
    )


def _verifying(run: Run, passage: Passage, instance: Instance, now: datetime) -> Passage:
    if instance.switched_off:
        return _settled(
            passage, InstanceState.EXCUSED, f"Excused: maintained, then {instance.power} by somebody.", now
        )
    reported = passage.before is not None and passage.before.reported_health
    well = (
        instance.running
        and not instance.busy
        and instance.provisioning != "failed"
        and healthy(instance, run.health, reported_before=reported)
    )
    if well:
        looks = passage.healthy_looks + 1
        if looks >= HEALTHY_LOOKS and passage.state is not InstanceState.FAILED:
            return _settled(
                replace(passage, healthy_looks=looks),
                InstanceState.MAINTAINED,
                f"Maintained: {passage.proof}, running and {_health(instance)} on two looks.",
                now,
                gone=instance.maintenance is None,
            )
        return replace(passage, healthy_looks=looks)
    since = passage.since or passage.intent_at or now
    if passage.state is not InstanceState.FAILED and now - since > run.recover_within:
        return replace(
            passage,
            state=InstanceState.FAILED,
            healthy_looks=0,
            reason=f"Maintained ({passage.proof}), but not running and healthy within {_minutes(run)} of its "
            f"start (last seen: {describe(instance)}).",
        )
    return replace(passage, healthy_looks=0)


def _health(instance: Instance) -> str:
    return (
        "reporting no health, as before,"
        if instance.health.value == "not_reported"
        else instance.health.value
    )


def _minutes(run: Run) -> str:
    seconds = int(run.recover_within.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"
