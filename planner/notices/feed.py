"""What a calendar feed has said: each of its appointments with the number of its last change.

A calendar program takes a newer version of an appointment only under the same UID and a higher SEQUENCE, and
keeps what merely disappears. Times come from records, from the queue's places and from words, and all of
them can change: so what was said is kept, and what is said next is compared with it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count

from planner.record.notice import Kind

CHANGES = frozenset({Kind.PLANNED, Kind.REPLANNED, Kind.CANCELLED})
"""Notices that change what stands in a calendar."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Standing(StrEnum):
    """Where an appointment stands, in the words of maintenance notes (draft-gunter-calext)."""

    TENTATIVE = "TENTATIVE"
    CONFIRMED = "CONFIRMED"
    IN_PROCESS = "IN-PROCESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True)
class Concerned:
    """A scale set that an appointment is about, by its ARM id, and what it means for it (`OUTAGE`, ...)."""

    id: str
    impact: str


@dataclass(frozen=True, slots=True)
class Appointment:
    """One event of a calendar as people read it; times aware UTC.

    `series` names whose it is: a scale set in a wave, or what a wave leaves to Azure. Those of a series are
    numbered in the order of time. `account` is the subscription.
    """

    series: str
    start: datetime
    end: datetime
    standing: Standing
    summary: str
    description: str
    account: str
    concerned: tuple[Concerned, ...] = ()
    location: str = ""

    @property
    def over(self) -> bool:
        return self.standing is Standing.COMPLETED


@dataclass(frozen=True, slots=True)
class Published:
    """An appointment as it was last said. `changed_at` is when it was said first in this form, aware UTC."""

    appointment: Appointment
    number: int
    sequence: int
    changed_at: datetime

    @property
    def uid(self) -> str:
        return f"{self.appointment.series}.{self.number}@breakwater"


@dataclass(frozen=True, slots=True)
class Feed:
    """What was said of a wave, to a receiver about its own scale sets, or of all of them (no receiver)."""

    tracking_id: str
    receiver: str = ""
    events: tuple[Published, ...] = ()
    v: int = 1


def revised(feed: Feed, appointments: Iterable[Appointment], now: datetime, *, every: bool = True) -> Feed:
    """The feed as it is to be said now; the same feed where nothing has changed.

    Of each series the first appointment keeps the first number, and so on: one that moves to another night
    keeps its UID. What is over and that the record no longer knows stays as it was, under its number. What
    is not said any more is cancelled; unless not `every` appointment could be read: then a series of which
    nothing was read stays as it is.
    """
    series: dict[str, tuple[list[Published], list[Appointment]]] = {}
    for said in feed.events:
        series.setdefault(said.appointment.series, ([], []))[0].append(said)
    for appointment in appointments:
        series.setdefault(appointment.series, ([], []))[1].append(appointment)
    events: list[Published] = []
    for _, (before, due) in sorted(series.items()):
        events += before if not due and not every else _series(before, due, now)
    return replace(feed, events=tuple(events))


def _series(before: Sequence[Published], wanted: Sequence[Appointment], now: datetime) -> list[Published]:
    starts = {appointment.start for appointment in wanted}
    known = {said.number: said for said in before}
    past = {
        number: said
        for number, said in known.items()
        if said.appointment.over and said.appointment.start not in starts
    }
    free = (number for number in count(1) if number not in past)
    due = dict(zip(free, sorted(wanted, key=lambda each: (each.start, each.end)), strict=False))
    found = dict(past)
    for number in sorted(known.keys() | due.keys()):
        if number in past:
            continue
        said = known.get(number)
        told = due.get(number) or replace(known[number].appointment, standing=Standing.CANCELLED)
        if said is not None and said.appointment == told:
            found[number] = said
        else:
            found[number] = Published(told, number, _sequence(said, now), now)
    return [found[number] for number in sorted(found)]


def _sequence(said: Published | None, now: datetime) -> int:
    """Higher than before; in minutes since 1970, because the same appointment stands in several feeds.

    Who has it from a mail and opens the wave's calendar a day later takes that one: it was said later.
    """
    minutes = (now - EPOCH) // timedelta(minutes=1)
    return minutes if said is None else max(said.sequence + 1, minutes)
