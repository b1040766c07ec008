"""What a look tells about one instance: whether its maintenance happened, and whether it serves again.

Done needs proof (design: Protocols): first the maintenance itself, then running, then healthy on two looks.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.fleet import COMPLETED as DONE_CODE
from planner.azure.fleet import Instance, Interval, MaintenanceStatus
from planner.azure.refusal import Refusal
from planner.observe.confirmation import COMPLETED, ILL, STATUS, STOPPED, cleared, confirmed, matured, sighted
from planner.policy.health import describe, ill, serving
from planner.record.observation import Look, OperationSeen
from planner.record.run import Passage, Run
from planner.record.states import SETTLED, TO_START, InstanceState, transition
from planner.text.backoff import back_off
from planner.text.phrases import say

HEALTHY_LOOKS = 2
CLOCKS_DIFFER = timedelta(minutes=10)  # Azure closes a window by its own clock, and nobody's is exact
VIEWS_FOLLOW = timedelta(minutes=10)  # a view is minutes behind at the most
QUIET_LOOKS = 2  # a start that was taken shows within a look or two: a reboot takes minutes
RETRY_CODES = frozenset({"RetryLater", "MaintenanceAborted"})
ATTEMPTS_IN_DOUBT = 2


def observed(
    run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime, *, gone: bool = False
) -> Passage:
    """The passage after a look; `instance` is None where the look did not show it.

    `gone`: two looks and a direct read agree that it is no more. What was not shown, or cannot be read,
    changes nothing. Raises nothing; every change carries its sentence.
    """
    if passage.answered and not passage.begun:
        passage = replace(passage, begun=True)
    if passage.state in SETTLED:
        return _after_the_end(run, passage, instance, look, now)
    if gone:
        why = "the scale set was deleted" if look.deleted else "the instance was deleted"
        return _settled(passage, InstanceState.EXCUSED, f"Excused: {why}.", now, gone=True)
    if instance is None or instance.unreadable:
        return passage
    if passage.state in TO_START:
        return _waiting(run, passage, instance, look, now)
    passage = replace(passage, seen_down=passage.seen_down or instance.down)
    if passage.proof_at is None:
        passage = _looking_for_proof(run, passage, instance, look, now)
    if passage.proof_at is not None and passage.state not in SETTLED:
        passage = _verifying(run, passage, instance, look, now)
    return passage


def _settled(
    passage: Passage, state: InstanceState, reason: str, now: datetime, *, gone: bool = False
) -> Passage:
    return replace(
        passage,
        state=transition(passage.state, state),
        reason=reason,
        finished_at=now,
        gone=gone,
        sighting=None,
    )


def _after_the_end(
    run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime
) -> Passage:
    """A settled instance: whether its status goes, and whether what this run maintained still serves."""
    if instance is None or instance.unreadable:
        return passage
    if passage.state is InstanceState.MAINTAINED and ill(instance, run.health):
        return _no_longer_serving(run, passage, instance, look, now)
    if instance.maintenance is None and not passage.gone:
        if matured(passage, STATUS, look):
            return replace(passage, gone=True, sighting=None)
        return sighted(passage, STATUS, look)
    return cleared(passage)


def _no_longer_serving(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    """Maintained by this run and served again, and does not any more: no next domain before a person says."""
    if instance.switched_off and passage.id in run.stops:
        words = f"Maintained; stopped since by {run.stops[passage.id]}."
        # A stop can take its status with it and bring it back at the next start.
        gone = passage.gone or instance.maintenance is None
        return replace(cleared(passage), reason=words, gone=gone)
    if passage.id not in look.direct and not matured(passage, ILL, look):
        return sighted(passage, ILL, look)
    return replace(
        passage,
        state=transition(passage.state, InstanceState.FAILED),
        sighting=None,
        healthy_looks=0,
        finished_at=None,
        begun=True,
        reason=f"Maintained and healthy since {say(passage.finished_at or now)}, and not serving since "
        f"{say(passage.sighting.since if passage.sighting else now)} ({describe(instance)}).",
    )


def _waiting(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    """An instance nobody here has started, or not in its last attempt."""
    if look.cancelled:
        return _settled(
            passage, InstanceState.CANCELLED, "The wave was cancelled before it was started.", now
        )
    status = instance.status
    if status is None:
        if not confirmed(passage, STATUS, look):
            words = "Azure shows no maintenance for it any more; a second look has to confirm it."
            return sighted(passage, STATUS, look, words)
        return _without_status(run, passage, instance, now)
    if _done_by_others(passage, status, instance, now):
        # Nobody here started it, and Azure may go on showing its status, and even offering it.
        if not confirmed(passage, COMPLETED, look):
            words = (
                f"Azure shows {status.result}, and nobody here started it; a second look has to confirm it."
            )
            return sighted(passage, COMPLETED, look, words)
        passage = replace(passage, window=status.self_service)
        return _settled(passage, InstanceState.BY_AZURE, "Maintained by Azure or by a person outside.", now)
    if passage.sighting is not None and passage.sighting.what in {STATUS, COMPLETED}:
        passage = replace(cleared(passage), reason="Azure shows its maintenance again.")
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
    down = instance.down and not instance.switched_off
    return replace(passage, seen_down=True) if down and not passage.seen_down else passage


def _not_offered(status: MaintenanceStatus, window: Interval | None, now: datetime) -> bool:
    """Whether Azure shows in its own words that it does not offer this instance now."""
    return not status.allowed and not status.unreadable and (window is None or now in window)


def _without_status(run: Run, passage: Passage, instance: Instance, now: datetime) -> Passage:
    """What became of an instance whose maintenance status is gone for certain."""
    if instance.switched_off:
        return _settled(passage, InstanceState.EXCUSED, f"Excused: it is {instance.power}.", now, gone=True)
    if passage.seen_down or (run.scheduled is not None and now >= run.scheduled.start):
        words = "Maintained by Azure or by a person outside."
        return _settled(passage, InstanceState.BY_AZURE, words, now, gone=True)
    words = "Its maintenance status is gone and nobody here started it."
    return _settled(passage, InstanceState.CANCELLED, words, now, gone=True)


def _done_by_others(passage: Passage, status: MaintenanceStatus, instance: Instance, now: datetime) -> bool:
    """Whether somebody else's maintenance is over: the result code turned to completed under our eyes.

    What Azure allows us to start in an open window is due, whatever the code says, unless a look has seen it
    go down for it. A code of an earlier wave proves nothing: then it has to have gone down as well, and Azure
    to offer it no longer while its window is open. What is down is not over.
    """
    if status.result != DONE_CODE or not instance.running:
        return False
    inside = status.self_service is not None and now in status.self_service
    if passage.code not in {"", DONE_CODE}:
        return passage.seen_down or not (status.allowed and inside)
    return passage.seen_down and inside and not status.allowed


def _looking_for_proof(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    operation = look.operations.get(passage.id, OperationSeen("Unknown"))
    status = instance.status
    result = _new_result(passage, status)
    finished = operation.status in {"Succeeded", "Failed", "Canceled"}
    if status is not None and status.result in RETRY_CODES and (result or finished):
        return _set_aside(run, passage, instance, look, now, status.result)
    if operation.status in {"Failed", "Canceled"} and result != DONE_CODE:
        if operation.code in RETRY_CODES:
            return _set_aside(run, passage, instance, look, now, operation.code)
        return _operation_failed(passage, operation)
    if status is None and operation.status == "InProgress":
        # A view without the status proves nothing while Azure is still at work.
        return _without_proof(run, cleared(passage), instance, operation, look, now)
    proof = _proof(passage, instance, operation, now)
    if not proof and status is None:
        if not confirmed(passage, STATUS, look):
            failed = passage.state is InstanceState.FAILED
            words = "Azure shows no maintenance for it any more; a second look has to confirm it."
            return sighted(passage, STATUS, look, passage.reason if failed else words)
        if _left_no_trace(passage, look):
            words = "Its maintenance status is gone, and its start left no trace."
            return _settled(passage, InstanceState.CANCELLED, words, now, gone=True)
        if _has_failed(passage):
            return _no_longer_wanted(run, passage, instance, now)
        proof = "its maintenance status is gone"
    if proof:
        return _proven(passage, proof, now)
    if instance.switched_off and operation.status != "InProgress":
        return _off(run, passage, instance, look, now)
    return _without_proof(run, cleared(passage), instance, operation, look, now)


def _new_result(passage: Passage, status: MaintenanceStatus | None) -> str:
    """The result code, where it has changed since before the start; else empty."""
    before = passage.before
    return (
        status.result if status is not None and before is not None and status.result != before.result else ""
    )


def _proof(passage: Passage, instance: Instance, operation: OperationSeen, now: datetime) -> str:
    """What this look proves its maintenance by; empty where it proves nothing yet."""
    if operation.status == "Succeeded":
        return "Azure's operation succeeded"
    if _new_result(passage, instance.status) == DONE_CODE:
        return f"its result code changed to {DONE_CODE}"
    early = instance.status is not None and _closed_early(passage, instance, now)
    if early and operation.status != "InProgress" and passage.seen_down:
        return "it went down and Azure no longer offers its maintenance"
    return ""


def _proven(passage: Passage, proof: str, now: datetime) -> Passage:
    return replace(
        passage,
        state=transition(passage.state, InstanceState.VERIFYING),
        reason=f"Maintained ({proof}); waiting for it to be running and healthy.",
        proof_at=now,
        proof=proof,
        answered=True,
        begun=True,
    )


def _operation_failed(passage: Passage, operation: OperationSeen) -> Passage:
    error = f"{operation.code}: {operation.message}".strip(": ")
    return replace(
        passage,
        state=transition(passage.state, InstanceState.FAILED),
        reason=f"Azure's operation ended {operation.status}: {error}",
        answered=False,
        operation="",
    )


def _off(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    """Switched off after our start: a person's doing only where the log, or its having served, says so."""
    maintained = f"Maintained ({passage.proof}), " if passage.proof else "Started, "
    if passage.id in run.stops:
        words = f"Excused: {maintained.lower()}then stopped by {run.stops[passage.id]}."
        return _settled(passage, InstanceState.EXCUSED, words, now)
    if passage.state is InstanceState.FAILED:
        return passage
    if passage.up_at is not None:
        words = f"Excused: maintained and healthy at {say(passage.up_at)}, then {instance.power} by somebody."
        return _settled(passage, InstanceState.EXCUSED, words, now)
    if not confirmed(passage, STOPPED, look):
        words = f"{maintained}and it is {instance.power}; a second look has to confirm it."
        return sighted(passage, STOPPED, look, words)
    return replace(
        passage,
        state=transition(passage.state, InstanceState.FAILED),
        sighting=None,
        healthy_looks=0,
        begun=True,
        reason=f"{maintained}and it did not come back: it is {instance.power}, and nobody is known to have "
        "stopped it.",
    )


def _has_failed(passage: Passage) -> bool:
    """Whether Azure's operation is known to have failed: what is gone after that proves nothing was done."""
    return passage.state is InstanceState.FAILED and passage.begun and not passage.answered


def _no_longer_wanted(run: Run, passage: Passage, instance: Instance, now: datetime) -> Passage:
    """Its operation failed and its status is gone since: done by others, or called off. Down, it waits."""
    if not _serves(run, passage, instance):
        return passage
    words = (
        "Azure's operation failed and its maintenance status is gone since; it serves, nothing is left to do."
    )
    return _settled(passage, InstanceState.CANCELLED, words, now, gone=True)


def _left_no_trace(passage: Passage, look: Look) -> bool:
    """Whether a start that nobody answered was never seen to begin, by looks that would have seen it."""
    silent = not passage.seen_down and not passage.answered
    return silent and (look.cancelled or passage.quiet_looks >= QUIET_LOOKS)


def _closed_early(passage: Passage, instance: Instance, now: datetime) -> bool:
    status, before = instance.status, passage.before
    if status is None or before is None or before.self_service is None:
        return False
    same = status.self_service == before.self_service and not _has_failed(passage)
    return same and before.allowed and not status.allowed and now < before.self_service.end - CLOCKS_DIFFER


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
                state=transition(passage.state, InstanceState.FAILED),
                reason=f"Started at {say(passage.intent_at or since)}, and after {_minutes(run)} there is no "
                f"proof that its maintenance happened (last seen: {describe(instance)}).",
            )
        return replace(
            passage,
            state=transition(passage.state, InstanceState.REBOOTING),
            answered=True,
            begun=True,
            reason="Started; waiting for proof of the maintenance.",
        )
    if now - since < look.in_doubt:
        said = f"Azure answered {passage.refused}" if passage.refused else "Azure's answer is not on record"
        reason = f"In doubt: the start was written, {said}."
        return replace(passage, reason=reason, quiet_looks=passage.quiet_looks + 1)
    if passage.refused and passage.attempts < ATTEMPTS_IN_DOUBT:
        # Azure did answer, and nothing came of it: what was in the way was not a start of ours.
        return _set_aside(run, passage, instance, look, now, passage.refused)
    if passage.attempts < ATTEMPTS_IN_DOUBT:
        return replace(
            passage,
            state=transition(passage.state, InstanceState.PENDING),
            intent_at=None,
            since=None,
            reason="In doubt for long and nothing happened: to be started once more.",
        )
    return replace(
        passage,
        state=transition(passage.state, InstanceState.FAILED),
        reason="Started twice, both times without an answer or any sign that Azure took it.",
    )


def _set_aside(
    run: Run, passage: Passage, instance: Instance, look: Look, now: datetime, code: str
) -> Passage:
    """`RetryLater` and `MaintenanceAborted` on a serving instance hold up nobody; retried with back-off.

    One that is not back within `recover-within` has failed, unless somebody is known to have stopped it.
    """
    stopped = instance.switched_off and passage.id in run.stops
    if (not instance.running or instance.busy) and not stopped:
        since = passage.since or passage.intent_at or now
        if passage.state is InstanceState.FAILED:
            return passage
        if now - since <= run.recover_within:
            return replace(passage, reason=f"Azure answered {code}; waiting for it to be running.")
        words = f"Azure answered {code}, and it is not back after {_minutes(run)} ({describe(instance)})."
        return replace(
            passage,
            state=transition(passage.state, InstanceState.FAILED),
            healthy_looks=0,
            begun=True,
            reason=words,
        )
    wait = back_off(look.look_again, passage.retries)
    return replace(
        passage,
        state=transition(passage.state, InstanceState.ASIDE),
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
        proof_at=None,
        proof="",
    )


def _verifying(run: Run, passage: Passage, instance: Instance, look: Look, now: datetime) -> Passage:
    if instance.switched_off:
        return _off(run, passage, instance, look, now)
    if passage.state is InstanceState.VERIFYING and _put_off(passage, instance):
        # Its operation succeeded in putting it off; the view that was read with that was of before.
        return _set_aside(
            run, passage, instance, look, now, instance.status.result if instance.status else ""
        )
    passage = sighted(passage, STATUS, look) if instance.maintenance is None else cleared(passage)
    if _serves(run, passage, instance):
        looks = passage.healthy_looks + 1
        passage = replace(passage, healthy_looks=looks, up_at=passage.up_at or now)
        if looks >= HEALTHY_LOOKS and passage.state is not InstanceState.FAILED:
            offered = _offered_as_before(passage, instance, now)
            if offered and now - (passage.proof_at or now) < VIEWS_FOLLOW:
                words = f"Maintained ({passage.proof}) and serving, and Azure still offers its maintenance."
                return replace(passage, reason=words)
            return _settled(
                passage,
                InstanceState.MAINTAINED,
                f"Maintained: {passage.proof}, running and {_health(instance)} on two looks.",
                now,
                gone=offered or matured(passage, STATUS, look),
            )
        return passage
    since = passage.since or passage.intent_at or now
    if passage.state is not InstanceState.FAILED and now - since > run.recover_within:
        return replace(
            passage,
            state=transition(passage.state, InstanceState.FAILED),
            healthy_looks=0,
            reason=f"Maintained ({passage.proof}), but not running and healthy within {_minutes(run)} of its "
            f"start (last seen: {describe(instance)}).",
        )
    return replace(passage, healthy_looks=0)


def _serves(run: Run, passage: Passage, instance: Instance) -> bool:
    reported = passage.before is not None and passage.before.reported_health
    return serving(instance, run.health, reported_before=reported)


def _put_off(passage: Passage, instance: Instance) -> bool:
    """Whether the result code has changed to one that says Azure did not maintain it."""
    status, before = instance.status, passage.before
    if status is None or before is None:
        return False
    return status.result in RETRY_CODES and status.result != before.result


def _offered_as_before(passage: Passage, instance: Instance, now: datetime) -> bool:
    """Whether Azure shows the very status it showed before the start: done, and due again.

    A stop and start since the maintenance does that, and no look need have seen it.
    """
    status, before = instance.status, passage.before
    if status is None or before is None or status.result == DONE_CODE:
        return False
    same = (status.allowed, status.result, status.self_service) == (True, before.result, before.self_service)
    return same and status.self_service is not None and now in status.self_service


def _health(instance: Instance) -> str:
    return (
        "reporting no health, as before,"
        if instance.health.value == "not_reported"
        else instance.health.value
    )


def _minutes(run: Run) -> str:
    seconds = int(run.recover_within.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"
