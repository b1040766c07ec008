"""The calendar that mails bring along: with what changes a time, the receiver's own, and the feed's versions."""

from dataclasses import replace

import pytest
from icalendar import Calendar

from handlers.cloud.records import Conflict
from handlers.delivery import calendars
from planner.record.notice import Kind, Urgency
from planner.record.states import RunState
from tests.handlers.desk import MINUTE, office
from tests.notices import HOUR, NOW, TRACKING, notice, paused, run, store, wave, with_notice


def attached(mail):
    return [part for part in mail.iter_attachments() if part.get_content_type() == "text/calendar"]


def events(mail):
    (part,) = attached(mail)
    return {str(one["uid"]): one for one in Calendar.from_ical(part.get_payload(decode=True)).walk("VEVENT")}


async def test_the_announcement_brings_the_calendar_and_a_start_does_not(desk):
    one = run("web", notice())
    await store(desk.wiring, one)
    await desk.tell()
    await desk.tell(after=MINUTE)
    begun = notice(2, Kind.STARTED, sentence="Maintenance has begun.")
    await store(desk.wiring, with_notice(one, begun, state=RunState.RUNNING))
    await desk.tell(after=2 * MINUTE)

    announced, started = desk.mail.messages
    (event,) = events(announced).values()
    assert str(event["summary"]) == "web: 3 instances reboot, at most 2 at a time"
    (part,) = attached(announced)
    assert part["content-type"].params["method"] == "PUBLISH"
    assert attached(started) == []


@pytest.mark.parametrize("kind", [Kind.REPLANNED, Kind.CANCELLED])
async def test_a_change_brings_a_newer_version_of_the_same_event(desk, kind):
    one = run("web", notice())
    await store(desk.wiring, one)
    await desk.tell()
    await desk.tell(after=MINUTE)
    moved = replace(one, batches=tuple(replace(each, not_before=NOW + 60 * HOUR) for each in one.batches))
    state = RunState.CANCELLED if kind is Kind.CANCELLED else RunState.SCHEDULED
    await store(desk.wiring, with_notice(moved, notice(2, kind), state=state))
    await desk.tell(after=2 * MINUTE)

    before, after = (events(mail) for mail in desk.mail.messages)
    assert before.keys() == after.keys()
    ((old, new),) = ((before[uid], after[uid]) for uid in before)
    assert int(new["sequence"]) > int(old["sequence"])
    if kind is Kind.REPLANNED:
        assert new["dtstart"].dt == NOW + 60 * HOUR
    else:
        assert str(new["status"]) == "CANCELLED"


async def test_each_receiver_gets_its_own_scale_sets(storage, tmp_path):
    receivers = {"data": {"email": ["data@example.org"]}}
    async with office(storage, tmp_path, receivers=receivers) as desk:
        await store(
            desk.wiring,
            run("web", notice()),
            run("db", notice(), receiver="data"),
            announced=wave(run("web"), run("db")),
        )
        await desk.tell()
        await desk.tell(after=MINUTE)

        found = [[str(one["summary"])[:3] for one in events(mail).values()] for mail in desk.mail.messages]
        assert sorted(found) == [["db:"], ["web"]]


async def test_a_scale_set_that_changes_hands_is_cancelled_for_who_had_it(desk):
    one = run("web", notice())
    await store(desk.wiring, one, run("api", notice()))
    await desk.tell()
    await desk.tell(after=MINUTE)
    theirs = replace(one, terms=replace(one.terms, receiver="data"))
    await store(desk.wiring, theirs, with_notice(run("api", notice()), notice(2, Kind.REPLANNED)))
    await desk.tell(after=2 * MINUTE)

    found = events(desk.mail.messages[-1])
    status = {str(one["summary"]).split(":")[-2].strip(): str(one["status"]) for one in found.values()}
    assert status == {"api": "CONFIRMED", "web": "CANCELLED"}


async def test_a_mail_and_the_feed_its_receiver_subscribes_to_say_the_same(desk):
    await store(desk.wiring, run("web", notice()), paused("db"))
    await desk.tell()
    await desk.tell(after=MINUTE)
    desk.clock.pass_(HOUR)

    own = await calendars.of_receiver("OPS", desk.wiring, desk.wiring.addresses("ops"))

    fed = {str(one["uid"]): one for one in Calendar.from_ical(own).walk("VEVENT")}
    mailed = events(desk.mail.messages[-1])
    assert fed.keys() == mailed.keys()
    assert all(int(fed[uid]["sequence"]) == int(mailed[uid]["sequence"]) for uid in fed)


async def test_a_calendar_that_cannot_be_kept_holds_up_no_mail(desk, monkeypatch):
    await store(desk.wiring, run("web", notice()))

    async def refused(*_):
        raise Conflict("somebody else")

    monkeypatch.setattr(desk.wiring.calendars, "revise", refused)
    await desk.tell()
    await desk.tell(after=MINUTE)

    (mail,) = desk.mail.messages
    assert attached(mail) == []


async def test_a_message_about_no_scale_set_brings_none_and_a_page_about_one_neither(desk):
    one = run("web", notice())
    await store(desk.wiring, one)
    await desk.tell()
    await desk.tell(after=MINUTE)
    page = notice(2, Kind.PAUSED, Urgency.PAGE)
    await store(desk.wiring, with_notice(one, page, state=RunState.PAUSED))
    await desk.tell(after=2 * MINUTE)

    assert [len(attached(mail)) for mail in desk.mail.messages] == [1, 0]
    assert TRACKING in desk.subjects[1]
