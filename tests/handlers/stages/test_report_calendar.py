"""The wave as a calendar at its address: valid, kept in versions, whole, and read by circuit tools."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from circuit_maintenance_parser import GenericProvider, NotificationData
from icalendar import Calendar

from handlers.cloud.names import calendar_path
from handlers.cloud.records import Conflict
from handlers.stages import report
from handlers.wire.documents import decode, encode
from handlers.wire.http import Request
from planner.azure.wave import Stage
from planner.notices.feed import Feed
from planner.record.states import BatchState, InstanceState, RunState
from tests.handlers.reader import HOSTILE, get, left
from tests.notices import HOUR, NOW, SUBSCRIPTION, TRACKING, batch, paused, run, store, wave


async def events(clients):
    answer = await get(clients, wave=f"{TRACKING}.ics")
    assert (answer.status, answer.content_type) == (200, "text/calendar")
    parsed = Calendar.from_ical(answer.body)
    parsed.validate()
    assert [part.errors for part in parsed.walk()] == [[]] * len(parsed.walk())
    return {str(event["uid"]): event for event in parsed.walk("VEVENT")}


def maintenances(body):
    """What a circuit tool makes of it; the parser refuses a note that lacks a field."""
    notes = GenericProvider().get_maintenances(NotificationData.init_from_raw("ical", body))
    return sorted(notes, key=lambda note: note.summary)


async def test_a_wave_that_azure_cancels_cancels_its_events_and_keeps_their_uids(clients):
    await store(clients, run("db"), left("batch"))
    before = await events(clients)
    await store(clients, announced=wave(run("db"), stage=Stage.CANCELED))
    after = await events(clients)

    assert len(before) == 2
    assert before.keys() == after.keys()
    assert {str(event["status"]) for event in before.values()} == {"CONFIRMED"}
    assert {str(event["status"]) for event in after.values()} == {"CANCELLED"}
    assert all(int(after[uid]["sequence"]) > int(event["sequence"]) for uid, event in before.items())


async def test_a_calendar_fetched_twice_is_the_same_to_the_byte(clients):
    await store(clients, run("db"), left("batch"))
    first = await get(clients, wave=f"{TRACKING}.ics")
    clients.now.pass_(HOUR)

    assert (await get(clients, wave=f"{TRACKING}.ics")).body == first.body


async def test_a_scale_set_that_left_the_wave_is_cancelled_and_the_others_stay(clients):
    await store(clients, run("db"), run("web"), announced=wave(run("db"), run("web")))
    before = await events(clients)
    await store(clients, replace(run("db"), waves=("VM99-0ZZ",)), announced=wave(run("web")))
    after = await events(clients)

    assert before.keys() == after.keys()
    status = {str(event["summary"]): str(event["status"]) for event in after.values()}
    assert status == {
        "Cancelled: db: 3 instances reboot, at most 2 at a time": "CANCELLED",
        "web: 3 instances reboot, at most 2 at a time": "CONFIRMED",
    }


async def test_a_record_that_cannot_be_read_cancels_nothing(clients):
    await store(clients, run("db"), run("web"))
    before = await events(clients)
    path = f"runs/{SUBSCRIPTION}/shop/db.json"
    stored = await clients.records.read(path)
    await clients.records.write(path, b"{}", etag=stored.etag, metadata=dict(stored.metadata))

    assert await events(clients) == before


async def test_a_policy_that_moves_a_sitting_is_a_newer_version_of_the_same_event(clients):
    one = run("db")
    await store(clients, one)
    (before,) = (await events(clients)).values()
    moved = replace(one, batches=tuple(replace(each, not_before=NOW + 50 * HOUR) for each in one.batches))
    await store(clients, moved)
    (after,) = (await events(clients)).values()

    assert str(before["uid"]) == str(after["uid"])
    assert int(after["sequence"]) > int(before["sequence"])
    assert after["dtstart"].dt == NOW + 50 * HOUR


async def test_what_is_left_to_azure_is_one_event_over_azures_window(clients):
    await store(clients, left("batch"), left("api"))

    (event,) = (await events(clients)).values()

    window = left("batch").times.scheduled
    assert (event["dtstart"].dt, event["dtend"].dt) == (window.start, window.end)
    assert str(event["summary"]) == "Azure reboots api and batch at a time it chooses"
    assert len(event["x-maintnote-object-id"]) == 2


async def test_a_calendar_of_one_state_leaves_out_the_others_and_cancels_none(clients):
    await store(clients, run("db"), paused("web"))
    whole = await events(clients)
    answer = await get(clients, wave=f"{TRACKING}.ics")
    asked = Request("GET", {"wave": f"{TRACKING}.ics"}, {"state": "paused"})
    some = Calendar.from_ical((await report.handle(asked, clients)).body).walk("VEVENT")

    assert len(whole) == 2
    assert [str(event["summary"])[:11] for event in some] == ["Paused: web"]
    assert (await get(clients, wave=f"{TRACKING}.ics")).body == answer.body


async def test_a_wave_of_which_nothing_has_a_time_yet_is_a_calendar_that_outlook_takes(clients):
    await store(clients, run("web", state=RunState.NOT_IMPACTED))

    parsed = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body)

    parsed.validate()
    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VTIMEZONE", "STANDARD"]
    assert [part.errors for part in parsed.walk()] == [[]] * 3


async def test_two_who_fetch_at_once_see_one_version(clients):
    await store(clients, run("db"))
    answers = await asyncio.gather(*(get(clients, wave=f"{TRACKING}.ics") for _ in range(4)))

    assert len({answer.body for answer in answers}) == 1


async def test_a_version_that_cannot_be_written_is_not_shown(clients, monkeypatch):
    await store(clients, run("db"))
    write = clients.records.write

    async def refused(path, *given, **more):
        if path.startswith("calendars/"):
            raise Conflict("somebody else")
        return await write(path, *given, **more)

    monkeypatch.setattr(clients.records, "write", refused)
    answer = await get(clients, wave=f"{TRACKING}.ics")

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")


async def test_what_a_calendar_has_said_is_on_record_and_a_broken_record_starts_newer_versions(clients):
    await store(clients, run("db"))
    (before,) = (await events(clients)).values()
    path = calendar_path(TRACKING, "")
    stored = await clients.records.read(path)
    feed = decode(Feed, stored.body)
    assert [one.uid for one in feed.events] == [str(before["uid"])]
    assert encode(feed) == stored.body
    await clients.records.write(path, b"[]", etag=stored.etag)
    clients.now.pass_(HOUR)

    (after,) = (await events(clients)).values()
    assert str(after["uid"]) == str(before["uid"])
    assert int(after["sequence"]) > int(before["sequence"])


async def test_a_circuit_tool_reads_every_field_of_every_event(clients):
    await store(clients, run("db", serving=2), left("batch"), left("api"))

    body = (await get(clients, wave=f"{TRACKING}.ics")).body
    azures, ours = maintenances(body)

    assert [note.provider for note in (azures, ours)] == ["azure"] * 2
    assert [note.account for note in (azures, ours)] == [SUBSCRIPTION] * 2
    assert [note.maintenance_id for note in (azures, ours)] == [TRACKING] * 2
    assert [note.organizer for note in (azures, ours)] == ["mailto:breakwater@example.org"] * 2
    assert [(each.circuit_id.rpartition("/")[2], each.impact.value) for each in azures.circuits] == [
        ("api", "REDUCED-REDUNDANCY"),
        ("batch", "REDUCED-REDUNDANCY"),
    ]
    (circuit,) = ours.circuits
    assert (circuit.circuit_id, circuit.impact.value) == (run("db").target.id, "OUTAGE")
    assert (ours.status.value, ours.start) == ("CONFIRMED", int((NOW + 25 * HOUR).timestamp()))
    assert ours.end > ours.start
    assert ours.stamp == int(NOW.timestamp())
    (known,) = (event for uid, event in (await events(clients)).items() if uid == ours.uid)
    assert ours.sequence == int(known["sequence"])


@pytest.mark.parametrize(
    ("state", "batch_state", "status"),
    [
        (RunState.SCHEDULED, BatchState.PENDING, "CONFIRMED"),
        (RunState.AWAITING_APPROVAL, BatchState.PENDING, "TENTATIVE"),
        (RunState.PAUSED, BatchState.PENDING, "TENTATIVE"),
        (RunState.RUNNING, BatchState.REBOOTING, "IN-PROCESS"),
        (RunState.PAUSED, BatchState.FAILED, "IN-PROCESS"),
        (RunState.RUNNING, BatchState.SOAKING, "COMPLETED"),
        (RunState.COMPLETED, BatchState.DONE, "COMPLETED"),
        (RunState.MISSED, BatchState.DONE, "COMPLETED"),
    ],
)
async def test_a_maintenance_note_says_where_it_stands(clients, state, batch_state, status):
    at = None if batch_state is BatchState.PENDING else NOW - HOUR
    one = replace(batch(1, "1"), state=batch_state, started_at=at, not_before=NOW)
    await store(clients, run("web", state=state, batches=(one,)))

    (note,) = maintenances((await get(clients, wave=f"{TRACKING}.ics")).body)

    assert note.status.value == status


async def test_a_circuit_tool_reads_what_is_off_as_cancelled(clients):
    await store(clients, run("db"))
    await events(clients)
    await store(clients, run("db", state=RunState.CANCELLED))

    (note,) = maintenances((await get(clients, wave=f"{TRACKING}.ics")).body)

    assert note.status.value == "CANCELLED"
    assert note.circuits


async def test_hostile_text_cannot_break_the_calendar(clients):
    odd = "x\r\nEND:VEVENT\r\nBEGIN:VALARM\n" + HOSTILE
    strange = paused("db", reason=odd)
    await store(clients, replace(strange, target=replace(strange.target, location=odd)), left("batch"))

    parsed = Calendar.from_ical((await get(clients, wave=f"{TRACKING}.ics")).body)

    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VEVENT", "VEVENT"]


async def test_a_wave_followed_to_its_end_keeps_the_times_it_really_had(scene):
    """Through the real stages: planned, rebooted domain by domain, over."""
    await scene.planned()

    async def fetched():
        answer = await get(scene.wiring, wave=f"{TRACKING}.ics")
        return Calendar.from_ical(answer.body).walk("VEVENT")

    (planned,) = await fetched()
    versions = [int(planned["sequence"])]
    scene.clock.forward(hours=1)
    for _ in range(60):
        one = await scene.poll()
        if one.state is RunState.COMPLETED:
            break
        scene.clock.at = max(one.due, scene.clock.at + timedelta(seconds=30))
        versions += [int(event["sequence"]) for event in await fetched()]
    (over,) = await fetched()

    assert one.state is RunState.COMPLETED
    assert versions == sorted(versions)
    assert str(over["uid"]) == str(planned["uid"])
    assert str(over["x-maintnote-status"]) == "COMPLETED"
    assert str(over["summary"]) == "web: 4 of 4 instances rebooted"
    started = [each.started_at for each in one.batches]
    verified = [each.verified_at for each in one.batches]
    assert timedelta(0) <= min(started) - over["dtstart"].dt < timedelta(minutes=1)
    assert timedelta(0) <= over["dtend"].dt - max(verified) < timedelta(minutes=1)
    assert {each.state for each in one.instances} == {InstanceState.MAINTAINED}
