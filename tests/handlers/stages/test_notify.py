"""notify: what is untold is told once, grouped, to whom it concerns."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.stages import notify
from handlers.waves import sweep_state
from handlers.waves.sweep_state import Rights, State
from handlers.wire.messages import NoticeMessage
from handlers.wiring import Wiring
from planner.azure.wave import Stage
from planner.policy.model import Policy
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from tests.altered import altered
from tests.handlers.desk import ASK, MINUTE, office
from tests.notices import (
    NOW,
    SUBSCRIPTION,
    TRACKING,
    batch,
    notice,
    paused,
    run,
    store,
    troubles,
    wave,
    with_notice,
)

UNTIL = "reboots until Sat 28 Nov, then at a time Azure chooses"


def left(name: str) -> Run:
    return run(name, notice(), state=RunState.LEFT_TO_AZURE, reason="Nobody declared a need.")


async def test_one_digest_names_every_scale_set_by_what_will_happen(desk):
    await store(desk.wiring, run("web", notice()), left("batch-dev"), run("api", notice()))

    await desk.tell()
    assert desk.subjects == []
    await desk.tell(after=MINUTE)

    assert desk.subjects == [
        f"{TRACKING}: 3 scale sets in westeurope: 2 rebooted by us, 1 left to Azure; {UNTIL}"
    ]
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert text.index("Rebooted by us (2)") < text.index("  api (") < text.index("  web (")
    assert text.index("Left to Azure (1)") < text.index("batch-dev")
    assert "BREAKWATER_STOP=1" in text
    assert len(desk.teams.messages) == 1


async def test_the_digest_names_each_right_that_breakwater_lacks(desk):
    await store(desk.wiring, run("web", notice()))
    action = "Microsoft.ResourceHealth/events/read"
    lacking = State(rights={SUBSCRIPTION: Rights(at=NOW, missing=[action])})
    await sweep_state.write(lacking, None, desk.wiring)

    await desk.tell(after=MINUTE)
    await desk.tell(after=MINUTE)

    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert f"lacks rights in subscription {SUBSCRIPTION}" in " ".join(text.split())
    assert action in text
    assert "breakwater doctor" in text


async def test_nothing_is_told_twice(desk):
    await store(desk.wiring, run("web", notice()))

    for _ in range(4):
        await desk.tell(after=2 * MINUTE)

    assert len(desk.subjects) == len(desk.teams.messages) == 1


async def test_a_page_goes_at_once_and_says_everything_one_needs_at_night(desk):
    await store(desk.wiring, paused("db-prod"))

    await desk.tell()

    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert desk.subjects == [f"db-prod needs your action; 14 of 18 serving, paused [{TRACKING}]"]
    for needed in (
        "Instance 4 (zone 1, domain 2): stopped. OSProvisioningTimedOut",
        "14 of 18 instances are running and healthy.",
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

    assert desk.subjects[1] == f"2 scale sets have started rebooting: api, web [{TRACKING}]"


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

    assert desk.subjects == [f"{TRACKING}: 2 scale sets in westeurope: 2 rebooted by us; {UNTIL}"]


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


async def test_a_run_of_two_waves_is_told_once_under_the_first(desk):
    both = run(
        "web", notice(1, Kind.PAUSED, Urgency.PAGE), waves=(TRACKING, "ZZZZ-222"), state=RunState.PAUSED
    )
    await store(desk.wiring, both)

    await desk.tell(message=NoticeMessage(tracking_id="ZZZZ-222", kind="wave"))
    await desk.tell()

    assert len(desk.subjects) == 1
    assert desk.subjects[0].endswith(f"; paused [{TRACKING}]")


async def test_each_receiver_reads_about_its_own_scale_sets(storage, tmp_path):
    receivers = {"shop": {"email": ["shop@example.org"]}}
    async with office(storage, tmp_path, receivers=receivers) as desk:
        await store(desk.wiring, run("web", notice()), run("basket", notice(), receiver="Shop"))

        await desk.tell(after=MINUTE)

        texts = {str(mail["to"]): mail.get_body(("plain",)).get_content() for mail in desk.mail.messages}
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

        assert [str(mail["to"]) for mail in desk.mail.messages] == ["ops@example.org", "shop@example.org"]
        assert "Rebooted by us" not in desk.mail.messages[1].get_body(("plain",)).get_content()


async def test_a_receiver_nobody_declared_is_recorded_as_told_to_nobody(desk, caplog):
    await store(desk.wiring, paused("db-prod", receiver="gone"), paused("db-two", receiver=""))

    await desk.tell()
    await desk.tell(after=2 * MINUTE)

    assert desk.subjects == []
    assert "no receiver 'gone'" in troubles(await desk.delivery("gone"))
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

    assert desk.subjects[1:] == [
        f"{TRACKING} is over for your 2 scale sets: 3 instances: 2 rebooted by us, 1 skipped"
    ]
    text = desk.mail.messages[1].get_body(("plain",)).get_content()
    assert "batch-dev" in text
    assert "web" in text


async def test_a_test_alert_says_once_that_one_is_wired_up(desk):
    wired = NoticeMessage(tracking_id="TEST-TTT", kind="wired", alert="a" * 64, text="A test.")

    await desk.tell(message=wired)
    await desk.tell(message=wired, after=MINUTE)
    await desk.tell(message=wired.model_copy(update={"alert": "b" * 64}))

    assert desk.subjects == ["You are wired up: a test alert arrived [TEST-TTT]"] * 2
    assert "Nothing is planned" in desk.mail.messages[0].get_body(("plain",)).get_content()


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("quarantined", "Look at a message that Breakwater could not process"),
        ("unknown_wave", "Check the alert rule: a wave came without an alert"),
    ],
)
async def test_what_needs_attention_beside_runs_reaches_the_default_receiver_once(desk, kind, word):
    message = NoticeMessage(kind=kind, text="Subscription 1234: something\nwas not understood.")

    await desk.tell(message=message)
    await desk.tell(message=message)

    assert len(desk.subjects) == 1
    assert desk.subjects == [word]
    assert "something was not understood" in desk.mail.messages[0].get_body(("plain",)).get_content()


async def test_azure_that_cannot_be_read_for_two_hundred_scale_sets_is_one_message(desk):
    for number in range(200):
        text = f"Scale sets cannot be planned, among them set{number}: Azure asks to wait."
        about = "throttled 1234"
        message = NoticeMessage(tracking_id=TRACKING, kind="quarantined", text=text, about=about, unread=True)
        await desk.tell(message=message)

    assert desk.subjects == [f"Breakwater cannot read the scale sets of a wave [{TRACKING}]"]
    text = desk.mail.messages[0].get_body(("plain",)).get_content()
    assert "among them set0" in text
    assert "Breakwater keeps trying" in " ".join(text.split())
    assert "quarantine" not in text


async def test_a_notice_about_no_run_survives_a_channel_that_is_down(desk):
    desk.teams.will_answer(503)
    wired = NoticeMessage(tracking_id="TEST-TTT", kind="wired", alert="a" * 64)

    await desk.tell(message=wired)
    assert await desk.queued() == 1
    await desk.tell(message=wired, after=timedelta(seconds=30))

    assert len(desk.subjects) == len(desk.teams.messages) == 1
