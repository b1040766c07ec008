"""discover: from a stored alert to a wave, its roster and a message for each scale set."""

import random
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.cloud.errors import Forbidden, NotFound, Throttled, Unreachable
from handlers.cloud.names import QUARANTINE, alert_path
from handlers.cloud.queues import Queues
from handlers.cloud.records import Records, StorageDown
from handlers.stages import discover
from handlers.wire.alerts import read_alert
from handlers.wire.documents import encode
from handlers.wire.ids import ALERTS, NOTICES, SCALE_SETS
from handlers.wire.messages import AlertMessage
from planner.azure.wave import Stage, Wave, with_announcement
from planner.policy.model import Match, Policy, Rule
from tests.handlers.discovering import FLEET, WAVE, discovered, hit, stored, the_wave, told
from tests.handlers.parts import (
    NOW,
    SUBSCRIPTION,
    alert,
    body,
    later,
    scale_set,
)


@pytest.fixture
def wiring(wiring):
    wiring.fake.sets = list(FLEET)
    return wiring


async def test_every_scale_set_in_the_announced_regions_gets_one_message(wiring):
    message = await discovered(wiring, alert())
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1}
    wave = await the_wave(wiring)
    assert [member.scale_set.name for member in wave.roster] == ["api", "eu", "web"]
    assert wave.discovered == (message.alert,)
    assert wave.stage is Stage.PLANNED
    one = wiring.spy.of(SCALE_SETS)[0]
    assert (one.reason, one.traceparent, one.tracking_id) == ("announced", "00-trace", "VM12-3AB")
    assert one.scale_set in {each.id for each in FLEET}
    assert wiring.fake.listings == 1


async def test_the_waves_notices_are_asked_for_after_the_grouping_wait(wiring):
    await discovered(wiring, alert())
    (notice,) = wiring.spy.of(NOTICES)
    assert (notice.kind, notice.tracking_id) == ("wave", "VM12-3AB")
    assert wiring.spy.delays(NOTICES) == [wiring.settings.group_wait]


async def test_without_regions_every_scale_set_is_concerned(wiring):
    await discovered(wiring, alert(impactedServices=None, region="Global"))
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1, "far": 1}


async def test_the_roster_knows_tiers_and_what_goes_first(wiring):
    wiring.rules = Policy(rules=(Rule("api", Match(name=("api",)), {"tier": "backend"}),))
    wiring.fake.sets = [
        scale_set("api"),
        scale_set("web", tags={"breakwater-tier": "web", "breakwater-after": "backend"}),
    ]
    await discovered(wiring, alert())
    roster = {member.scale_set.name: member for member in (await the_wave(wiring)).roster}
    assert roster["api"].tier == "backend"
    assert (roster["web"].tier, roster["web"].after) == ("web", ("backend",))


async def test_the_roster_is_on_record_before_the_first_message_and_discovery_after_the_last(wiring):
    states = []
    send = wiring.spy.send_together

    async def watching(queue, messages, **more):
        assert queue == SCALE_SETS
        wave = await the_wave(wiring)
        states.append((len(wave.roster), wave.discovered, wave.generation))
        assert {message.wave_generation for message in messages} == {wave.generation}
        await send(queue, messages, **more)

    wiring.spy.send_together = watching
    await discovered(wiring, alert())
    assert states == [(3, (), 1)]


async def test_an_older_announcement_is_recorded_and_changes_nothing_else(wiring):
    newer = later(alert(), hours=2, communication="2", stage="InProgress")
    await discovered(wiring, newer)
    wiring.spy.forget()
    wiring.fake.sets = []
    message = await discovered(wiring, alert())
    wave = await the_wave(wiring)
    assert [announcement.communication_id for announcement in wave.announcements] == ["11000000001", "2"]
    assert wave.stage is Stage.IN_PROGRESS
    assert message.alert in wave.discovered
    assert len(wave.roster) == 3
    assert not wiring.spy.of(SCALE_SETS)
    assert wiring.fake.listings == 1


async def test_the_same_communication_in_the_other_schema_changes_nothing(wiring):
    await discovered(wiring, alert("common"))
    wiring.spy.forget()
    message = await discovered(wiring, alert("legacy"))
    wave = await the_wave(wiring)
    assert len(wave.announcements) == 1
    assert message.alert in wave.discovered
    assert not wiring.spy.of(SCALE_SETS)


async def test_a_discovered_alert_is_not_discovered_again(wiring):
    message = await discovered(wiring, alert())
    wiring.spy.forget()
    await discover.handle(message, wiring)
    assert not wiring.spy.of(SCALE_SETS)
    assert wiring.fake.listings == 1


@pytest.mark.parametrize("stage", ["Canceled", "Complete", "Resolved"])
async def test_the_end_of_a_wave_goes_to_its_whole_roster_without_asking_azure(wiring, stage):
    await discovered(wiring, alert())
    wiring.spy.forget()
    await discovered(wiring, later(alert(), hours=5, communication="9", stage=stage))
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1}
    assert wiring.fake.listings == 1
    assert not (await the_wave(wiring)).open


async def test_a_wave_first_heard_of_at_its_end_is_on_record_and_asks_for_nothing(wiring):
    await discovered(wiring, alert(stage="Complete"))
    assert (await the_wave(wiring)).roster == ()
    assert wiring.fake.listings == 0
    assert not wiring.spy.of(SCALE_SETS)


async def test_a_scale_set_in_another_spelling_is_the_same_one(wiring):
    await discovered(wiring, alert())
    wiring.fake.sets = [replace(one, id=one.id.upper()) for one in FLEET]
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert len((await the_wave(wiring)).roster) == 3


async def test_the_generation_grows_with_every_write(wiring):
    await discovered(wiring, alert())
    first = (await the_wave(wiring)).generation
    assert {message.wave_generation for message in wiring.spy.of(SCALE_SETS)} == {first - 1}
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert (await the_wave(wiring)).generation > first


class Killed(Exception):
    pass


@pytest.mark.parametrize("after", range(9))
async def test_a_crash_anywhere_and_another_try_end_as_without_the_crash(wiring, monkeypatch, after):
    message = await stored(wiring, alert())
    steps = 0

    def deadly(original):
        async def step(*args, **more):
            nonlocal steps
            steps += 1
            if steps == after + 1:
                raise Killed
            return await original(*args, **more)

        return step

    with monkeypatch.context() as patched:
        patched.setattr(Records, "write", deadly(Records.write))
        patched.setattr(Queues, "send_text", deadly(Queues.send_text))
        if after < 7:  # four writes (two of the listing), three scale sets together, one notice, the look-ups
            with pytest.raises(Killed):
                await discover.handle(message, wiring)
        else:
            await discover.handle(message, wiring)
    wiring.clock.forward(minutes=10)
    await discover.handle(message, wiring)
    assert set(told(wiring)) == {"api", "web", "eu"}
    wave = await the_wave(wiring)
    assert wave.discovered == (message.alert,)
    assert len(wave.announcements) == 1
    assert {message.wave_generation for message in wiring.spy.of(SCALE_SETS)} == {1}
    assert {message.renew for message in wiring.spy.of(ALERTS)} == {"*"}


async def test_two_announcements_at_once_both_end_on_record(wiring, monkeypatch):
    first = await stored(wiring, alert())
    second = await stored(wiring, later(alert(), hours=1, communication="2", stage="InProgress"))
    read = Records.read
    meddled = False

    async def meddling(self, path):
        nonlocal meddled
        found = await read(self, path)
        if path == WAVE and not meddled:
            meddled = True
            await discover.handle(second, wiring)
        return found

    monkeypatch.setattr(Records, "read", meddling)
    await discover.handle(first, wiring)
    wave = await the_wave(wiring)
    assert set(wave.discovered) == {first.alert, second.alert}
    assert [announcement.stage for announcement in wave.announcements] == [Stage.PLANNED, Stage.IN_PROGRESS]
    assert wiring.fake.listings == 1


async def test_throttled_is_a_fresh_message_after_what_azure_asked_for(wiring):
    wiring.fake.trouble = Throttled(timedelta(seconds=17))
    message = await discovered(wiring, alert())
    assert wiring.spy.of(ALERTS) == [message.model_copy(update={"throttled_since": NOW})]
    (delay,) = wiring.spy.delays(ALERTS)
    assert timedelta(seconds=17) <= delay <= timedelta(seconds=22)
    assert await wiring.records.read(WAVE) is None


async def test_while_azure_is_down_waits_double_to_ten_minutes_and_it_is_told_once_after_half_an_hour(wiring):
    wiring.fake.trouble = Unreachable("Azure answered 503.")
    message = await discovered(wiring, alert())
    waited, notices = [], []
    for _ in range(9):
        message = wiring.spy.of(ALERTS)[-1]
        waited.append(wiring.spy.delays(ALERTS)[-1])
        notices.append((sum(waited, timedelta(0)), len(wiring.spy.of(NOTICES))))
        await discover.handle(message, wiring)
    assert [wait.total_seconds() for wait in waited] == [30, 60, 120, 240, 480, 600, 600, 600, 600]
    assert len(wiring.spy.of(NOTICES)) == 1
    assert "Azure answered 503." in wiring.spy.of(NOTICES)[0].text
    assert all(count == 0 for total, count in notices if total < timedelta(minutes=30))
    wiring.fake.trouble = None
    await discover.handle(message, wiring)
    assert set(told(wiring)) == {"api", "web", "eu"}


async def test_one_404_is_no_proof_that_a_subscription_is_not_ours(wiring):
    wiring.fake.trouble = NotFound("ResourceNotFound")
    message = await discovered(wiring, alert())
    assert wiring.spy.of(ALERTS) == [message.model_copy(update={"tries": 1})]
    assert wiring.spy.delays(ALERTS) == [timedelta(seconds=30)]
    assert wiring.spy.of(NOTICES) == []
    assert await wiring.records.list(QUARANTINE) == []
    wiring.fake.trouble = None
    await discover.handle(wiring.spy.of(ALERTS)[0], wiring)
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1}


@pytest.mark.parametrize("trouble", [Forbidden("No read for you."), NotFound("SubscriptionNotFound")])
async def test_a_subscription_we_may_not_read_is_quarantined_and_told_with_the_missing_role(wiring, trouble):
    wiring.fake.trouble = trouble
    message = (await stored(wiring, alert())).model_copy(update={"tries": 1})
    await discover.handle(message, wiring)
    (kept,) = await wiring.records.list(QUARANTINE)
    assert message.alert in (await wiring.records.read(kept.path)).body.decode()
    (notice,) = wiring.spy.of(NOTICES)
    assert notice.kind == "quarantined"
    assert "virtualMachineScaleSets/read" in notice.text
    assert trouble.sentence in notice.text
    assert not wiring.spy.of(ALERTS)
    await discover.handle(message, wiring)
    assert len(wiring.spy.of(NOTICES)) == 1
    wiring.clock.forward(days=1)
    await discover.handle(message, wiring)
    assert len(wiring.spy.of(NOTICES)) == 2


async def test_a_record_of_a_newer_version_is_not_written_and_the_message_comes_back(wiring):
    newer = encode(Wave("VM12-3AB", SUBSCRIPTION, v=2))
    await wiring.records.create(WAVE, newer)
    message = await discovered(wiring, alert())
    assert (await wiring.records.read(WAVE)).body == newer
    assert wiring.spy.of(ALERTS) == [message]
    assert wiring.spy.delays(ALERTS) == [timedelta(minutes=5)]


async def test_what_an_older_version_stored_and_this_one_cannot_read_is_quarantined_for_receive(wiring):
    await wiring.records.create(alert_path("b" * 64), b"no alert")
    await discover.handle(AlertMessage(alert="b" * 64), wiring)
    (kept,) = await wiring.records.list(QUARANTINE)
    assert "/alert-" in kept.path
    assert not wiring.spy.of(SCALE_SETS)


async def test_an_alert_that_is_not_there_is_an_error(wiring):
    with pytest.raises(LookupError):
        await discover.handle(AlertMessage(alert="a" * 64), wiring)


async def test_storage_that_fails_is_the_hosts_to_retry(wiring, monkeypatch):
    message = await stored(wiring, alert())

    async def down(*args, **more):
        raise StorageDown("Storage does not answer.")

    monkeypatch.setattr(Records, "write", down)
    with pytest.raises(StorageDown):
        await discover.handle(message, wiring)


@cache
def announcement(number: int):
    minutes, schema, stage = number % 5, ("common", "legacy")[number % 2], list(Stage)[number % 7]
    raw = later(alert(schema), hours=minutes / 60, communication=str(number // 2), stage=stage.value)
    return read_alert(body(raw), NOW + timedelta(seconds=number))


@given(st.lists(st.integers(0, 13), min_size=1, max_size=8, unique=True), st.randoms(use_true_random=False))
def test_whatever_the_order_of_arrival_the_same_announcement_counts(numbers, shuffle: random.Random):
    found = [announcement(number) for number in numbers]
    # Two copies of one communication may differ in their times; whichever came first is kept.
    found = list({announcement.communication_id: announcement for announcement in found}.values())
    shuffled = list(found)
    shuffle.shuffle(shuffled)
    outcomes = []
    for arrivals in (found, shuffled):
        wave = Wave("VM12-3AB", SUBSCRIPTION)
        for one in (*arrivals, *arrivals):
            wave = with_announcement(wave, one)
            assert wave.current == max(wave.announcements, key=lambda each: each.order)
        assert [one.order for one in wave.announcements] == sorted(one.order for one in found)
        outcomes.append(wave)
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize("name", ["Non-Regional", "nonregional", "Global", "All regions", "", "Mars Central"])
async def test_a_region_name_that_nobody_has_means_any_region(wiring, name):
    await discovered(wiring, alert(impactedServices=hit(name)))
    assert told(wiring) == {"api": 1, "web": 1, "eu": 1, "far": 1}
    assert {notice.kind for notice in wiring.spy.of(NOTICES)} == {"wave"}


async def test_messages_put_off_at_the_same_time_come_back_at_different_ones(wiring):
    wiring.fake.trouble = Throttled(timedelta(seconds=60))
    for number in range(8):
        await discovered(wiring, later(alert(), hours=number, communication=str(number)))
    delays = wiring.spy.delays(ALERTS)
    assert len(set(delays)) == 8
    assert all(timedelta(seconds=60) <= delay <= timedelta(seconds=75) for delay in delays)
