"""The wave as a calendar: valid, its events the same from one fetch to the next, and maintenance notes."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from planner.azure.wave import Stage
from planner.record.states import RunState
from tests.handlers.reader import HOSTILE, get, left
from tests.notices import HOUR, NOW, SUBSCRIPTION, TRACKING, batch, paused, run, store, wave


async def test_the_calendar_is_valid_and_keeps_its_uids(clients):
    await store(clients, paused("db"), left("batch"))
    first = await get(clients, wave=f"{TRACKING}.ics")
    await store(clients, paused("db"), left("batch"), announced=wave(paused("db"), stage=Stage.CANCELED))
    second = await get(clients, wave=f"{TRACKING}.ics")

    before, after = (Calendar.from_ical(answer.body) for answer in (first, second))
    assert first.content_type == "text/calendar"
    before.validate()
    events = before.walk("VEVENT")
    assert [event.errors for event in events] == [[], []]
    assert {str(event["uid"]) for event in events} == {str(event["uid"]) for event in after.walk("VEVENT")}
    assert {str(event["status"]) for event in events} == {"CONFIRMED"}
    assert {str(event["status"]) for event in after.walk("VEVENT")} == {"CANCELLED"}
    ours, azures = sorted(events, key=lambda event: str(event["summary"]), reverse=True)
    assert ours["dtstart"].dt.isoformat() == "2026-11-25T13:00:00+00:00"
    assert azures["dtstart"].dt == left("batch").times.scheduled.start


async def test_a_newer_announcement_raises_the_calendars_sequence(clients):
    one = wave(paused("db"))
    await store(clients, paused("db"), announced=one)
    before = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body).walk("VEVENT")[0]
    newer = replace(one.current, communication_id="2", alert="b" * 64)
    await store(clients, announced=replace(one, announcements=(one.current, newer)))
    after = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body).walk("VEVENT")[0]

    assert int(after["sequence"]) > int(before["sequence"])


async def test_a_wave_of_which_nothing_has_a_time_yet_is_a_calendar_that_outlook_takes(clients):
    await store(clients, run("web", state=RunState.NOT_IMPACTED))

    parsed = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body)

    parsed.validate()
    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VTIMEZONE", "STANDARD"]
    assert [part.errors for part in parsed.walk()] == [[]] * 3


def maintenance_note(event: Any) -> dict[str, str]:
    """What readers of maintenance notes ask of an event; draft-gunter-calext-maintenance-notifications-00."""
    names = ("PROVIDER", "ACCOUNT", "MAINTENANCE-ID", "OBJECT-ID", "IMPACT", "STATUS")
    return {name: str(event[f"X-MAINTNOTE-{name}"]) for name in names}


async def test_every_event_is_a_maintenance_note_with_an_organizer(clients):
    await store(clients, paused("db"), left("batch"))
    events = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body).walk("VEVENT")

    for event in events:
        note = maintenance_note(event)
        assert (note["PROVIDER"], note["ACCOUNT"], note["MAINTENANCE-ID"]) == (
            "azure",
            SUBSCRIPTION,
            TRACKING,
        )
        assert note["OBJECT-ID"].startswith(f"/subscriptions/{SUBSCRIPTION}/")
        assert note["IMPACT"] in {"NO-IMPACT", "REDUCED-REDUNDANCY", "DEGRADED", "OUTAGE"}
        assert str(event["organizer"]) == "mailto:breakwater@example.org"
        assert all(event[name].dt.utcoffset() == timedelta(0) for name in ("dtstart", "dtend", "dtstamp"))
        assert int(event["sequence"]) >= 0


@pytest.mark.parametrize(
    ("state", "started", "ended", "status"),
    [
        (RunState.SCHEDULED, False, False, "CONFIRMED"),
        (RunState.AWAITING_APPROVAL, False, False, "TENTATIVE"),
        (RunState.RUNNING, True, False, "IN-PROCESS"),
        (RunState.PAUSED, True, False, "IN-PROCESS"),
        (RunState.COMPLETED, True, True, "COMPLETED"),
        (RunState.CANCELLED, True, True, "CANCELLED"),
        (RunState.MISSED, True, True, "CONFIRMED"),
        (RunState.LEFT_TO_AZURE, False, False, "CONFIRMED"),
    ],
)
async def test_a_maintenance_note_says_where_it_stands(clients, state, started, ended, status):
    at = NOW - HOUR if started else None
    one = replace(batch(1, "1"), started_at=at, not_before=NOW)
    await store(
        clients,
        run(
            "web",
            state=state,
            batches=(one,),
            ended_at=NOW if ended else None,
            scheduled=left("x").times.scheduled,
        ),
    )

    (event,) = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body).walk("VEVENT")

    assert maintenance_note(event)["STATUS"] == status


async def test_hostile_text_cannot_break_the_calendar(clients):
    odd = "x\r\nEND:VEVENT\r\nBEGIN:VALARM\n" + HOSTILE
    strange = paused("db", reason=odd)
    await store(clients, replace(strange, target=replace(strange.target, location=odd)))

    parsed = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body)

    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VEVENT"]
