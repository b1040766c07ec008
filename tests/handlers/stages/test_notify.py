import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.cloud.names import NOTICES, delivery_path
from handlers.stages import notify
from handlers.wire.documents import decode, encode
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.azure.wave import Stage
from planner.notices import delivery_steps as steps
from planner.notices.delivery import STALE, Delivery, with_channels
from planner.policy.model import Policy
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from simulator.inboxes import MailInbox, Scripted, TeamsInbox
from tests.altered import altered
from tests.notices import (
    NOW,
    TRACKING,
    Clock,
    batch,
    notice,
    paused,
    policy_file,
    run,
    settings,
    store,
    wave,
    with_notice,
)

MINUTE = timedelta(minutes=1)
ASK = NoticeMessage(tracking_id=TRACKING, kind="wave")


@dataclass
class Office:
    """A receiver with a mailbox and a Teams channel, and the stage that tells it."""

    wiring: Wiring
    clock: Clock
    mail: MailInbox
    teams: TeamsInbox
    asked: list[NoticeMessage] = field(default_factory=list)

    def __post_init__(self) -> None:
        queued = self.wiring.queues.send

        async def send(queue: Any, message: Any, **more: Any) -> None:
            self.asked.append(message)
            await queued(queue, message, **more)

        self.wiring.queues.send = send

    async def tell(self, after: timedelta = timedelta(0), message: NoticeMessage = ASK) -> None:
        self.clock.pass_(after)
        await notify.handle(message, self.wiring)

    async def delivery(self, receiver: str = "ops", tracking_id: str = TRACKING) -> Delivery:
        stored = await self.wiring.records.read(delivery_path(tracking_id, receiver))
        assert stored is not None
        return decode(Delivery, stored.body)

    @property
    def subjects(self) -> list[str]:
        return [str(one["subject"]) for one in self.mail.messages]

    async def queued(self) -> int:
        return (await self.wiring.queues.lengths())[NOTICES]


@asynccontextmanager
async def office(storage: str, folder: Path, **more: Any) -> AsyncIterator[Office]:
    async with TeamsInbox() as teams, MailInbox() as mail:
        receivers = {"ops": {"teams": teams.url, "email": ["ops@example.org"]}} | more.pop("receivers", {})
        clock = Clock()
        wiring = Wiring(
            settings(storage, policy=policy_file(folder, receivers), smtp=mail.url, **more), clock
        )
        try:
            yield Office(wiring, clock, mail, teams)
        finally:
            await wiring.close()


@pytest.fixture
async def desk(storage: str, tmp_path: Path) -> AsyncIterator[Office]:
    async with office(storage, tmp_path) as open_office:
        yield open_office


def left(name: str) -> Run:
    return run(name, notice(), state=RunState.LEFT_TO_AZURE, reason="Nobody declared a need.")


async def test_one_digest_names_every_scale_set_by_what_will_happen(desk):
    await store(desk.wiring, run("web", notice()), left("batch-dev"), run("api", notice()))

    await desk.tell()
    assert desk.subjects == []
    await desk.tell(after=MINUTE)

    assert desk.subjects == [f"[Announced] {TRACKING} 2 maintained by us, 1 left to Azure"]
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert text.index("Maintained by us (2)") < text.index("  api (") < text.index("  web (")
    assert text.index("Left to Azure (1)") < text.index("batch-dev")
    assert "BREAKWATER_STOP=1" in text
    assert len(desk.teams.messages) == 1


async def test_nothing_is_told_twice(desk):
    await store(desk.wiring, run("web", notice()))

    for _ in range(4):
        await desk.tell(after=2 * MINUTE)

    assert len(desk.subjects) == len(desk.teams.messages) == 1


async def test_a_page_goes_at_once_and_says_everything_one_needs_at_night(desk):
    await store(desk.wiring, paused("db-prod"))

    await desk.tell()

    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert desk.subjects[0].startswith(f"[Paused] {TRACKING} db-prod: Instance 4 did not come back")
    for needed in (
        "Instance 4 (zone 1, domain 2): stopped. OSProvisioningTimedOut",
        "Still serving: 14 of 18 instances",
        "If nobody answers by Sat 28 Nov",
        f"https://breakwater.example/api/waves/{TRACKING}/",
        "/shop/db-prod/resume",
        "/shop/db-prod/skip",
        "To stop everything",
    ):
        assert needed in text


async def test_notices_that_come_close_together_are_one_message(desk):
    web, api = run("web", notice()), run("api", notice())
    await store(desk.wiring, web, api)
    await desk.tell(after=MINUTE)

    web, api = with_notice(web, notice(2, Kind.STARTED)), with_notice(api, notice(2, Kind.STARTED))
    await store(desk.wiring, web, api)
    await desk.tell()
    assert len(desk.subjects) == 1
    await desk.tell(after=MINUTE)

    assert desk.subjects[1] == f"[Started] {TRACKING} api and 1 more scale set"


async def test_mails_of_one_wave_make_one_thread(desk):
    web = run("web", notice())
    await store(desk.wiring, web)
    await desk.tell(after=MINUTE)
    await store(desk.wiring, with_notice(web, notice(2, Kind.STARTED)))
    await desk.tell(after=MINUTE)

    first, second = desk.mail.messages
    assert first["references"] == second["references"]
    assert first["message-id"] != second["message-id"]


async def test_the_digest_waits_for_plans_still_to_come(desk):
    web, api = run("web", notice()), run("api", notice())
    await store(desk.wiring, web, announced=wave(web, api))

    await desk.tell(after=2 * MINUTE)
    assert desk.subjects == []
    await store(desk.wiring, api, announced=wave(web, api))
    await desk.tell(after=MINUTE)

    assert desk.subjects == [f"[Announced] {TRACKING} 2 maintained by us"]


async def test_after_ten_waits_the_digest_goes_and_says_what_is_missing(desk):
    web, api = run("web", notice()), run("api", notice())
    await store(desk.wiring, web, announced=wave(web, api))

    await desk.tell(after=9 * MINUTE)
    assert desk.subjects == []
    await desk.tell(after=MINUTE)

    assert len(desk.subjects) == 1
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert "1 scale set of this wave is still being planned" in text


async def test_a_message_that_comes_before_the_first_plan_sees_to_it_that_somebody_comes_back(desk):
    web = run("web", notice())
    await store(desk.wiring, announced=wave(web, received_at=NOW))

    await desk.tell()
    assert await desk.queued() == 1

    await desk.tell(after=24 * 60 * MINUTE)
    assert await desk.queued() == 1


async def test_many_messages_leave_one_follow_up(desk):
    await store(desk.wiring, run("web", notice()))

    await asyncio.gather(*(desk.tell() for _ in range(20)))

    assert await desk.queued() == 1


async def test_two_notifications_at_once_send_one_message(desk, storage, tmp_path):
    await store(desk.wiring, paused("db-prod"))
    other = Wiring(desk.wiring.settings, desk.clock)  # another worker: nothing in memory is shared

    await asyncio.gather(notify.handle(ASK, desk.wiring), notify.handle(ASK, other), desk.tell())
    await other.close()

    assert len(desk.subjects) == len(desk.teams.messages) == 1


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
    await desk.wiring.records.create(delivery_path(TRACKING, "ops"), encode(Delivery, record))

    await desk.tell(after=4 * MINUTE)
    assert desk.subjects == []
    await desk.tell(after=MINUTE)

    assert len(desk.subjects) == len(desk.teams.messages) == 1


async def test_teams_being_down_never_repeats_the_mail(desk):
    desk.teams.will_answer(503, 503)
    await store(desk.wiring, paused("db-prod"))

    await desk.tell()
    assert (await desk.delivery()).trouble == "teams: Teams answered 503."
    assert await desk.queued() == 1
    await desk.tell(after=timedelta(seconds=29))
    assert desk.teams.attempts == 1
    await desk.tell(after=timedelta(seconds=1))
    await desk.tell(after=timedelta(seconds=59))
    assert desk.teams.attempts == 2
    await desk.tell(after=timedelta(seconds=1))

    assert (len(desk.subjects), len(desk.teams.messages), desk.teams.attempts) == (1, 1, 3)
    assert (await desk.delivery()).trouble == ""


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
    assert "400" in record.trouble
    assert "sig=" not in json.dumps([one.trouble for one in record.messages])


def texts(desk: Office, to: str) -> list[str]:
    """What this address has been mailed, as plain text."""
    return [one.get_body(("plain",)).get_content() for one in desk.mail.messages if str(one["to"]) == to]


def ids(desk: Office) -> list[str]:
    """The ids of the messages that the Teams channel took."""
    return [one.headers["Idempotency-Key"] for one in desk.teams.messages]


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

    cards = [json.dumps(one.body) for one in desk.teams.messages]
    said = [sum(f"number {number}." in card for card in cards) for number in range(1, 6)]
    assert said == [1] * 5
    assert len(set(ids(desk))) == len(ids(desk))
    mails = texts(desk, "ops@example.org")
    assert [sum(f"number {number}." in mail for mail in mails) for number in range(1, 6)] == [1] * 5
    assert (await desk.delivery()).trouble == ""


async def test_what_a_broken_channel_missed_for_days_is_told_when_it_is_mended(desk):
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


async def test_a_channel_that_is_broken_is_told_through_another_one_with_what_to_mend(desk):
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
    assert desk.subjects[1] == "[Trouble] a channel does not get through"
    assert "sig=" not in mending


async def test_people_are_reminded_of_a_broken_channel_once_a_day(desk):
    desk.teams.will_answer(*[404] * 2000)
    await store(desk.wiring, paused("db-prod"))
    asked = []
    for _ in range(60):
        await desk.tell(after=60 * MINUTE)
        asked += [one.about for one in taken(desk, "channel")]

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


async def test_an_outage_of_minutes_troubles_nobody_else_and_one_of_half_an_hour_does(storage, tmp_path):
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


def taken(desk: Office, kind: str) -> list[NoticeMessage]:
    """The messages of this kind that were queued since this was last asked."""
    found = [one for one in desk.asked if one.kind == kind]
    desk.asked.clear()
    return found


async def test_a_run_of_two_waves_is_told_once_under_the_first(desk):
    both = run(
        "web", notice(1, Kind.PAUSED, Urgency.PAGE), waves=(TRACKING, "ZZZZ-222"), state=RunState.PAUSED
    )
    await store(desk.wiring, both)

    await desk.tell(message=NoticeMessage(tracking_id="ZZZZ-222", kind="wave"))
    await desk.tell()

    assert len(desk.subjects) == 1
    assert desk.subjects[0].startswith(f"[Paused] {TRACKING} ")


async def test_each_receiver_reads_about_its_own_scale_sets(storage, tmp_path):
    receivers = {"shop": {"email": ["shop@example.org"]}}
    async with office(storage, tmp_path, receivers=receivers) as desk:
        await store(desk.wiring, run("web", notice()), run("basket", notice(), receiver="Shop"))

        await desk.tell(after=MINUTE)

        texts = {str(one["to"]): one.get_body(("plain",)).get_content() for one in desk.mail.messages}
        assert texts.keys() == {"ops@example.org", "shop@example.org"}
        assert "basket" not in texts["ops@example.org"]
        assert "basket" in texts["shop@example.org"]


async def test_a_receiver_whose_channel_hangs_does_not_keep_the_others_waiting(storage, tmp_path):
    others = {"data": {"email": ["data@example.org"]}}
    async with office(storage, tmp_path, receivers=others) as desk:
        await store(desk.wiring, paused("web", receiver="data"), paused("api", receiver="ops"))
        sent = asyncio.Event()

        class Hangs:
            async def send(self, message: object) -> str:
                await sent.wait()
                return ""

        class Sends:
            async def send(self, message: object) -> str:
                sent.set()
                return ""

        desk.wiring.channels.of = lambda receiver: {"email": Hangs() if receiver.name == "data" else Sends()}
        async with asyncio.timeout(10):
            await desk.tell()
        assert len((await desk.delivery("data")).messages) == len((await desk.delivery()).messages) == 1


async def test_a_run_that_changes_hands_is_not_told_from_its_beginning(storage, tmp_path):
    receivers = {"shop": {"email": ["shop@example.org"]}}
    async with office(storage, tmp_path, receivers=receivers) as desk:
        web = run("web", notice())
        await store(desk.wiring, web)
        await desk.tell(after=MINUTE)
        await store(
            desk.wiring,
            altered(with_notice(web, notice(2, Kind.STARTED)), receiver="shop"),
        )

        await desk.tell(after=MINUTE)

        assert [str(one["to"]) for one in desk.mail.messages] == ["ops@example.org", "shop@example.org"]
        assert "Maintained by us" not in desk.mail.messages[1].get_body(("plain",)).get_content()


async def test_a_receiver_nobody_declared_is_recorded_as_told_to_nobody(desk, caplog):
    await store(desk.wiring, paused("db-prod", receiver="gone"), paused("db-two", receiver=""))

    await desk.tell()
    await desk.tell(after=2 * MINUTE)

    assert desk.subjects == []
    assert "no receiver 'gone'" in (await desk.delivery("gone")).trouble
    assert list((await desk.delivery("nobody")).told.values()) == [2]
    assert "notify.nobody" in caplog.text


async def test_while_the_policy_file_is_broken_notices_wait(desk):
    whole = desk.wiring.policy
    await store(desk.wiring, paused("db-prod"))

    desk.wiring.policy = lambda: Policy(problem="The policy file is not valid.")
    await desk.tell()
    assert desk.subjects == []
    desk.wiring.policy = whole
    await desk.tell(after=MINUTE)

    assert len(desk.subjects) == 1


async def test_the_end_of_a_wave_is_told_once_with_what_became_of_every_instance(desk):
    web = run("web", notice(), state=RunState.RUNNING)
    await store(desk.wiring, web, left("batch-dev"))
    await desk.tell(after=MINUTE)
    done = replace(
        with_notice(web, notice(2, Kind.COMPLETED), state=RunState.COMPLETED),
        batches=(
            batch(1, "1", "2", state=InstanceState.MAINTAINED),
            batch(2, "3", state=InstanceState.SKIPPED),
        ),
    )
    closed = wave(done, left("batch-dev"), stage=Stage.COMPLETE)
    await store(desk.wiring, done, announced=closed)

    await desk.tell(after=2 * MINUTE)
    await desk.tell(after=2 * MINUTE)

    assert desk.subjects[1:] == [f"[Finished] {TRACKING} 3 instances: 2 maintained by us, 1 skipped"]
    text = desk.mail.messages[1].get_body(("plain",)).get_content()
    assert "batch-dev" in text
    assert "web" in text


async def test_a_test_alert_says_once_that_one_is_wired_up(desk):
    wired = NoticeMessage(tracking_id="TEST-TTT", kind="wired", alert="a" * 64, text="A test.")

    await desk.tell(message=wired)
    await desk.tell(message=wired, after=MINUTE)
    await desk.tell(message=wired.model_copy(update={"alert": "b" * 64}))

    assert desk.subjects == ["[Wired up] TEST-TTT a test alert arrived"] * 2
    assert "Nothing was planned" in desk.mail.messages[0].get_body(("plain",)).get_content()


@pytest.mark.parametrize(("kind", "word"), [("quarantined", "Quarantined"), ("unknown_wave", "Unknown wave")])
async def test_what_needs_attention_beside_runs_reaches_the_default_receiver_once(desk, kind, word):
    message = NoticeMessage(kind=kind, text="Subscription 1234: something\nwas not understood.")

    await desk.tell(message=message)
    await desk.tell(message=message)

    assert len(desk.subjects) == 1
    assert desk.subjects[0].startswith(f"[{word}]")
    assert "something was not understood" in desk.mail.messages[0].get_body(("plain",)).get_content()


async def test_azure_that_cannot_be_read_for_two_hundred_scale_sets_is_one_message(desk):
    for number in range(200):
        text = f"Scale sets cannot be planned, among them set{number}: Azure asks to wait."
        about = "throttled 1234"
        message = NoticeMessage(tracking_id=TRACKING, kind="quarantined", text=text, about=about, unread=True)
        await desk.tell(message=message)

    assert desk.subjects == [f"[Trouble] {TRACKING} Azure cannot be read"]
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert "among them set0" in text
    assert "goes on trying by itself" in " ".join(text.split())
    assert "quarantine" not in text


async def test_a_notice_about_no_run_survives_a_channel_that_is_down(desk):
    desk.teams.will_answer(503)
    wired = NoticeMessage(tracking_id="TEST-TTT", kind="wired", alert="a" * 64)

    await desk.tell(message=wired)
    assert await desk.queued() == 1
    await desk.tell(message=wired, after=timedelta(seconds=30))

    assert len(desk.subjects) == len(desk.teams.messages) == 1
