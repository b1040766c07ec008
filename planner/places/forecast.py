"""What a run's place makes of its forecast."""

from datetime import datetime

from planner.places.table import Place
from planner.record.copying import replace
from planner.record.run import Run
from planner.record.states import ACTIVE
from planner.schedule.timing import earliest, timed


def lacks_place(run: Run) -> bool:
    """Whether its times are not those of a place yet.

    A run that was polled has them, as they were then, and its reason says the same.
    """
    return run.state in ACTIVE and not run.begun and run.times.others_until is None


def in_place(run: Run, place: Place | None, now: datetime) -> Run:
    """The run with the times of its place; where no place gets free for it, nobody knows when it ends."""
    if place is None or not lacks_place(run):
        return run
    if place.start is None:
        return replace(run, times=replace(run.times, forecast_end=None, slack=None))
    if place.start <= earliest(run, now):
        return run  # nobody goes before it
    return timed(replace(run, times=replace(run.times, others_until=place.start)), now)
