"""A bundle on its way through a host: what fails goes on alone, the others are done, and nothing is lost."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.records import Conflict, StorageDown
from handlers.failures import bundles, reasons
from handlers.intake import hand_over
from handlers.stages import bury
from handlers.wire.bundles import Bundle, bundle_text
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import RUNS, SCALE_SETS, poison
from handlers.wire.messages import NEWER_WAIT, RunMessage
from handlers.wiring import BUNDLED_AT_ONCE
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring

NAMES = ("api", "jobs", "web")


def poll(name: str) -> RunMessage:
    return RunMessage(subscription=SUBSCRIPTION, resource_group="rg", name=name, generation=1)


BUNDLE = bundle_text([poll(name) for name in NAMES])


class Sent(TestWiring):
    """Remembers every text with its queue and delay; `down` says of which storage takes none."""

    def __init__(self, storage: str) -> None:
        super().__init__(storage, Clock())
        self.texts: list[tuple[str, str, timedelta]] = []
        self.down: Callable[[str], bool] = lambda _: False

        async def send_text(queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
            if self.down(text):
                raise StorageDown("Storage does not answer.")
            self.texts.append((queue, text, delay))

        self.queues.send_text = send_text  # type: ignore[method-assign]


@pytest.fixture
async def wiring(storage):
    made = Sent(storage)
    yield made
    await made.close()


async def handed_over(
    wiring: Sent, work: Callable[[RunMessage], Awaitable[None]], text: str = BUNDLE, tries: int = 1
) -> None:
    async def stage(message: RunMessage | Bundle[RunMessage], given: Any) -> None:
        if isinstance(message, Bundle):
            await bundles.each(RUNS, message, work, given)
        else:
            await work(message)

    await hand_over(RUNS, text.encode(), stage, wiring, tries=tries)


def alone(name: str, delay: timedelta = timedelta(0)) -> tuple[str, str, timedelta]:
    return RUNS, poll(name).model_dump_json(), delay


async def nothing(_: RunMessage) -> None:
    pass


async def test_every_message_of_a_bundle_is_worked_on_side_by_side(wiring) -> None:
    begun: list[str] = []
    all_begun = asyncio.Event()

    async def work(message: RunMessage) -> None:
        begun.append(message.name)
        if len(begun) == len(NAMES):
            all_begun.set()
        await asyncio.wait_for(all_begun.wait(), 10)

    await handed_over(wiring, work)
    assert sorted(begun) == sorted(NAMES)
    assert wiring.texts == []


@pytest.mark.parametrize(
    ("error", "wait", "noted"),
    [
        (Conflict("Others wrote in between."), bundles.FAILED_WAIT, "Conflict: Others wrote"),
        (RuntimeError("who knows"), bundles.FAILED_WAIT, "RuntimeError: who knows"),
        (StorageDown("Storage does not answer."), bundles.FAILED_WAIT, ""),
        (NewerRecord("A Run record has version 2."), NEWER_WAIT, ""),
    ],
)
async def test_what_fails_goes_on_alone_with_tries_of_its_own_and_the_others_are_done(
    wiring, error: Exception, wait: timedelta, noted: str
) -> None:
    done: list[str] = []

    async def work(message: RunMessage) -> None:
        if message.name == "jobs":
            raise error
        done.append(message.name)

    await handed_over(wiring, work)
    assert sorted(done) == ["api", "web"]
    assert wiring.texts == [alone("jobs", wait)]
    said = await reasons.last(RUNS, wiring.texts[0][1].encode(), wiring)
    assert said.startswith(noted)
    assert bool(said) == bool(noted)


async def test_the_bundle_comes_again_only_when_what_failed_cannot_be_sent_and_all_else_is_done_first(
    wiring,
) -> None:
    done: list[str] = []
    wiring.down = lambda text: "api" in text

    async def work(message: RunMessage) -> None:
        if message.name == "api":
            raise StorageDown("Storage does not answer.")
        await asyncio.sleep(0)
        done.append(message.name)

    with pytest.raises(StorageDown):
        await handed_over(wiring, work)
    assert sorted(done) == ["jobs", "web"]


async def test_a_bundle_that_comes_again_is_split_because_one_of_it_may_have_killed_the_host(wiring) -> None:
    async def never(_: RunMessage) -> None:
        raise AssertionError("nothing of it may be worked on with the others")

    await handed_over(wiring, never, tries=2)
    assert sorted(wiring.texts) == sorted(alone(name) for name in NAMES)


async def test_a_host_that_dies_or_ends_stops_all_of_it(wiring) -> None:
    class Killed(BaseException):
        pass

    others: list[str] = []

    async def work(message: RunMessage) -> None:
        if message.name == "api":
            await asyncio.sleep(0)
            raise Killed
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            others.append(message.name)
            raise

    with pytest.raises(Killed):
        await handed_over(wiring, work)
    assert sorted(others) == ["jobs", "web"]
    assert wiring.texts == []


async def test_only_the_message_that_cannot_be_read_is_buried(wiring) -> None:
    raw = json.loads(BUNDLE)
    raw["messages"][1]["name"] = "../x"
    await handed_over(wiring, nothing, json.dumps(raw))
    texts = [text for _, text, _ in wiring.texts]
    assert sorted(queue for queue, _, _ in wiring.texts) == [RUNS] * 3
    for text in texts:
        await handed_over(wiring, nothing, text)
    assert [(queue, json.loads(text)["name"]) for queue, text, _ in wiring.texts[3:]] == [
        (poison(RUNS), "../x")
    ]


async def test_a_bundle_of_a_later_version_comes_back_whole_in_five_minutes(wiring) -> None:
    later = json.dumps(json.loads(BUNDLE) | {"v": 3})
    await handed_over(wiring, nothing, later)
    assert wiring.texts == [(RUNS, later, NEWER_WAIT)]


async def test_a_bundle_in_the_poison_queue_is_split_and_nothing_of_it_is_quarantined(wiring) -> None:
    await bury.handle(RUNS, BUNDLE, wiring)
    assert sorted(wiring.texts) == sorted(alone(name) for name in NAMES)
    assert await wiring.records.list("quarantine/") == []


async def test_who_finds_no_turn_in_time_goes_on_alone_and_any_host_can_take_it(wiring, monkeypatch) -> None:
    monkeypatch.setattr(bundles, "BEGUN_WITHIN", timedelta(milliseconds=10))
    for _ in range(BUNDLED_AT_ONCE - 1):
        await wiring.bundled.acquire()
    begun: list[str] = []
    others_gone = asyncio.Event()

    async def work(message: RunMessage) -> None:
        begun.append(message.name)
        await asyncio.wait_for(others_gone.wait(), 10)

    gone: list[str] = []

    def going(text: str) -> bool:
        gone.append(text)
        if len(gone) == 2:
            others_gone.set()
        return False

    wiring.down = going
    await handed_over(wiring, work)
    assert len(begun) == 1
    assert sorted(wiring.texts) == sorted(alone(name) for name in NAMES if name not in begun)


async def test_the_bundles_of_a_process_share_its_turns(wiring) -> None:
    at_once = most = 0

    async def work(_: RunMessage) -> None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        at_once -= 1

    texts = [bundle_text([poll(f"set{bundle}-{number}") for number in range(16)]) for bundle in range(4)]
    await asyncio.gather(*(handed_over(wiring, work, text) for text in texts))
    assert most == BUNDLED_AT_ONCE


async def test_sixteen_hundred_and_one_messages_are_sent_in_a_hundred_and_one(wiring) -> None:
    await wiring.queues.send_together(SCALE_SETS, [poll(f"set{number}") for number in range(1601)])
    assert len(wiring.texts) == 101
    sent = [json.loads(text) for _, text, _ in wiring.texts]
    names = [each["name"] for one in sent for each in one.get("messages", [one])]
    assert sorted(names) == sorted(f"set{number}" for number in range(1601))
