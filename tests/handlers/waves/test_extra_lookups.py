"""The extra look-ups of a wave: made after its scale sets are queued, and renewed on request."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.cloud.errors import Forbidden, Throttled, Unreachable
from handlers.cloud.names import QUARANTINE, alert_path, wave_path
from handlers.cloud.records import Conflict, Records
from handlers.stages import discover
from handlers.wire.alerts import alert_metadata, read_alert
from handlers.wire.documents import decode, encode, wave_metadata
from handlers.wire.ids import ALERTS, SCALE_SETS
from handlers.wire.messages import EVERY, AlertMessage
from planner.azure.usage import Source
from planner.azure.wave import Wave
from tests.handlers.parts import NOW, SUBSCRIPTION, alert, body, digest, later, scale_set

PATH = wave_path("VM12-3AB", SUBSCRIPTION)
WEB, API = scale_set("web"), scale_set("api")
SETTING = {"name": "scale", "properties": {"enabled": True, "targetResourceUri": WEB.id}}
HOUR = timedelta(hours=1)
DOWN = Unreachable("Azure answered 503.")


@pytest.fixture
def wiring(wiring):
    wiring.fake.sets = [WEB, API, scale_set("far", "uksouth", "Far-RG")]
    wiring.fake.lists = {"autoscalesettings": [SETTING]}
    return wiring


async def stored(wiring, raw) -> AlertMessage:
    content = body(raw)
    await wiring.records.create(
        alert_path(digest(content)), content, alert_metadata(read_alert(content, wiring.now()))
    )
    return AlertMessage(alert=digest(content), traceparent="00-trace")


async def announced(wiring, raw) -> AlertMessage:
    """Discovered; its look-ups are still to be made."""
    message = await stored(wiring, raw)
    await discover.handle(message, wiring)
    return message


async def discovered(wiring, raw) -> AlertMessage:
    """Discovered, and its look-ups are made as far as the first try goes."""
    before = len(wiring.spy.of(ALERTS))
    message = await announced(wiring, raw)
    for one in wiring.spy.of(ALERTS)[before:]:
        wiring.spy.sent = [each for each in wiring.spy.sent if each[1] is not one]
        await discover.handle(one, wiring)
    return message


async def given_up(wiring, message: AlertMessage) -> None:
    """The look-ups, made as if Azure could not be read for them three times already."""
    await discover.handle(message.model_copy(update={"renew": EVERY, "look_ups": 3}), wiring)


async def record(wiring) -> Wave | None:
    found = await wiring.records.read(PATH)
    return decode(Wave, found.body) if found else None


async def the_wave(wiring) -> Wave:
    found = await record(wiring)
    assert found is not None
    return found


def told(wiring, reason: str) -> list[str]:
    return sorted(
        message.scale_set.rpartition("/")[2]
        for message in wiring.spy.of(SCALE_SETS)
        if message.reason == reason
    )


def forget(wiring) -> None:
    wiring.spy.forget()
    wiring.fake.looked.clear()


async def renew(wiring, message: AlertMessage, which: str = WEB.id) -> None:
    await discover.handle(message.model_copy(update={"renew": which}), wiring)


async def test_the_wave_is_on_record_and_queued_before_anything_else_is_looked_up(wiring):
    message = await announced(wiring, alert())
    assert wiring.fake.looked == []
    wave = await the_wave(wiring)
    assert (wave.evidence, wave.discovered) == (None, (message.alert,))
    assert told(wiring, "announced") == ["api", "web"]
    (asked,) = wiring.spy.of(ALERTS)
    assert (asked.alert, asked.renew, asked.traceparent) == (message.alert, EVERY, "00-trace")
    assert [queue for queue, _, _ in wiring.spy.sent].index(ALERTS) > 1


async def test_the_look_ups_are_on_record_with_who_is_to_be_planned_again_before_the_first_message(wiring):
    states = []
    send = wiring.spy.send_together

    async def watching(queue, messages, **more):
        for message in messages:
            if queue == SCALE_SETS and message.reason == "renewed":
                wave = await the_wave(wiring)
                states.append((wave.evidence.of(WEB.id).autoscale, wave.to_plan, message.wave_generation))
                assert message.wave_generation == wave.generation
        await send(queue, messages, **more)

    wiring.spy.send_together = watching
    await discovered(wiring, alert())
    assert [state[:2] for state in states] == [("scale", (WEB.key,))]
    wave = await the_wave(wiring)
    assert (wave.evidence.at, wave.evidence.since) == (NOW, NOW - timedelta(days=14))
    assert wave.evidence.unread == {}
    assert wave.informed(WEB).habits.autoscale == "scale"
    assert wave.informed(API).habits.autoscale == ""
    assert wave.to_plan == ()


async def test_who_has_nothing_to_tell_is_not_planned_again(wiring):
    await discovered(wiring, alert())
    assert told(wiring, "renewed") == ["web"]


async def test_a_crash_before_all_plans_were_asked_for_is_made_up_for_by_the_next_message(
    wiring, monkeypatch
):
    message = await announced(wiring, alert())
    send = wiring.spy.send_together

    async def dying(queue, messages, **more):
        if queue == SCALE_SETS:
            raise RuntimeError
        await send(queue, messages, **more)

    with monkeypatch.context() as patched:
        patched.setattr(wiring.spy, "send_together", dying)
        with pytest.raises(RuntimeError):
            await renew(wiring, message, EVERY)
    wave = await the_wave(wiring)
    assert (wave.wants_look_ups, wave.to_plan) == (True, (WEB.key,))
    made = len(wiring.fake.looked)
    await renew(wiring, message, EVERY)
    assert told(wiring, "renewed") == ["web"]
    assert len(wiring.fake.looked) == made
    assert not (await the_wave(wiring)).wants_look_ups


async def test_they_are_made_once_for_a_wave_however_often_it_is_announced(wiring):
    await discovered(wiring, alert())
    made = len(wiring.fake.looked)
    for hours in range(1, 5):
        wiring.clock.forward(hours=1)
        await discovered(wiring, later(alert(), hours=hours, communication=str(hours), stage="Rescheduled"))
    assert len(wiring.fake.looked) == made == 7
    assert (await the_wave(wiring)).evidence.at == NOW


async def test_they_are_made_again_when_there_is_a_scale_set_they_could_not_have_been_about(wiring):
    await discovered(wiring, alert())
    made = len(wiring.fake.looked)
    wiring.fake.sets.append(scale_set("new"))
    wiring.clock.forward(hours=1)
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert len(wiring.fake.looked) == 2 * made
    assert (await the_wave(wiring)).evidence.at == NOW + HOUR


@pytest.mark.parametrize("stage", ["Canceled", "Complete", "Resolved"])
async def test_a_wave_that_is_over_or_concerns_nobody_needs_none(wiring, stage):
    await discovered(wiring, alert(stage=stage))
    assert (await the_wave(wiring)).evidence is None
    wiring.fake.sets = []
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert (await the_wave(wiring)).evidence is None
    assert wiring.fake.looked == []


async def test_a_record_from_before_there_were_look_ups_gets_them_with_the_next_announcement(wiring):
    await discovered(wiring, alert())
    found = await wiring.records.read(PATH)
    old = replace(decode(Wave, found.body), evidence=None)
    await wiring.records.write(PATH, encode(old), etag=found.etag, metadata=wave_metadata(old))
    await discovered(wiring, later(alert(), hours=1, communication="2"))
    assert (await the_wave(wiring)).evidence is not None


async def test_what_may_not_be_read_keeps_nobody_waiting(wiring):
    wiring.fake.lists = {"eventtypes": Forbidden("No role.")}
    await discovered(wiring, alert())
    assert told(wiring, "announced") == ["api", "web"]
    wave = await the_wave(wiring)
    assert "Microsoft.Insights/eventtypes/values/read" in wave.evidence.unread[Source.ACTIVITY_LOG]
    assert wave.informed(API).unread == wave.evidence.unread
    assert wiring.spy.of(ALERTS) == []
    assert await wiring.records.list(QUARANTINE) == []


async def test_while_azure_is_down_for_them_they_are_tried_three_times_more_and_nobody_waits(wiring):
    wiring.fake.lists |= {"eventtypes": DOWN, "schedules": DOWN}
    message = await discovered(wiring, alert())
    assert told(wiring, "announced") == ["api", "web"]
    waited = []
    while (await the_wave(wiring)).evidence is None:
        (message,) = wiring.spy.of(ALERTS)
        waited += wiring.spy.delays(ALERTS)
        wiring.spy.forget()
        await discover.handle(message, wiring)
    assert [wait.total_seconds() for wait in waited] == [30, 60, 120]
    assert (message.look_ups, message.tries) == (3, 0)
    assert told(wiring, "renewed") == ["api", "web"], "what is unread is in everybody's plan"
    wave = await the_wave(wiring)
    assert wave.evidence.unread.keys() == {Source.ACTIVITY_LOG, Source.SCHEDULES}
    assert wave.evidence.unread[Source.SCHEDULES].endswith("could not be read: Azure answered 503.")
    assert wave.evidence.of(WEB.id).autoscale == "scale", "what could be read counts"
    assert wave.discovered == (message.alert,)


async def test_throttled_look_ups_wait_as_long_as_azure_asks_and_use_up_no_try(wiring):
    wiring.fake.lists["autoscalesettings"] = Throttled(timedelta(seconds=17))
    await discovered(wiring, alert())
    assert told(wiring, "announced") == ["api", "web"]
    waits = []
    while (await the_wave(wiring)).evidence is None:
        (message,) = wiring.spy.of(ALERTS)
        assert (message.look_ups, message.throttled_since) == (0, NOW)
        waits += wiring.spy.delays(ALERTS)
        wiring.spy.forget()
        wiring.clock.at += waits[-1]
        await discover.handle(message, wiring)
    assert timedelta(seconds=17) <= waits[0] <= timedelta(seconds=22)
    assert timedelta(minutes=10) <= waits[-1] <= timedelta(minutes=12, seconds=30)
    assert timedelta(hours=12) <= sum(waits, timedelta(0)) <= timedelta(hours=13)
    assert (await the_wave(wiring)).evidence.unread.keys() == {Source.AUTOSCALE}


async def test_what_stayed_unread_while_azure_was_down_is_read_an_hour_later_and_everybody_planned_again(
    wiring,
):
    wiring.fake.lists["schedules"] = DOWN
    message = await announced(wiring, alert())
    wiring.spy.forget()
    await given_up(wiring, message)
    again = AlertMessage(alert=message.alert, renew=EVERY)
    assert (wiring.spy.of(ALERTS), wiring.spy.delays(ALERTS)) == ([again], [HOUR])
    before = await the_wave(wiring)
    forget(wiring)
    wiring.clock.forward(hours=1)
    await discover.handle(again.model_copy(update={"look_ups": 3}), wiring)
    assert (wiring.spy.of(ALERTS), wiring.spy.delays(ALERTS)) == ([again], [HOUR]), "still down"
    assert await the_wave(wiring) == before
    assert wiring.spy.of(SCALE_SETS) == []
    forget(wiring)
    del wiring.fake.lists["schedules"]
    await discover.handle(again, wiring)
    assert (await the_wave(wiring)).evidence.unread == {}
    assert told(wiring, "renewed") == ["api", "web"]
    assert wiring.spy.of(ALERTS) == []


async def test_nobody_reads_for_a_wave_that_is_over_meanwhile(wiring):
    message = await discovered(wiring, alert())
    await discovered(wiring, later(alert(), hours=1, communication="9", stage="Complete"))
    forget(wiring)
    wiring.clock.forward(hours=2)
    await renew(wiring, message, EVERY)
    assert (wiring.fake.looked, wiring.spy.of(SCALE_SETS)) == ([], [])
    await renew(wiring, message)
    assert (wiring.fake.looked, told(wiring, "renewed")) == ([], ["web"])


async def test_a_renewal_asks_for_plans_of_the_one_scale_set_and_of_those_it_changes(wiring):
    message = await discovered(wiring, alert())
    before = await the_wave(wiring)
    forget(wiring)
    wiring.clock.forward(hours=1)
    wiring.fake.lists = {"schedules": [shutdown(API.id)]}
    await renew(wiring, message)
    wave = await the_wave(wiring)
    assert wave.evidence.at == NOW + HOUR
    assert wave.evidence.of(WEB.id).autoscale == ""
    assert wave.evidence.of(API.id).shutdown == "daily"
    assert replace(wave, evidence=before.evidence, generation=before.generation) == before
    assert told(wiring, "renewed") == ["api", "web"]
    assert {message.traceparent for message in wiring.spy.of(SCALE_SETS)} == {"00-trace"}
    assert {message.wave_generation for message in wiring.spy.of(SCALE_SETS)} == {before.generation + 1}
    forget(wiring)
    wiring.clock.forward(hours=1)
    await renew(wiring, message)
    assert told(wiring, "renewed") == ["web"], "nothing has changed for the other one"
    wiring.fake.looked = wiring.fake.looked[:7]
    assert (wiring.fake.listings, len(wiring.fake.looked)) == (1, 7)


def shutdown(target: str) -> dict:
    properties = {"taskType": "ComputeVmShutdownTask", "status": "Enabled", "targetResourceId": target}
    return {"name": "daily", "properties": properties}


async def test_look_ups_younger_than_an_hour_are_fresh_enough(wiring):
    message = await discovered(wiring, alert())
    before = await the_wave(wiring)
    forget(wiring)
    wiring.clock.forward(minutes=59)
    await renew(wiring, message)
    assert wiring.fake.looked == []
    assert await the_wave(wiring) == before
    assert told(wiring, "renewed") == ["web"]


async def test_a_renewal_that_fails_leaves_what_is_on_record_and_still_asks_for_the_plan(wiring):
    message = await discovered(wiring, alert())
    before = await the_wave(wiring)
    wiring.clock.forward(hours=5)
    wiring.fake.lists["schedules"] = DOWN
    forget(wiring)
    await renew(wiring, message)
    for number in range(3):
        (message,) = wiring.spy.of(ALERTS)
        assert (message.renew, message.look_ups) == (WEB.id, number + 1)
        assert wiring.spy.of(SCALE_SETS) == []
        wiring.spy.forget()
        await discover.handle(message, wiring)
    assert await the_wave(wiring) == before
    assert told(wiring, "renewed") == ["web"]
    assert wiring.spy.of(ALERTS) == []


async def test_an_alert_that_is_not_discovered_yet_is_discovered_instead(wiring):
    message = await stored(wiring, alert())
    await renew(wiring, message)
    assert told(wiring, "announced") == ["api", "web"]
    assert told(wiring, "renewed") == []


async def test_a_scale_set_that_is_not_on_the_roster_gets_no_message(wiring):
    message = await discovered(wiring, alert())
    forget(wiring)
    await renew(wiring, message, scale_set("far").id)
    assert wiring.spy.of(SCALE_SETS) == []


async def test_somebody_elses_write_is_made_room_for_without_looking_up_twice(wiring, monkeypatch):
    message = await discovered(wiring, alert())
    second = await stored(wiring, later(alert(), hours=1, communication="2", stage="InProgress"))
    wiring.clock.forward(hours=2)
    forget(wiring)
    write, meddled = Records.write, False

    async def meddling(self, path, content, **more):
        nonlocal meddled
        if path == PATH and not meddled:
            meddled = True
            await discover.handle(second, wiring)
        return await write(self, path, content, **more)

    monkeypatch.setattr(Records, "write", meddling)
    await renew(wiring, message)
    wave = await the_wave(wiring)
    assert set(wave.discovered) == {message.alert, second.alert}
    assert wave.evidence.at == wiring.now()
    assert len(wiring.fake.looked) == 7
    assert told(wiring, "renewed") == ["web"]


async def test_a_record_that_is_never_free_is_the_hosts_to_retry(wiring, monkeypatch):
    message = await discovered(wiring, alert())
    wiring.clock.forward(hours=2)

    async def never(*_, **__):
        raise Conflict(PATH)

    monkeypatch.setattr(Records, "write", never)
    with pytest.raises(Conflict):
        await renew(wiring, message)


async def test_a_wave_goes_on_whatever_the_look_ups_do(wiring):
    class Strange(dict):
        def items(self):
            raise RuntimeError("nobody expected this")

    wiring.fake.lists = wiring.fake.tables = Strange()
    message = await announced(wiring, alert())
    await given_up(wiring, message)
    assert told(wiring, "announced") == ["api", "web"]
    assert len((await the_wave(wiring)).evidence.unread) >= 4
