"""How an instance's way ends: over, or failed and left to a person."""

from datetime import datetime

from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.states import InstanceState, transition


def settle(
    progress: InstanceProgress, state: InstanceState, reason: str, now: datetime, *, gone: bool = False
) -> InstanceProgress:
    """The instance over, in `state`; `gone`: its status, or what skipped it, may come back."""
    return replace(
        progress,
        state=transition(progress.state, state),
        reason=reason,
        finished_at=now,
        gone=gone,
        sighting=None,
    )


def deleted(progress: InstanceProgress, observation: Observation, now: datetime) -> InstanceProgress:
    """The instance that is certainly no more."""
    why = "The scale set was deleted." if observation.deleted else "The instance was deleted."
    return settle(progress, InstanceState.SKIPPED, why, now, gone=True)


def fail(progress: InstanceProgress, reason: str) -> InstanceProgress:
    """The instance failed after Azure took its start: only a person lets the run go on."""
    return replace(
        progress,
        state=transition(progress.state, InstanceState.FAILED),
        reason=reason,
        begun=True,
        healthy_polls=0,
        finished_at=None,
    )
