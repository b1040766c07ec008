"""The date by which a run has to be done."""

from datetime import datetime, timedelta

from planner.azure.fleet import Interval

MARGIN = timedelta(hours=1)
"""Kept free at the end of a self-service window of weeks: no plan goes to its last minute."""


def deadline(
    self_service: Interval | None, scheduled: Interval | None, complete_by: datetime | None
) -> datetime | None:
    """The earliest of the end of the self-service window, less a margin, Azure's own turn, and `complete-by`.

    Azure's window mostly begins after the self-service window; where it begins before, nobody can promise
    that what is left is not maintained by Azure.
    """
    ends = (
        self_service.end - margin(self_service) if self_service else None,
        scheduled.start if scheduled and self_service else None,
        complete_by,
    )
    return min(filter(None, ends), default=None)


def margin(self_service: Interval) -> timedelta:
    """What is kept free before the self-service window ends: an hour, less of a window under 50 hours."""
    return min(MARGIN, (self_service.end - self_service.start) / 50)
