"""The date by which a run has to be through."""

from datetime import datetime, timedelta

from planner.azure.fleet import Interval

MARGIN = timedelta(hours=1)
"""Nobody plans up to the last minute of a self-service window of weeks."""


def deadline(
    self_service: Interval | None, scheduled: Interval | None, complete_by: datetime | None
) -> datetime | None:
    """The earliest of the end of the self-service window, less a margin, Azure's own turn, and `complete-by`.

    Azure's window mostly begins after the self-service window; where it begins before, nobody can promise
    that what is left is not maintained by Azure.
    """
    ends = [self_service.end - margin(self_service)] if self_service else []
    if scheduled is not None and self_service is not None:
        ends.append(scheduled.start)
    if complete_by is not None:
        ends.append(complete_by)
    return min(ends, default=None)


def margin(self_service: Interval) -> timedelta:
    """What is kept free before the self-service window ends: an hour, less of a window under 50 hours."""
    return min(MARGIN, (self_service.end - self_service.start) / 50)
