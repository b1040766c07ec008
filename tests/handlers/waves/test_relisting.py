"""Later listings of a wave: one answer is no proof, whom the first left out is found, who is missing stays."""

from datetime import timedelta

import pytest

from handlers.cloud.errors import Throttled, Unreachable
from handlers.stages import discover
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage
from tests.handlers.discovering import FLEET, discovered, hit, stored, the_wave, told
from tests.handlers.parts import (
    SUBSCRIPTION,
    alert,
    later,
    scale_set,
)


@pytest.fixture
def wiring(wiring):
    wiring.fake.sets = list(FLEET)
    return wiring


async def test_a_scale_set_that_is_no_longer_listed_still_hears_of_its_wave(wiring):
    await discovered(wiring, alert())
    wiring.spy.forget()
    wiring.fake.sets = [scale_set("web"), scale_set("new")]
    wiring.clock.forward(minutes=2)
    await discovered(wiring, later(alert(), hours=1, communication="2", stage="Rescheduled"))
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1, "new": 1}


async def test_a_listing_that_azure_puts_off_for_half_an_hour_is_told_once(wiring):
    wiring.fake.trouble = Throttled(timedelta(minutes=20))
    message = await discovered(wiring, alert())
    for _ in range(4):
        message = wiring.spy.of(ALERTS)[-1]
        wiring.clock.at += wiring.spy.delays(ALERTS)[-1]
        await discover.handle(message, wiring)
    (notice,) = wiring.spy.of(NOTICES)
    assert notice.unread
    assert "could not be listed for half an hour: Azure asks to wait 1200 s" in notice.text


async def test_a_wave_of_a_region_without_scale_sets_is_told_and_plans_nothing(wiring):
    await discovered(wiring, alert(impactedServices=hit("Japan East")))
    (notice,) = (notice for notice in wiring.spy.of(NOTICES) if notice.kind == "empty_wave")
    assert notice.text == (
        f"Wave VM12-3AB names japaneast in subscription {SUBSCRIPTION}, where Breakwater sees no scale set; "
        "nothing is planned."
    )
    assert told(wiring) == {}
    assert wiring.spy.of(ALERTS) == [], "there is nobody to look up"


async def test_an_empty_listing_is_no_proof_and_tells_nobody_yet(wiring):
    wiring.fake.sets = []
    message = await discovered(wiring, alert())
    assert {notice.kind for notice in wiring.spy.of(NOTICES)} == {"wave"}
    await relisted(wiring, message)
    (notice,) = (notice for notice in wiring.spy.of(NOTICES) if notice.kind == "empty_wave")
    assert notice.tracking_id == "VM12-3AB"


async def relisted(wiring, message: AlertMessage) -> timedelta:
    """Listed again when it is time; when the next time comes."""
    wiring.clock.at = max(wiring.clock.at, (await the_wave(wiring)).list_again)
    await discover.handle(message.model_copy(update={"relist": True, "swept": True}), wiring)
    return (await the_wave(wiring)).list_again - wiring.now()


async def test_a_second_listing_a_quarter_of_an_hour_later_finds_whom_the_first_left_out(wiring):
    wiring.fake.sets = [one for one in FLEET if one.name != "api"]
    message = await discovered(wiring, alert())
    assert told(wiring) == {"web": 1, "eu": 1}
    assert (await the_wave(wiring)).list_again == wiring.now() + timedelta(minutes=15)
    wiring.fake.sets = list(FLEET)
    wiring.spy.forget()
    assert await relisted(wiring, message) == timedelta(hours=1), "the two differed"
    assert told(wiring) == {"api": 1}
    assert [message.renew for message in wiring.spy.of(ALERTS)] == ["*"]
    assert wiring.fake.listings == 2


async def test_listings_that_differ_are_made_again_after_an_hour_and_those_that_agree_after_six(wiring):
    waits = []
    message = await discovered(wiring, alert())
    for shown in (FLEET[:2], FLEET, FLEET, FLEET[:2], FLEET[:2], [], [], FLEET):
        wiring.fake.sets = list(shown)
        waits.append(await relisted(wiring, message) // timedelta(hours=1))
        assert len((await the_wave(wiring)).roster) == 3, "nobody leaves the roster by being missing"
    assert waits == [1, 1, 6, 1, 6, 1, 6, 1]


async def test_a_wave_of_which_nobody_is_found_is_listed_every_hour(wiring):
    wiring.fake.sets = []
    message = await discovered(wiring, alert())
    assert [await relisted(wiring, message) for _ in range(3)] == [timedelta(hours=1)] * 3


async def test_a_message_that_comes_before_its_time_lists_nothing(wiring):
    message = await discovered(wiring, alert())
    wiring.clock.forward(minutes=14)
    await discover.handle(message.model_copy(update={"relist": True, "swept": True}), wiring)
    assert wiring.fake.listings == 1


async def test_a_later_announcement_is_listed_for_a_second_time_as_well(wiring):
    message = await discovered(wiring, alert())
    assert await relisted(wiring, message) == timedelta(hours=6)
    wiring.clock.forward(minutes=2)
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert (await the_wave(wiring)).list_again == wiring.now() + timedelta(minutes=15)


async def test_a_scale_set_found_by_a_later_listing_is_planned_and_looked_up(wiring):
    wiring.fake.sets = []
    message = await discovered(wiring, alert())
    wiring.fake.sets = list(FLEET)
    await relisted(wiring, message)
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1}
    assert [message.renew for message in wiring.spy.of(ALERTS)] == ["*"]
    assert len((await the_wave(wiring)).roster) == 3
    await discover.handle(message.model_copy(update={"relist": True, "swept": True}), wiring)
    assert wiring.fake.listings == 2, "the third has an hour's time"


async def test_who_is_missing_in_one_listing_stays_and_new_ones_are_found_by_the_next(wiring):
    await discovered(wiring, alert())
    wiring.fake.sets = FLEET[:1]
    wiring.clock.forward(minutes=2)
    message = await discovered(wiring, later(alert(), hours=1, communication="2"))
    wave = await the_wave(wiring)
    assert wave.unlisted == tuple(sorted(one.key for one in (FLEET[1], FLEET[3])))
    wiring.spy.forget()
    wiring.fake.sets = [*FLEET, scale_set("new")]
    await relisted(wiring, message)
    assert told(wiring) == {"new": 1}
    assert (await the_wave(wiring)).unlisted == ()


async def test_who_is_missing_in_two_listings_stays_on_the_roster_and_is_not_asked_for_any_more(wiring):
    await discovered(wiring, alert())
    wiring.fake.sets = FLEET[:1]
    wiring.clock.forward(minutes=2)
    message = await discovered(wiring, later(alert(), hours=1, communication="2"))
    wiring.spy.forget()
    assert await relisted(wiring, message) == timedelta(hours=6)
    assert len((await the_wave(wiring)).roster) == 3
    assert told(wiring) == {}


@pytest.mark.parametrize("trouble", [Throttled(timedelta(hours=1)), Unreachable("Azure answered 503.")])
async def test_what_the_sweep_asks_for_keeps_no_message_beside_the_first_one(wiring, trouble):
    message = await stored(wiring, alert())
    wiring.fake.trouble = trouble
    await discover.handle(message.model_copy(update={"swept": True, "tries": 8}), wiring)
    assert wiring.spy.of(ALERTS) == []
    assert wiring.spy.of(NOTICES) == []
