"""A receiver's own calendar: one feed of its scale sets in all waves, by a link that shows nothing else."""

from datetime import timedelta

import pytest
from icalendar import Calendar

from handlers.render.addresses import OWN_CALENDAR, Addresses, InLink
from handlers.wire.link_token import SUBSCRIBED
from planner.azure.wave import Stage
from tests.handlers.linked import (
    ASKING,
    TIMED,
    WAVE,
    announce,
    behind,
    linked,
    open_,
    says,
    send,
    to,
    unchanged,
)
from tests.handlers.parts import NOW, SUBSCRIPTION, put, run


@pytest.fixture
async def wiring(storage):
    async with linked(storage) as made:
        yield made


async def test_a_receivers_own_calendar_is_a_feed_over_all_its_waves(wiring):
    await put(wiring, run("web", receiver="ops", batches=TIMED, **ASKING))
    token = to("feed", place=())

    for rest in ("", OWN_CALENDAR):
        answer = await open_(wiring, token, rest)
        assert (answer.status, answer.content_type) == (200, "text/calendar")
    (event,) = Calendar.from_ical(answer.body).walk("VEVENT")
    assert str(event["summary"]) == "Not approved: web: 2 instances reboot"
    token, rest = behind(str(event["url"]))
    assert (await open_(wiring, token, rest)).content_type == "text/html"


async def test_a_receiver_of_nothing_has_a_calendar_all_the_same(wiring):
    answer = await open_(wiring, to("feed", place=(), receiver="somebody"))

    assert answer.status == 200
    assert [part.name for part in Calendar.from_ical(answer.body).subcomponents] == ["VTIMEZONE"]


async def test_the_link_of_a_calendar_shows_nothing_else_and_does_nothing(wiring):
    token = to("feed", place=())

    for rest in (f"{WAVE}.ics", WAVE, f"{SUBSCRIPTION}/Prod-RG/web", "calendar.ics/x"):
        answer = await open_(wiring, token, rest)
        assert answer.status == 403, rest
        assert "the calendar of ops alone" in says(answer)
    assert (await send(wiring, token)).status == 405
    assert (await open_(wiring, to(place=(WAVE,)), OWN_CALENDAR)).status == 403
    assert await unchanged(wiring)


async def test_who_subscribes_does_so_for_more_than_a_year_and_is_told_when_it_is_over(wiring):
    token = to("feed", place=())

    wiring.clock.at = NOW + SUBSCRIBED - timedelta(days=1)
    assert (await open_(wiring, token)).status == 200
    wiring.clock.at = NOW + SUBSCRIBED
    answer = await open_(wiring, token)
    assert (answer.status, "newer link" in says(answer)) == (410, True)


async def test_a_wave_that_was_over_ninety_days_ago_is_no_longer_in_it(wiring):
    await put(wiring, run("web", receiver="ops", batches=TIMED))
    await announce(wiring, stage=Stage.COMPLETE)

    for days, events in ((89, 1), (91, 0)):
        wiring.clock.at = NOW + timedelta(days=days)
        answer = await open_(wiring, to("feed", place=()))
        assert len(Calendar.from_ical(answer.body).walk("VEVENT")) == events


async def test_a_message_names_the_calendar_of_its_receiver(wiring):
    address = wiring.addresses("ops").own_calendar()

    assert address.endswith(f"/{OWN_CALENDAR}")
    assert (await open_(wiring, *behind(address))).content_type == "text/calendar"
    assert Addresses("https://app.example").own_calendar() == ""
    assert InLink("https://app.example", token="t", place=(WAVE,)).own_calendar() == ""
