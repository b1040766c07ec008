"""Intents: what is written into the run before any start is sent."""

from collections.abc import Mapping
from datetime import datetime

from planner.azure.fleet import Instance, ResultCode
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import Before, InstanceProgress
from planner.record.states import BatchState, InstanceState, transition


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
        reason="About to be started.",
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
