"""What a run's place makes of its forecast."""

from dataclasses import replace
from datetime import datetime

from planner.places.layout import Place
from planner.record.run import Run
from planner.schedule.timing import earliest, timed


def in_place(run: Run, place: Place | None, now: datetime) -> Run:
    """The run with the times of its place; where no place gets free for it, nobody knows when it ends.

    A run that was polled has them already, as they were then, and its reason says the same.
    """
    if place is None or run.begun or run.times.others_until is not None:
        return run
    if place.start is None:
        return replace(run, times=replace(run.times, forecast_end=None, slack=None))
    if place.start <= earliest(run, now):
        return run  # nobody goes before it
    return timed(replace(run, times=replace(run.times, others_until=place.start)), now)
