"""sweep: a scale set of an open wave that nobody has planned is planned after all.

Storage stamps documents with the time it is, so these tests begin now and let their clock run ahead.
"""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from handlers.cloud.names import archive_path, run_path, wave_path
from handlers.stages import discover, receive, sweep
from handlers.wire.documents import decode, encode, run_metadata, wave_metadata
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, SCALE_SETS
from planner.azure.wave import Wave
from tests.handlers.parts import SUBSCRIPTION, alert, body, later, run, scale_set


@pytest.fixture
async def wiring(wiring_at_present):
    wiring_at_present.fake.sets = [scale_set("web"), scale_set("api")]
    await announced(wiring_at_present, alert())
    wiring_at_present.spy.forget()
    return wiring_at_present


async def announced(wiring, raw, *, looked_up=True):
    await receive.handle(Request("POST", body=body(raw)), wiring)
    message = wiring.spy.of(ALERTS)[-1]
    await discover.handle(message, wiring)
    if looked_up and wiring.spy.of(ALERTS)[-1] is not message:
        await discover.handle(wiring.spy.of(ALERTS)[-1], wiring)


async def planned(wiring, name, *waves, path=None):
    one = run(name, waves=waves)
    path = path or run_path(SUBSCRIPTION, "Prod-RG", name)
    await wiring.records.create(path, encode(one), run_metadata(one))


def asked(wiring):
    return [message.scale_set.rsplit("/", 1)[-1] for message in wiring.spy.of(SCALE_SETS)]


async def test_a_scale_set_without_a_run_is_asked_for_at_growing_distances(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await sweep.handle(wiring)
    assert asked(wiring) == []  # its message may still be on its way
    sent_after = []
    for minute in range(240):
        wiring.clock.forward(minutes=1)
        await sweep.handle(wiring)
        if len(asked(wiring)) > len(sent_after):
            sent_after.append(minute)
    assert set(asked(wiring)) == {"web"}
    assert {message.reason for message in wiring.spy.of(SCALE_SETS)} == {"swept"}
    assert [b - a for a, b in pairwise(sent_after)] == [6, 12, 24, 48, 60, 60]


async def test_a_run_that_has_not_joined_the_wave_is_asked_for_as_well(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await planned(wiring, "web", "OLD-1")
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert asked(wiring) == ["web"]


async def test_who_went_through_the_wave_in_an_earlier_run_is_left_alone(wiring):
    await planned(wiring, "api", "VM12-3AB")
    await planned(wiring, "web", "NEW-1")
    earlier = archive_path(SUBSCRIPTION, "Prod-RG", "web", wiring.now())
    await planned(wiring, "web", "VM12-3AB", path=earlier)
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert asked(wiring) == []


async def test_a_wave_that_is_over_asks_for_nothing(wiring):
    await announced(wiring, later(alert(), hours=1, communication="2", stage="Canceled"))
    wiring.spy.forget()
    wiring.clock.forward(minutes=10)
    await sweep.handle(wiring)
    assert asked(wiring) == []


async def test_a_wave_that_cannot_be_read_does_not_end_the_sweep(wiring):
    await wiring.records.create(wave_path("BAD-1", SUBSCRIPTION), b"{", {"open": "true"})
    wiring.clock.forward(minutes=4)
    await sweep.handle(wiring)
    assert sorted(asked(wiring)) == ["api", "web"]


async def swept_for(wiring, minutes, wave="NEW-1", *, relist=False):
    """Sweeps every minute; after how many of them look-ups, or a listing, of the wave were asked for."""
    sent = []

    async def asked_for():
        alerts = {
            announcement.alert for announcement in (await wiring.waves.get(wave, SUBSCRIPTION)).announcements
        }
        return sum(message.alert in alerts and message.relist == relist for message in wiring.spy.of(ALERTS))

    for minute in range(minutes):
        before = await asked_for()
        wiring.clock.forward(minutes=1)
        await sweep.handle(wiring)
        if await asked_for() > before:
            sent.append(minute + 1)
    return sent


async def test_a_listing_is_made_a_second_time_after_a_quarter_of_an_hour(wiring):
    assert wiring.fake.listings == 1
    (minute,) = await swept_for(wiring, 17, "VM12-3AB", relist=True)
    assert minute in {15, 16}, "a listing of the fake's takes no time, storage's clock is the real one"
    (again,) = wiring.spy.of(ALERTS)
    wiring.fake.sets.append(scale_set("left-out"))
    await discover.handle(again, wiring)
    assert asked(wiring).count("left-out") == 1
    assert wiring.fake.listings == 2


async def test_a_wave_whose_listings_agree_is_listed_every_six_hours_and_no_message_waits_meanwhile(wiring):
    listed = []
    for minute in range(15 * 60):
        wiring.clock.forward(minutes=1)
        await sweep.handle(wiring)
        for message in [one for one in wiring.spy.of(ALERTS) if one.relist]:
            assert message.swept
            await discover.handle(message, wiring)
            listed.append(minute)
        assert not any(wiring.spy.delays(ALERTS))
        wiring.spy.forget()
    assert [(b - a) // 60 for a, b in pairwise(listed)] == [6, 6]
    assert wiring.fake.listings == 4


async def test_a_wave_of_an_older_record_is_listed_once_more_as_well(wiring):
    stored = await wiring.records.read(wave_path("VM12-3AB", SUBSCRIPTION))
    older = replace(decode(Wave, stored.body), list_again=None)
    await wiring.records.write(stored.path, encode(older), etag=stored.etag, metadata=wave_metadata(older))
    assert len(await swept_for(wiring, 17, "VM12-3AB", relist=True)) == 1


async def test_look_ups_that_nobody_made_are_asked_for_and_those_that_are_made_are_not(wiring):
    await announced(wiring, later(alert(trackingId="NEW-1"), hours=1, communication="2"), looked_up=False)
    wiring.spy.forget()
    assert [b - a for a, b in pairwise(await swept_for(wiring, 120))] == [30, 60]
    look_ups = [message for message in wiring.spy.of(ALERTS) if not message.relist]
    assert {message.renew for message in look_ups} == {"*"}
    await discover.handle(look_ups[-1], wiring)
    wiring.spy.forget()
    assert await swept_for(wiring, 90) == []


async def test_an_empty_listing_is_made_again_while_the_wave_is_open(wiring):
    wiring.fake.sets = []
    await announced(wiring, alert(trackingId="NEW-1", communicationId="7"))
    wiring.spy.forget()
    sent = await swept_for(wiring, 60, relist=True)
    assert [b - a for a, b in pairwise(sent)] == [30]
    wave = await wiring.waves.get("NEW-1", SUBSCRIPTION)
    (again, _) = [message for message in wiring.spy.of(ALERTS) if message.alert == wave.current.alert]
    assert (again.relist, again.swept, again.renew) == (True, True, "")
    wiring.fake.sets = [scale_set("found")]
    await discover.handle(again, wiring)
    assert asked(wiring).count("found") == 1
    listings = wiring.fake.listings
    await announced(wiring, later(alert(trackingId="NEW-1"), hours=1, communication="8", stage="Complete"))
    wiring.spy.forget()
    assert await swept_for(wiring, 90, relist=True) == []
    assert wiring.fake.listings == listings


async def test_while_azure_puts_the_subscription_off_nothing_of_its_waves_counts_as_lost(wiring):
    await wiring.retry_after(SUBSCRIPTION).learned(wiring.now() + timedelta(hours=1))
    wiring.clock.forward(minutes=30)
    await sweep.handle(wiring)
    assert asked(wiring) == []
    wiring.clock.forward(minutes=34)
    await sweep.handle(wiring)
    assert sorted(asked(wiring)) == ["api", "web"]
