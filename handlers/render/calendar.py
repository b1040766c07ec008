"""The wave as a calendar: what we plan, what Azure plans, and that it is off when it is off."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from icalendar import Calendar, Event, Timezone, vCalAddress

from handlers.render.contract import announcements, in_order
from handlers.render.outside_text import one_line
from planner.azure.wave import OVER, Stage, Wave
from planner.record.run import Run
from planner.record.states import RunState

_OURS = frozenset({RunState.SCHEDULED, RunState.AWAITING_APPROVAL, RunState.RUNNING, RunState.PAUSED})

NOBODY = "noreply@breakwater.invalid"
"""The organizer where no sender of mail is set: an address that nobody can ever have (RFC 2606)."""

SHORTEST = timedelta(minutes=1)
"""RFC 5545, 3.8.2.2: an event ends after it starts."""


def calendar(
    tracking_id: str, waves: Sequence[Wave], runs: Iterable[Run], address: str, organizer: str = ""
) -> bytes:
    """An iCalendar feed: one event per scale set, its UID stable, cancelled when the wave or the run is.

    SEQUENCE grows with every announcement and every entry of the run's history, so that a calendar takes
    the newer version. Times are UTC. `organizer` is the mail address it comes from (RFC 5546, 3.2.1: a
    published event has one).

    The X-MAINTNOTE properties follow draft-gunter-calext-maintenance-notifications-00: readers of such notes
    (circuit-maintenance-parser) take account, object, impact and status from them.
    """
    made = Calendar()
    made.add("prodid", "-//Breakwater//Planned maintenance//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("x-wr-calname", f"Planned maintenance {tracking_id}")
    heard = announcements(waves)
    latest = heard[-1].stage if heard else None
    stamp = max((announcement.received_at for announcement in heard), default=datetime.fromtimestamp(0, UTC))
    for run in in_order(runs):
        event = _event(tracking_id, run, stamp, address)
        if event is None:
            continue
        status = _status(run, latest)
        event.add("organizer", vCalAddress(f"mailto:{organizer or NOBODY}"))
        event.add("sequence", len(heard) + len(run.story.history))
        event.add("status", status)
        event.add("x-maintnote-status", _note_status(run, status))
        made.add_component(event)
    if not made.subcomponents:
        # RFC 5545, 3.6: a calendar has at least one component, and Outlook refuses one that has none.
        made.add_component(Timezone.from_tzid("UTC"))
    written: bytes = made.to_ical()
    return written


def _status(run: Run, latest: Stage | None) -> str:
    """STATUS, given the stage of the wave's latest announcement."""
    done = run.state in {RunState.COMPLETED, RunState.MISSED}
    if run.state is RunState.CANCELLED or (latest is Stage.CANCELED and not done):
        return "CANCELLED"
    if run.state is RunState.AWAITING_APPROVAL and latest not in OVER:
        return "TENTATIVE"
    return "CONFIRMED"


def _note_status(run: Run, status: str) -> str:
    """X-MAINTNOTE-STATUS: like STATUS, and beyond it whether the run is under way or done."""
    if status != "CONFIRMED":
        return status
    if run.ended_at is not None:
        return status if run.state is RunState.MISSED else "COMPLETED"
    return "IN-PROCESS" if run.begun else status


def _event(tracking_id: str, run: Run, stamp: datetime, address: str) -> Event | None:
    span = _span(run)
    if span is None:
        return None
    who = "by us" if run.state in _OURS or run.begun else "by Azure"
    name = one_line(run.target.name, 100)
    event = Event()
    event.add("uid", f"{tracking_id}.{re.sub(r'[^\w.-]', '.', run.target.id.lower())}@breakwater")
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
    if run.state is RunState.NOT_IMPACTED:
        return None
    starts = [at for batch in run.batches if (at := batch.started_at or batch.not_before) is not None]
    if starts and run.state is not RunState.LEFT_TO_AZURE:
        start = min(starts)
        end = run.ended_at or run.times.forecast_end or run.times.deadline or start
    elif run.times.scheduled is not None:
        start, end = run.times.scheduled.start, run.times.scheduled.end
    else:
        return None
    return start, max(end, start + SHORTEST)
