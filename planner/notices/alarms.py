"""When a page that nobody has acknowledged goes again, and to whom as well; in whole, from the records alone.

A run says that it pages, by which notice and since when. A channel's record says how it was paged. So a
repeat is a message like any other: claimed, sent, recorded, and due once whatever comes twice or is lost.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.notices.delivery import ChannelState
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.waits import Alarm
from planner.words import receivers as words

SELDOM = timedelta(hours=1)
"""How often it comes again once it has gone to whom it escalates."""

TOGETHER = timedelta(minutes=5)
"""Pages that are due so soon after each other share a message."""


@dataclass(frozen=True, slots=True)
class Ring:
    """A run that pages by its notice `number`, since when (aware UTC), and how often it comes again.

    `escalated`: its own receiver has not acknowledged it for `after`, and this is another one.
    """

    number: int
    since: datetime
    every: timedelta
    after: timedelta
    escalated: bool = False

    def again_after(self, last: datetime) -> datetime:
        """When it pages again after it paged last."""
        first = last < self.since + self.after and not self.escalated
        return last + (self.every if first else max(self.every, SELDOM))


@dataclass(frozen=True, slots=True)
class Pages:
    """What pages now: notice per run, zero where another's run no longer does; else when to look again."""

    now: Mapping[str, int]
    wake: datetime | None = None


def pages(state: ChannelState, rings: Mapping[str, Ring], told: Mapping[str, int], now: datetime) -> Pages:
    """What a channel is paged about again, or as another receiver's; `told` is its last notice per run.

    The first page of a run of its own is not among them: that is told with its notices.
    """
    times = {
        key: at
        for key, ring in rings.items()
        if (at := _next(state, key, ring, told.get(key, 0))) is not None
    }
    due = {key: rings[key].number for key, at in times.items() if at <= now + TOGETHER}
    over = {key: 0 for key, paged in state.paged.items() if paged.escalated and key not in rings}
    if any(at <= now for at in times.values()) or over:
        return Pages(due | over if any(at <= now for at in times.values()) else over)
    return Pages({}, min(times.values(), default=None))


def first(upto: Mapping[str, int], rings: Mapping[str, Ring]) -> Mapping[str, int]:
    """The runs that page for the first time by a message that tells `upto`."""
    return {
        key: rings[key].number for key, number in upto.items() if key in rings and number >= rings[key].number
    }


def _next(state: ChannelState, key: str, ring: Ring, told: int) -> datetime | None:
    paged = state.paged.get(key)
    if paged is not None and paged.number == ring.number:
        return ring.again_after(paged.at)
    if ring.escalated:
        return ring.since + ring.after
    # Told by a version that kept no record of pages.
    return ring.again_after(ring.since) if told >= ring.number else None


def why_again(alarm: Alarm, receiver: str) -> str:
    """Why a page comes once more; `receiver` is whose it is, where it has escalated."""
    of_time = alarm.deadline is not None
    if receiver:
        return words.escalated(receiver, alarm.since, of_time=of_time)
    return words.pages_again(alarm.since, of_time=of_time)


def stood_down(run: Run) -> Notice:
    """What whoever was paged about another's run is told once it no longer pages."""
    alarm = run.standing.alarm
    why, at = (
        words.pages_no_longer(run.reason),
        run.story.history[-1].at if run.story.history else run.planned_at,
    )
    if alarm is not None and alarm.taken_at is not None:
        why, at = words.pages_no_longer_since_taken(alarm.taken_by), alarm.taken_at
    return Notice(run.story.last_notice, at, Kind.ACKNOWLEDGED, Urgency.KNOW, why)
