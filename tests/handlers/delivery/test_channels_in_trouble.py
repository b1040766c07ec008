"""A channel that does not get through: nothing is lost, nothing comes twice, and somebody hears of it."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.names import delivery_path
from handlers.wire.documents import encode
from handlers.wiring import Wiring
from planner.notices import delivery_steps as steps
from planner.notices.delivery import STALE, Delivery, with_channels
from planner.record.notice import Kind, Urgency
from planner.record.states import RunState
from simulator.inboxes import MailInbox, Scripted, TeamsInbox
from tests.handlers.desk import MINUTE, Office, ids, office, taken, texts
from tests.notices import (
    NOW,
    TRACKING,
    Clock,
    notice,
    paused,
    policy_file,
    run,
    settings,
    store,
    troubles,
    with_notice,
)


async def test_a_message_whose_sender_died_goes_again_after_five_minutes_under_the_same_id(desk):
    await store(desk.wiring, paused("db-prod"))
    real = desk.wiring.records.write

    async def dies_after_sending(path: str, body: bytes, **more: Any) -> str:
        if path.startswith("deliveries/") and b'"sending":null' in body:
            raise asyncio.CancelledError
        return await real(path, body, **more)

    desk.wiring.records.write = dies_after_sending
    with pytest.raises(asyncio.CancelledError):
        await desk.tell()
    desk.wiring.records.write = real

    await desk.tell(after=STALE - MINUTE)
    assert len(desk.subjects) == 1
    await desk.tell(after=MINUTE)
    await desk.tell(after=10 * MINUTE)

    assert len(desk.subjects) == len(desk.teams.messages) == 2
    first, second = desk.mail.messages
    assert first["message-id"] == second["message-id"]
    assert (
        desk.teams.messages[0].headers["Idempotency-Key"] == desk.teams.messages[1].headers["Idempotency-Key"]
    )


async def test_a_message_claimed_but_never_sent_goes_after_five_minutes(desk):
    one = paused("db-prod")
    await store(desk.wiring, one)
    key = (await desk.wiring.records.list("runs/"))[0].path
    record = with_channels(Delivery(TRACKING, "ops"), ("email", "teams"))
    for channel in ("email", "teams"):
        record = steps.claim(record, channel, {key: 2}, (), NOW)
    await desk.wiring.records.create(delivery_path(TRACKING, "ops"), encode(record))

    await desk.tell(after=4 * MINUTE)
    assert desk.subjects == []
    await desk.tell(after=MINUTE)

    assert len(desk.subjects) == len(desk.teams.messages) == 1


async def test_teams_being_down_never_repeats_the_mail(desk):
    desk.teams.will_answer(503, 503)
    await store(desk.wiring, paused("db-prod"))

    await desk.tell()
    assert troubles(await desk.delivery()) == "teams: Teams answered 503."
    assert await desk.queued() == 1
    await desk.tell(after=timedelta(seconds=29))
    assert desk.teams.attempts == 1
    await desk.tell(after=timedelta(seconds=1))
    await desk.tell(after=timedelta(seconds=59))
    assert desk.teams.attempts == 2
    await desk.tell(after=timedelta(seconds=1))

    assert (len(desk.subjects), len(desk.teams.messages), desk.teams.attempts) == (1, 1, 3)
    assert troubles(await desk.delivery()) == ""


async def test_while_teams_is_down_mail_goes_on(desk):
    desk.teams.will_answer(Scripted(429, retry_after=3600))
    one = run("db-prod", notice(1, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    await store(desk.wiring, with_notice(one, notice(2, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED))

    await desk.tell(after=MINUTE)
    assert [len(desk.subjects), len(desk.teams.messages)] == [2, 0]
    await desk.tell(after=60 * MINUTE)

    assert [len(desk.subjects), len(desk.teams.messages)] == [2, 2]


async def test_a_refused_message_is_shown_and_not_tried_again(desk):
    desk.teams.will_answer(400)
    await store(desk.wiring, paused("db-prod"))

    await desk.tell()
    await desk.tell(after=60 * MINUTE)

    record = await desk.delivery()
    assert desk.teams.attempts == 1
    assert "400" in troubles(record)
    assert "sig=" not in json.dumps([message.trouble for message in record.messages])


@pytest.mark.parametrize("answer", [401, 403, 404, 410, 302])
async def test_after_a_rotated_address_works_again_nothing_is_missing_and_nothing_came_twice(desk, answer):
    desk.teams.will_answer(*[answer] * 8)
    one = run("db-prod", notice(1, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    for number in range(2, 6):
        one = with_notice(one, notice(number, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED)
        await store(desk.wiring, one)
        await desk.tell(after=20 * MINUTE)
    assert len(desk.teams.messages) == 0
    while desk.teams.attempts < 8:
        await desk.tell(after=10 * MINUTE)
    for _ in range(4):
        await desk.tell(after=10 * MINUTE)

    cards = [json.dumps(message.body) for message in desk.teams.messages]
    said = [sum(f"number {number}." in card for card in cards) for number in range(1, 6)]
    assert said == [1] * 5
    assert len(set(ids(desk))) == len(ids(desk))
    mails = texts(desk, "ops@example.org")
    assert [sum(f"number {number}." in mail for mail in mails) for number in range(1, 6)] == [1] * 5
    assert troubles(await desk.delivery()) == ""


async def test_what_a_broken_channel_missed_for_days_is_told_once_it_is_fixed(desk):
    desk.teams.will_answer(*[404] * 2000)
    one = run("db-prod", notice(1, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    for hour in range(50):
        if hour == 30:
            one = with_notice(one, notice(2, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED)
            await store(desk.wiring, one)
        await desk.tell(after=60 * MINUTE)
    desk.teams._answers.clear()
    for _ in range(3):
        await desk.tell(after=11 * MINUTE)

    cards = [json.dumps(each.body) for each in desk.teams.messages]
    assert [sum(f"number {number}." in card for card in cards) for number in (1, 2)] == [1, 1]
    assert "the next message tells it" in json.dumps([m.trouble for m in (await desk.delivery()).messages])


async def test_a_broken_channel_is_told_through_another_one_with_what_to_fix(desk):
    desk.teams.will_answer(*[404] * 5)
    await store(desk.wiring, paused("db-prod"))
    await desk.tell()
    (told,) = taken(desk, "channel")
    assert (told.receiver, told.stuck) == ("ops", ("teams",))

    await desk.tell(message=told)
    await desk.tell(message=told, after=MINUTE)

    paging, mending = texts(desk, "ops@example.org")
    assert "does not get through" not in paging
    assert "The teams channel of ops: Teams answered 404" in mending
    assert "policy file" in mending
    assert desk.subjects[1] == "Fix a channel: messages do not get through"
    assert "sig=" not in mending


async def test_people_are_reminded_of_a_broken_channel_once_a_day(desk):
    desk.teams.will_answer(*[404] * 2000)
    await store(desk.wiring, paused("db-prod"))
    asked = []
    for _ in range(60):
        await desk.tell(after=60 * MINUTE)
        asked += [message.about for message in taken(desk, "channel")]

    assert len(asked) == len(set(asked)) == 3


async def test_later_messages_through_the_other_channel_say_which_one_does_not_get_through(desk):
    desk.teams.will_answer(*[404] * 50)
    one = run("db-prod", notice(1, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    await store(desk.wiring, with_notice(one, notice(2, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED))
    await desk.tell(after=MINUTE)

    assert "The teams channel of ops has not got through since" in texts(desk, "ops@example.org")[1]


async def test_while_none_of_its_channels_gets_through_the_default_receiver_is_told_instead(
    storage, tmp_path
):
    async with TeamsInbox() as shops:
        receivers = {"shop": {"teams": shops.url}}
        async with office(storage, tmp_path, receivers=receivers) as desk:
            shops.will_answer(*[401] * 6)
            one = paused("web", receiver="shop")
            await store(desk.wiring, one)
            await desk.tell()

            (mail,) = texts(desk, "ops@example.org")
            assert "Told to you through another channel: it is for shop." in mail
            assert "The teams channel of shop has not got through since" in mail
            assert "Instance 4 did not come back" in mail
            assert len(desk.teams.messages) == 1

            one = with_notice(one, notice(3, Kind.TROUBLE, Urgency.PAGE))
            await store(desk.wiring, one)
            while shops.attempts < 6:
                await desk.tell(after=11 * MINUTE)
            for _ in range(3):
                await desk.tell(after=11 * MINUTE)

            said = [json.dumps(each.body) for each in shops.messages]
            assert [
                sum("did not come back" in card for card in said),
                sum("number 3." in card for card in said),
            ] == [1, 1]
            mails = texts(desk, "ops@example.org")
            assert [
                sum("did not come back" in mail for mail in mails),
                sum("number 3." in mail for mail in mails),
            ] == [1, 1]
            one = with_notice(one, notice(4, Kind.RESUMED), state=RunState.RUNNING)
            await store(desk.wiring, one)
            await desk.tell(after=11 * MINUTE)
            assert len(texts(desk, "ops@example.org")) == 2
            assert "number 4." in json.dumps(shops.messages[-1].body)


async def test_a_stand_in_does_not_repeat_itself_when_the_channel_breaks_again(storage, tmp_path):
    async with TeamsInbox() as shops:
        receivers = {"shop": {"teams": shops.url}}
        async with office(storage, tmp_path, receivers=receivers) as desk:
            one = paused("web", receiver="shop")
            shops.will_answer(401)
            await store(desk.wiring, one)
            await desk.tell()
            for number in (3, 4):
                one = with_notice(one, notice(number, Kind.TROUBLE, Urgency.PAGE))
                await store(desk.wiring, one)
                await desk.tell()
            shops.will_answer(202, *[404] * 9)
            for _ in range(4):
                await desk.tell(after=11 * MINUTE)

            mails = texts(desk, "ops@example.org")
            assert [sum(f"number {number}." in mail for mail in mails) for number in (3, 4)] == [1, 1]


async def test_others_are_told_of_an_outage_of_half_an_hour_and_not_of_one_of_minutes(storage, tmp_path):
    async with (
        TeamsInbox(answers=[503] * 50) as shops,
        office(storage, tmp_path, receivers={"shop": {"teams": shops.url}}) as desk,
    ):
        await store(desk.wiring, paused("web", receiver="shop"))
        for _ in range(3):
            await desk.tell(after=9 * MINUTE)
        assert desk.mail.messages == []
        for _ in range(3):
            await desk.tell(after=11 * MINUTE)
        assert len(desk.mail.messages) == 1


async def test_a_default_receiver_that_cannot_be_reached_is_in_the_log(storage, tmp_path, caplog):
    async with TeamsInbox() as teams, MailInbox() as mail:
        path, clock = policy_file(tmp_path, {"ops": {"teams": teams.url}}), Clock()
        wiring = Wiring(settings(storage, policy=path, smtp=mail.url), clock)
        desk = Office(wiring, clock, mail, teams)
        teams.will_answer(*[404] * 5)
        await store(wiring, paused("db-prod"))
        await desk.tell()
        for told in taken(desk, "channel"):
            await desk.tell(message=told)
        await wiring.close()

    assert "notify.unreachable" in caplog.text
