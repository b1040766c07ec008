"""Calendar feeds as iCalendar: what programs subscribe to, mails bring along, and circuit tools read."""

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, timedelta

from icalendar import Calendar, Event, Timezone, vCalAddress, vText, vUri

from planner.notices.feed import Feed, Published, Standing

NOBODY = "noreply@breakwater.invalid"
"""The organizer where no sender of mail is set: an address that nobody can ever have (RFC 2606)."""

REFRESH = timedelta(hours=1)
"""How often a program that subscribes should ask again."""

CANCELLED = (
    "This is off: it has moved to another time, was left out, or is left to Azure. What is planned now "
    "stands in the calendar's other events."
)


def calendar(
    name: str,
    feeds: Iterable[Feed],
    address: Callable[[str], str],
    *,
    organizer: str = "",
    source: str = "",
    only: Collection[str] | None = None,
) -> bytes:
    """The events of the feeds as one calendar; `address` is a wave's page. All times are UTC.

    `organizer` is the mail address it comes from (RFC 5546, 3.2.1: a published event has one), `source` where
    a program finds it again, `only` the ARM ids of the scale sets it is cut down to.

    The X-MAINTNOTE properties follow draft-gunter-calext-maintenance-notifications-00: readers of such notes
    (circuit-maintenance-parser) take account, object, impact and status from them.
    """
    made = Calendar()
    made.add("prodid", "-//Breakwater//Planned maintenance//EN")
    made.add("version", "2.0")
    made.add("method", "PUBLISH")
    made.add("name", name)  # RFC 7986; the others below are what programs know it by
    made.add("x-wr-calname", name)
    made.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    made.add("x-published-ttl", "PT1H")
    if source:
        made.add("source", vUri(source), parameters={"VALUE": "URI"})
    for feed in feeds:
        page = address(feed.tracking_id)
        for said in feed.events:
            if only is None or any(each.id in only for each in said.appointment.concerned):
                made.add_component(_event(feed.tracking_id, said, page, organizer or NOBODY))
    if not made.subcomponents:
        # RFC 5545, 3.6: a calendar has at least one component, and Outlook refuses one that has none.
        made.add_component(Timezone.from_tzid("UTC"))
    written: bytes = made.to_ical()
    return written


def _event(tracking_id: str, said: Published, page: str, organizer: str) -> Event:
    told = said.appointment
    off = told.standing is Standing.CANCELLED
    event = Event()
    event.add("uid", said.uid)
    event.add("sequence", said.sequence)
    event.add("dtstamp", said.changed_at.astimezone(UTC))
    event.add("last-modified", said.changed_at.astimezone(UTC))
    event.add("dtstart", told.start.astimezone(UTC))
    event.add("dtend", told.end.astimezone(UTC))
    event.add("summary", f"Cancelled: {told.summary}" if off else told.summary)
    event.add("description", CANCELLED if off else told.description)
    event.add("status", _status(told.standing))
    event.add("transp", "TRANSPARENT")
    event.add("organizer", vCalAddress(f"mailto:{organizer}"))
    if told.location:
        event.add("location", told.location)
    if page:
        event.add("url", page)
    event.add("x-maintnote-provider", "azure")
    event.add("x-maintnote-account", told.account)
    event.add("x-maintnote-maintenance-id", tracking_id)
    event.add("x-maintnote-status", told.standing.value)
    impacts = [each.impact for each in told.concerned]
    event.add("x-maintnote-impact", "OUTAGE" if "OUTAGE" in impacts else "REDUCED-REDUNDANCY")
    for each in told.concerned:
        event.add(
            "x-maintnote-object-id", vText(each.id), parameters={"X-MAINTNOTE-OBJECT-IMPACT": each.impact}
        )
    return event


def _status(standing: Standing) -> str:
    """STATUS of an event, which knows nothing between planned and off."""
    known = {Standing.TENTATIVE, Standing.CANCELLED}
    return standing.value if standing in known else Standing.CONFIRMED.value
