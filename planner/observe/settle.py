"""An instance that is over, with why."""

from dataclasses import replace
from datetime import datetime

from planner.record.instance import InstanceProgress
from planner.record.states import InstanceState, transition


def settle(
    progress: InstanceProgress, state: InstanceState, reason: str, now: datetime, *, gone: bool = False
) -> InstanceProgress:
    return replace(
        progress,
        state=transition(progress.state, state),
        reason=reason,
        finished_at=now,
        gone=gone,
        sighting=None,
    )
