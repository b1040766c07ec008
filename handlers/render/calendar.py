"""The wave as a calendar: what we plan, what Azure plans, and that it is off when it is off."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, TimezoneStandard, vCalAddress

from handlers.render.contract import announcements, in_order, stage
from handlers.render.words import one_line
from planner.azure.wave import OVER, Stage, Wave
from planner.record.run import Run
from planner.record.states import RunState

_OURS = frozenset({RunState.SCHEDULED, RunState.AWAITING_APPROVAL, RunState.RUNNING, RunState.PAUSED})


NOBODY = "noreply@breakwater.invalid"
"""Who organizes where no sender of mail is set: an address that can never be anybody's (RFC 2606)."""


def calendar(
    tracking_id: str, waves: Sequence[Wave], runs: Iterable[Run], address: str, organizer: str = ""
) -> bytes:
    """An iCalendar feed: one event per scale set, its UID stable, cancelled when the wave or the run is.

    SEQUENCE grows with every announcement and every entry of the run's history, so that a calendar takes
    the newer version. Times are UTC. `organizer` is the mail address it comes from (RFC 5546, 3.2.1: a
    published event has one).

    The X-MAINTNOTE words follow draft-gunter-calext-maintenance-notifications-00, by which readers of such
    notes (circuit-maintenance-parser) know account, object, what it means for the object and where it stands.
    """
    made = Calendar()
    made.add("prodid", "-//Breakwater//Planned maintenance//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"Planned maintenance {tracking_id}")
    heard = announcements(waves)
    called_off = bool(heard) and stage(waves) == Stage.CANCELED.value
    stamp = max((one.received_at for one in heard), default=datetime(1970, 1, 1, tzinfo=UTC))
    for run in in_order(runs):
        event = _event(tracking_id, run, stamp, address)
        if event is None:
            continue
        status = _status(run, called_off=called_off, over=_over(waves))
        event.add("organizer", vCalAddress(f"mailto:{organizer or NOBODY}"))
        event.add("sequence", len(heard) + len(run.story.history))
        event.add("status", status)
        event.add("x-maintnote-status", _stands(run, status))
        made.add_component(event)
    if not made.subcomponents:
        # RFC 5545, 3.6: a calendar has at least one component, and Outlook refuses one that has none.
        made.add_component(_utc())
    written: bytes = made.to_ical()
    return written


def _over(waves: Sequence[Wave]) -> bool:
    heard = announcements(waves)
    return bool(heard) and heard[-1].stage in OVER


def _status(run: Run, *, called_off: bool, over: bool) -> str:
    if run.state is RunState.CANCELLED or (
        called_off and run.state not in {RunState.COMPLETED, RunState.MISSED}
    ):
        return "CANCELLED"
    if run.state is RunState.AWAITING_APPROVAL and not over:
        return "TENTATIVE"
    return "CONFIRMED"


def _stands(run: Run, status: str) -> str:
    """X-MAINTNOTE-STATUS: what the calendar's own words say, and beyond them whether it runs or is done."""
    if status != "CONFIRMED":
        return status
    if run.ended_at is not None and run.state is not RunState.MISSED:
        return "COMPLETED"
    started = run.begun
    return "IN-PROCESS" if started and run.ended_at is None else status


def _utc() -> Timezone:
    """The time zone in which every time of the feed is written."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", "UTC")
    standard.add("dtstart", datetime(1970, 1, 1))  # noqa: DTZ001 - RFC 5545 wants a local time here
    standard.add("tzoffsetfrom", timedelta(0))
    standard.add("tzoffsetto", timedelta(0))
    standard.add("tzname", "UTC")
    zone.add_component(standard)
    return zone


def _event(tracking_id: str, run: Run, stamp: datetime, address: str) -> Event | None:
    span = _span(run)
    if span is None:
        return None
    ours = run.state in _OURS or run.begun
    who = "by us" if ours else "by Azure"
    name = one_line(run.target.name, 100)
    event = Event()
    event.add("uid", f"{tracking_id}.{_flat(run.target.id)}@breakwater")
    event.add("dtstamp", max([stamp, *(entry.at for entry in run.story.history)]).astimezone(UTC))
    event.add("dtstart", span[0].astimezone(UTC))
    event.add("dtend", span[1].astimezone(UTC))
    event.add("summary", f"{tracking_id}: maintenance of {name} {who}")
    event.add("description", one_line(f"{run.state.value.replace('_', ' ')}. {run.reason}", 1000))
    event.add("location", one_line(run.target.location, 100))
    event.add("transp", "TRANSPARENT")
    if address:
        event.add("url", address)
    event.add("x-maintnote-provider", "azure")
    event.add("x-maintnote-account", run.target.subscription)
    event.add("x-maintnote-maintenance-id", tracking_id)
    event.add("x-maintnote-object-id", one_line(run.target.id, 500))
    event.add("x-maintnote-impact", "REDUCED-REDUNDANCY")
    return event


def _span(run: Run) -> tuple[datetime, datetime] | None:
    """From the first batch to the forecast end when it is ours, else Azure's scheduled window."""
    starts = [at for batch in run.batches if (at := batch.started_at or batch.not_before) is not None]
    if starts and run.state not in {RunState.LEFT_TO_AZURE, RunState.NOT_IMPACTED}:
        end = run.ended_at or run.times.forecast_end or run.times.deadline
        return min(starts), max(end or min(starts), min(starts) + timedelta(minutes=1))
    if run.times.scheduled is not None and run.state is not RunState.NOT_IMPACTED:
        return run.times.scheduled.start, max(
            run.times.scheduled.end, run.times.scheduled.start + timedelta(minutes=1)
        )
    return None


def _flat(arm_id: str) -> str:
    return "".join(
        character if character.isalnum() or character in "-_." else "." for character in arm_id.lower()
    )
