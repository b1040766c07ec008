"""Receivers who choose what they hear: through notify, on real storage, with mailboxes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from handlers.cloud.records import Records
from handlers.stages import notify, sweep
from handlers.wire.messages import NoticeMessage
from planner.notices.delivery import STALE, behind
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.record.waits import Alarm
from tests.altered import altered
from tests.handlers.desk import ASK, MINUTE, Office, office, texts
from tests.notices import NOW, notice, run, store, with_notice

HOUR = timedelta(hours=1)


@pytest.fixture
async def choosy(storage: str, tmp_path: Path) -> AsyncIterator[Any]:
    """Makes offices whose receivers have chosen."""
    opened: list[Any] = []

    async def made(**receivers: dict[str, Any]) -> Office:
        given = {name: {"email": [f"{name}@example.org"]} | more for name, more in receivers.items()}
        manager = office(storage, tmp_path, receivers=given)
        opened.append(manager)
        return await manager.__aenter__()

    yield made
    for manager in opened:
        await manager.__aexit__(None, None, None)


def of(receiver: str, *notices: Notice, name: str = "web", **more: Any) -> Run:
    return run(name, *notices, receiver=receiver, **more)


def asked(number: int, **more: Any) -> Notice:
    return notice(number, Kind.STALLED, Urgency.ACT, **more)


def calls(wiring: Any) -> list[str]:
    """Every storage call from now on."""
    made: list[str] = []
    records: Records = wiring.records

    def watched(name: str) -> None:
        real = getattr(records, name)

        async def call(*given: Any, **named: Any) -> Any:
            made.append(name)
            return await real(*given, **named)

        setattr(records, name, call)

    for name in ("read", "write", "list", "create"):
        watched(name)
    return made


async def test_a_daily_digest_gathers_what_informs_and_lets_through_what_asks(choosy):
    desk = await choosy(shop={"know": "daily 08:00 UTC"})
    one = of("shop", notice(1, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    await desk.tell(after=3 * HOUR)
    assert texts(desk, "shop@example.org") == []

    other = of("shop", asked(1), name="db")
    await store(desk.wiring, one, other)
    await desk.tell(after=MINUTE)
    assert ["stalled number 1" in text for text in texts(desk, "shop@example.org")] == [True]

    await store(desk.wiring, with_notice(one, notice(2, Kind.COMPLETED)), other)
    await desk.tell(after=8 * HOUR)
    await desk.tell(after=9 * HOUR)
    digest = texts(desk, "shop@example.org")[1:]
    assert len(digest) == 1
    assert digest[0].index("started number 1") < digest[0].index("completed number 2")


async def test_gathering_asks_storage_and_the_queue_for_nothing_more_while_it_waits(choosy):
    desk = await choosy(shop={"know": "daily 08:00 UTC"})
    await store(desk.wiring, of("shop", notice(1, Kind.STARTED)))
    await desk.tell(after=MINUTE)
    queued, made = await desk.queued(), calls(desk.wiring)
    await desk.tell(after=MINUTE)
    assert await desk.queued() == queued == 1
    assert "write" not in made


async def test_a_message_with_nothing_gathered_costs_what_it_always_did(desk):
    """One listing of the runs, one of the records with each read, the waves, the run; a claim and its end."""
    await store(desk.wiring, of("ops", notice(1, Kind.STARTED)))
    made = calls(desk.wiring)
    await desk.tell(after=MINUTE)
    assert len(desk.subjects) == 1
    assert made.count("write") == 2
    assert len(made) == 13, made


async def test_what_a_receiver_does_not_want_counts_as_told_so_that_no_sweep_asks_for_it(choosy):
    desk = await choosy(shop={"from": "page"})
    one = of("shop", notice(1), notice(2, Kind.STARTED))
    await store(desk.wiring, one)
    await desk.tell(after=MINUTE)
    assert desk.subjects == []
    path = (await desk.wiring.records.list("runs/"))[0].path
    assert behind([await desk.delivery("shop")], {path: 2}) == ()

    await store(desk.wiring, with_notice(one, notice(3, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED))
    await desk.tell()
    (text,) = texts(desk, "shop@example.org")
    assert "paused number 3" in text
    assert "started number 2" not in text


async def test_what_asks_and_its_receiver_does_not_want_goes_to_the_default_receiver_once_and_says_so(choosy):
    desk = await choosy(shop={"from": "page"})
    await store(desk.wiring, of("shop", notice(1), asked(2)), of("ops", notice(1), name="db"))
    for _ in range(4):
        await desk.tell(after=2 * MINUTE)
    assert texts(desk, "shop@example.org") == []
    about = [text for text in texts(desk, "ops@example.org") if "stalled number 2" in text]
    assert len(about) == 1
    assert "since shop has chosen not to hear of it" in " ".join(about[0].split())
    assert (await desk.delivery("shop")).told == {(await desk.wiring.records.list("runs/"))[-1].path: 2}


async def test_a_page_takes_along_what_nobody_has_heard_yet(choosy):
    desk = await choosy(shop={"from": "page"})
    await store(
        desk.wiring,
        of("shop", notice(1), asked(2), notice(3, Kind.PAUSED, Urgency.PAGE), state=RunState.PAUSED),
    )
    await desk.tell()
    (text,) = texts(desk, "shop@example.org")
    assert text.index("paused number 3") < text.index("stalled number 2")


def ringing(receiver: str, number: int = 2) -> Run:
    """Paused with instance 4 down by our doing."""
    page = notice(
        number,
        Kind.PAUSED,
        Urgency.PAGE,
        sentence="Instance 4 did not come back within 60 min of its start.",
        answers=(CommandKind.RESUME, CommandKind.SKIP, CommandKind.ACKNOWLEDGE),
    )
    down = InstanceProgress("4", state=InstanceState.FAILED, begun=True, reason="It is unhealthy.")
    made = run(
        "db-prod", notice(1), page, receiver=receiver, state=RunState.PAUSED, alarm=Alarm(number, ("4",), NOW)
    )
    return replace(made, batches=(replace(made.batches[0], instances=(down,)), *made.batches[1:]))


def waves_asked(desk: Office) -> int:
    """How often somebody was asked to tell the wave's notices."""
    return sum(isinstance(message, NoticeMessage) and message.kind == "wave" for message in desk.asked)


async def rounds(desk: Office, minutes: int, *, step: int = 5) -> None:
    for _ in range(minutes // step):
        await desk.tell(after=timedelta(minutes=step))


async def test_a_page_comes_again_until_it_is_acknowledged_first_to_its_receiver_then_to_another(choosy):
    desk = await choosy(shop={"escalate-to": "lead"}, lead={})
    one = ringing("shop")
    await store(desk.wiring, one)
    await desk.tell()
    await rounds(desk, 25)
    assert (len(texts(desk, "shop@example.org")), len(texts(desk, "lead@example.org"))) == (2, 0)
    await rounds(desk, 10)
    assert (len(texts(desk, "shop@example.org")), len(texts(desk, "lead@example.org"))) == (3, 1)
    again, escalated = texts(desk, "shop@example.org")[1], texts(desk, "lead@example.org")[0]
    assert "Nobody has acknowledged it since Tue 24 Nov 12:00 UTC" in " ".join(again.split())
    assert "shop has not acknowledged it since" in " ".join(escalated.split())
    assert "/db-prod/acknowledge" in again
    assert "Instance 4 did not come back" in escalated

    taken = altered(one, alarm=Alarm(2, ("4",), NOW, taken_by="Ana", taken_at=NOW + 36 * MINUTE))
    taken = with_notice(taken, notice(3, Kind.ACKNOWLEDGED, sentence="Ana has acknowledged it."))
    await store(desk.wiring, taken)
    await rounds(desk, 180)
    assert len(texts(desk, "shop@example.org")) == 4
    assert [
        ("It no longer pages: Ana has acknowledged it" in text) for text in texts(desk, "lead@example.org")
    ] == [
        False,
        True,
    ]


async def test_repeats_are_not_multiplied_by_messages_that_come_twice_or_at_once(choosy):
    desk = await choosy(shop={})
    await store(desk.wiring, ringing("shop"))
    await desk.tell()
    for _ in range(4):
        desk.clock.pass_(15 * MINUTE)
        await asyncio.gather(*(notify.handle(ASK, desk.wiring) for _ in range(4)))
    # After half an hour it comes once an hour.
    assert len(texts(desk, "shop@example.org")) == 3
    keys = [str(mail["message-id"]) for mail in desk.mail.messages]
    assert len(keys) == len(set(keys))


async def test_a_repeat_whose_sender_died_goes_again_once_under_the_same_id(choosy):
    desk = await choosy(shop={})
    await store(desk.wiring, ringing("shop"))
    await desk.tell()
    real = desk.wiring.records.write

    async def dies_after_sending(path: str, body: bytes, **more: Any) -> str:
        if path.startswith("deliveries/") and b'"sending":null' in body:
            raise asyncio.CancelledError
        return await real(path, body, **more)

    desk.wiring.records.write = dies_after_sending
    with pytest.raises(asyncio.CancelledError):
        await desk.tell(after=15 * MINUTE)
    desk.wiring.records.write = real
    await desk.tell(after=MINUTE)
    await desk.tell(after=STALE)
    await desk.tell(after=MINUTE)
    first, repeat, again = [str(mail["message-id"]) for mail in desk.mail.messages]
    assert first != repeat == again


async def test_a_lost_repeat_is_asked_for_by_the_sweep(choosy):
    desk = await choosy(shop={"know": "daily 08:00 UTC"})
    await store(desk.wiring, ringing("shop"))
    await desk.tell()
    desk.asked.clear()
    desk.clock.pass_(20 * MINUTE)
    await sweep.handle(desk.wiring)
    assert waves_asked(desk) == 1


async def test_a_default_receiver_that_stays_down_is_reported_and_stood_in_for_by_another_one(choosy):
    desk = await choosy(ops={"email": [], "teams": "https://127.0.0.1:1/x"}, shop={})
    await store(desk.wiring, of("ops", asked(1)))
    for _ in range(5):
        await desk.tell(after=10 * MINUTE)
    (report,) = [one for one in desk.asked if isinstance(one, NoticeMessage) and one.kind == "channel"]
    await desk.tell(message=report)
    about, trouble = texts(desk, "shop@example.org")
    assert "stalled number 1" in about
    assert "Told to you through another channel: it is for ops." in " ".join(about.split())
    assert "The teams channel of ops" in trouble
