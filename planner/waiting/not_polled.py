"""A run whose poll came much too late: the platform ran none, which is told and pauses nothing."""

from datetime import datetime, timedelta

from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import ACTIVE
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.backoff import TOLD_AFTER
from planner.words import standing_still as words

EVENT = "taken_up"


def taken_up(before: Run, after: Run, began: datetime) -> Run:
    """The run after a poll that began at `began` (aware UTC), with what is to be said where that was late.

    `before` is the run as the poll found it, with the time at which it was due.
    """
    if before.state not in ACTIVE or began - before.due < late_by(before):
        return after
    after = with_entry(after, EVENT, words.not_polled(before.due, began), began)
    return with_notice(after, Kind.LATE, Urgency.KNOW, words.TAKEN_UP_AGAIN, began)


def late_by(run: Run) -> timedelta:
    """How late a poll is told; one that takes minutes to read is given them."""
    return TOLD_AFTER + run.reading
