"""Intents: what is written into the run before any start is sent, and read again right before it is."""

from collections.abc import Mapping
from datetime import datetime

from planner.azure.fleet import Instance, ResultCode
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import Before, InstanceProgress
from planner.record.run import Run
from planner.record.states import ACTIVE, BatchState, InstanceState, RunState, transition
from planner.words import starts as words


def with_intents(batch: Batch, ready: Mapping[str, Instance], now: datetime) -> Batch:
    """The batch with an intent for each of `ready`, beside what Azure showed of it before its start."""
    instances = tuple(
        _intent(progress, ready[progress.id], now) if progress.id in ready else progress
        for progress in batch.instances
    )
    return replace(
        batch,
        instances=instances,
        state=transition(batch.state, BatchState.STARTING),
        started_at=batch.started_at or now,
        verified_at=None,
    )


def _intent(progress: InstanceProgress, instance: Instance, now: datetime) -> InstanceProgress:
    status = instance.status
    return replace(
        progress,
        state=transition(progress.state, InstanceState.STARTING),
        reason=words.ABOUT_TO_START,
        before=Before(
            allowed=status.allowed if status else False,
            result=status.result if status else ResultCode.NONE,
            self_service=status.self_service if status else None,
            reported_health=instance.health.value != "not_reported",
        ),
        intent_at=now,
        since=now,
        retry_at=None,
        refusal=None,
        refused="",
        attempts=progress.attempts + 1,
        answered=False,
        operation="",
        seen_down=False,
        quiet_polls=0,
        up_at=None,
        sighting=None,
        proof_at=None,
        proof="",
        healthy_polls=0,
    )


def stands(instance: str, written: Run, on_record: Run) -> bool:
    """Whether the intent that was written for an instance is on record still, and unanswered."""
    before, now = (_progress(instance, run) for run in (written, on_record))
    if before is None or now is None or now.state is not InstanceState.STARTING or now.answered:
        return False
    return now.intent_at == before.intent_at


def called_off(instance: str, written: Run, on_record: Run) -> str:
    """Why a start must not be sent although its intent was written: what the record says by now.

    Empty where nothing on it forbids the start.
    """
    if on_record.state is RunState.PAUSED or on_record.state not in ACTIVE:
        return words.called_off(on_record.reason)
    return "" if stands(instance, written, on_record) else words.CHANGED_MEANWHILE


def _progress(instance: str, run: Run) -> InstanceProgress | None:
    return next((one for one in run.instances if one.id == instance), None)
