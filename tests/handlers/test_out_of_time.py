"""Each stage whose work takes longer than it has: it ends in time, keeps what it has, and the rest comes again."""

import asyncio
import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from handlers import deadline
from handlers.answering import answer
from handlers.cloud.arm import Arm
from handlers.cloud.memory import MemoryQueues, MemoryRecords
from handlers.cloud.names import CLAIMS_PREFIX, claim_path, run_path
from handlers.cloud.queues import Taken
from handlers.intake import hand_over
from handlers.stages import advance, bury, discover, notify, plan, receive, report, respond_wave, sweep
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES, RUNS, SCALE_SETS, Queue, poison
from handlers.wire.messages import AlertMessage, NoticeMessage, RunMessage
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.policy.model import Limits, Policy, Receiver
from planner.record.states import RunState
from tests.altered import altered
from tests.handlers.parts import SUBSCRIPTION, alert, body, put, run, scale_set
from tests.journeys.test_queue import ID, names
from tests.journeys.test_queue import Queue as QueueWorld
from tests.notices import TRACKING, paused, store
from tests.virtual import elapsed, never, now, passes, played

ALLOWED = timedelta(minutes=15)
HALF = ALLOWED / 2
M = timedelta(minutes=1)


class HandedOut(MemoryQueues):
    """What lies in the poison queues, too, as storage hands it out."""

    async def take(self, queue: str) -> list[Taken]:
        found = [one for one in self.waiting if one.queue == queue][:32]
        return [Taken(one.text, "", one.text) for one in found]

    async def remove(self, queue: str, taken: Taken) -> None:
        self.waiting = [one for one in self.waiting if (one.queue, one.text) != (queue, taken.text)]


class Memory(Wiring):
    """The product's wiring over storage in memory, whose calls take as long as they are told to."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(Settings(AzureWebJobsStorage="UseDevelopmentStorage=true", **settings), now)
        self.__dict__.update(records=MemoryRecords(now), queues=HandedOut(now))
        self.rules = Policy()

    def policy(self) -> Policy:
        return self.rules

    def slow(self, owner: Any, name: str, time: timedelta) -> None:
        real = getattr(owner, name)

        async def slowly(*args: Any, **options: Any) -> Any:
            await passes(time.total_seconds())
            return await real(*args, **options)

        setattr(owner, name, slowly)

    def sent(self, queue: str) -> list[dict[str, Any]]:
        return [json.loads(one.text) for one in self.queues.waiting if one.queue == queue]  # type: ignore[attr-defined]


async def handed(queue: Queue, message: Any, stage: Any, wiring: Wiring) -> timedelta:
    """How long the function took."""
    began = elapsed()
    await hand_over(queue, message.model_dump_json().encode(), stage.handle, wiring, allowed=ALLOWED)
    return elapsed() - began


def test_receive_answers_before_an_action_group_hangs_up() -> None:
    async def play() -> None:
        wiring = Memory()
        wiring.records.write = never  # type: ignore[method-assign]
        answered = await answer(receive.handle, Request("POST", body=body(alert())), wiring, ALLOWED)
        assert (answered.status, answered.headers["Retry-After"]) == (503, "10")
        assert elapsed() <= timedelta(seconds=8)

    played(play())


def test_discover_keeps_the_pages_it_has_read_and_goes_on_behind_them(monkeypatch) -> None:
    asked: list[str] = []

    async def page(self: Arm, address: str, *, tries: int) -> dict[str, Any]:
        del self, tries
        asked.append(address.partition("page=")[2] or "1")
        await passes(100)
        number = int(asked[-1])
        following = f"https://management.azure.com/x?page={number + 1}" if number < 6 else ""
        one = scale_set(f"web{number}")
        raw = {"id": one.id, "name": one.name, "location": one.location, "sku": {"capacity": 1}}
        return {"value": [raw], "nextLink": following}

    monkeypatch.setattr(Arm, "_page", page)

    async def play() -> None:
        wiring = Memory()
        await receive.handle(Request("POST", body=body(alert())), wiring)
        (first,) = wiring.sent(ALERTS)
        took = await handed(ALERTS, AlertMessage(**first), discover, wiring)
        assert took <= HALF
        assert asked[:3] == ["1", "2", "3"]
        again = wiring.sent(ALERTS)[1:]
        assert [one["alert"] for one in again] == [first["alert"]], "the rest is queued"
        while not wiring.sent(SCALE_SETS):
            await passes(60)
            assert await handed(ALERTS, AlertMessage(**wiring.sent(ALERTS)[-1]), discover, wiring) <= HALF
        pages = Counter(asked)
        assert pages.keys() == set("123456")
        assert max(pages.values()) <= 2, "a page that was read is not read again, only one that was cut off"
        assert pages["1"] == pages["2"] == 1

    played(play())


async def announced(**more: Any) -> QueueWorld:
    world = QueueWorld(Limits(scale_sets=3), **more)
    await world.announced(dict.fromkeys(names("set", 3), "westeurope"))
    return world


def hangs_for(world: QueueWorld, name: str) -> None:
    listing = world.compute.instances

    async def instances(scale_set: Any) -> Any:
        return await (never() if scale_set.name == name else listing(scale_set))

    world.compute.instances = instances


async def taken(world: QueueWorld, queue: Queue, stage: Any) -> timedelta:
    """Hand over the first message of a queue; how long its function took."""
    message = next(one for one in world.queues.waiting if one.queue == queue)
    world.queues.waiting.remove(message)
    began = elapsed()
    await hand_over(queue, message.text.encode(), stage.handle, world.wiring, allowed=ALLOWED)
    return elapsed() - began


def test_plan_keeps_the_plans_it_has_made_and_puts_off_the_one_that_azure_does_not_answer() -> None:
    async def play() -> None:
        world = await announced()
        await taken(world, ALERTS, discover)
        hangs_for(world, "set01")
        assert await taken(world, SCALE_SETS, plan) <= HALF
        assert set(world.runs()) == {"set00", "set02"}
        assert {json.loads(text)["name"] for text in world.texts(RUNS)} == {"set00", "set02"}
        (later,) = [json.loads(text) for text in world.texts(SCALE_SETS)]
        assert later["scale_set"].endswith("/set01")
        assert (later["attempt"], later["lives"]) == (1, 0), "trouble of Azure's, not of the message"

    played(play())


def test_a_poll_whose_reading_does_not_end_is_on_record_with_its_trouble_and_the_next_is_queued() -> None:
    async def play() -> None:
        world = await announced()
        await world.until(when=lambda: len(world.runs()) == 3)
        await world.until(max(run.due for run in world.runs().values()) - M)
        world.queues.waiting.clear()
        run = world.run_of("set01")
        world.clock.to(run.due)
        hangs_for(world, "set01")
        await world.wiring.runs.send_poll(run)
        assert await taken(world, RUNS, advance) <= HALF
        after = world.run_of("set01")
        assert after.gaps.trouble is not None
        assert "Azure took longer than 7 minutes to answer" in after.gaps.trouble.error
        assert json.loads(world.texts(RUNS)[-1])["generation"] == after.generation == run.generation + 1

    played(play())


def test_a_poll_that_comes_to_its_turn_too_late_calls_nobody_slow_and_comes_again() -> None:
    async def play() -> None:
        world = await announced()
        await world.until(when=lambda: len(world.runs()) == 3)
        await world.until(max(run.due for run in world.runs().values()) - M)
        run = world.run_of("set01")
        world.clock.to(run.due)
        world.queues.waiting.clear()
        path = run_path(run.target.subscription, run.target.resource_group, "set01")
        turn = world.wiring.turn(path)
        await turn.acquire()
        asyncio.get_running_loop().call_later(400, turn.release)
        await world.wiring.runs.send_poll(run)
        assert await taken(world, RUNS, advance) <= HALF
        assert world.run_of("set01") == run
        (again,) = [json.loads(text) for text in world.texts(RUNS)]
        assert (again["generation"], again["lives"]) == (run.generation, 0)

    played(play())


def test_what_never_gets_done_is_a_failure_in_the_end(monkeypatch) -> None:
    async def play() -> None:
        wiring = Memory()
        await put(wiring, run())
        wiring.records.read_if_changed = never  # type: ignore[method-assign]
        monkeypatch.setattr(wiring.runs, "read", never)
        message = RunMessage(subscription=SUBSCRIPTION, resource_group="Prod-RG", name="web", generation=3)
        for life in range(1, 6):
            assert await handed(RUNS, message, advance, wiring) <= HALF
            message = RunMessage(**wiring.sent(RUNS)[-1])
            assert message.lives == life
        with pytest.raises(deadline.OutOfTime, match="not done within 450 s"):
            await handed(RUNS, message, advance, wiring)

    played(play())


class Silent:
    """Every receiver has one channel that does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.cut: list[str] = []

    def of(self, receiver: Receiver) -> dict[str, Any]:
        return {"email": _Slot(receiver.name, self)}


class _Slot:
    def __init__(self, receiver: str, channels: Silent) -> None:
        self._receiver, self._channels = receiver, channels

    async def send(self, _: Any) -> str:
        self._channels.asked.append(self._receiver)
        began = elapsed()
        try:
            await never()
        finally:
            if elapsed() - began < timedelta(seconds=90):
                self._channels.cut.append(self._receiver)
        return ""


def test_notify_begins_no_message_that_it_cannot_finish_and_tells_the_rest_next_time() -> None:
    async def play() -> None:
        wiring = Memory(public_url="https://app.example")
        owners = [f"owner{number:03}" for number in range(100)]
        wiring.rules = Policy(receivers=tuple(Receiver(name, email=("x@example.org",)) for name in owners))
        channels = wiring.__dict__["channels"] = Silent()
        await store(wiring, *(altered(paused(f"db-{name}"), receiver=name) for name in owners))
        message = NoticeMessage(kind="wave", tracking_id=TRACKING)
        assert await handed(NOTICES, message, notify, wiring) <= HALF
        assert 16 <= len(channels.asked) < len(owners)
        assert len(channels.asked) == len(set(channels.asked))
        again = NoticeMessage(**wiring.sent(NOTICES)[-1])
        assert (again.kind, again.tracking_id, again.lives) == ("wave", TRACKING, 0)
        for _ in range(3):
            assert await handed(NOTICES, again, notify, wiring) <= HALF
        assert set(channels.asked) == set(owners)
        assert channels.cut == []

    played(play())


async def swept(wiring: Wiring) -> timedelta:
    began = elapsed()
    async with deadline.within(ALLOWED):
        await bury.drain(wiring)
        await sweep.handle(wiring)
    return elapsed() - began


def test_a_sweep_goes_on_where_the_last_one_ran_out_of_time() -> None:
    async def play() -> None:
        wiring = Memory()
        for number in range(200):
            await put(wiring, run(f"web{number:03}", due=now() - 10 * M))
        lost = claim_path(SUBSCRIPTION, "Prod-RG", "gone")
        await wiring.records.create(lost, b"{}", {"location": "eastus2"})
        await passes(300)
        wiring.slow(wiring.queues, "send_text", timedelta(seconds=5))
        assert await swept(wiring) <= HALF
        first = [one["name"] for one in wiring.sent(RUNS)]
        assert 50 < len(first) < 200
        for _ in range(3):
            assert await swept(wiring) <= HALF
        polled = Counter(one["name"] for one in wiring.sent(RUNS))
        assert len(polled) == 200
        assert await wiring.records.list(CLAIMS_PREFIX) == [], "the steps behind it had their turn, too"

    played(play())


def test_a_search_that_ran_out_of_time_asks_for_the_rest_at_the_next_sweep() -> None:
    async def play() -> None:
        subscriptions = [f"{number:08}-bb1b-cc2c-dd3d-eeeeee4e4e4e" for number in range(10)]
        wiring = Memory(subscriptions=",".join(subscriptions))
        asked: list[str] = []

        async def slowly(subscription: str) -> list[Any]:
            asked.append(subscription)
            await passes(60)
            return []

        wiring.planned_maintenance = slowly  # type: ignore[method-assign]
        assert await swept(wiring) <= HALF
        assert 5 <= len(asked) < 10
        assert await swept(wiring) <= HALF
        assert set(asked) == set(subscriptions)
        assert len(asked) <= 11, "only the one that was cut off is asked twice"

    played(play())


def test_emptying_the_poison_queues_leaves_half_of_the_time_to_the_sweep() -> None:
    async def play() -> None:
        wiring = Memory()
        await put(wiring, run("web", due=now() - 10 * M))
        for number in range(2000):
            await wiring.queues.send_text(poison(NOTICES), f"garbage {number}")
        wiring.slow(wiring.records, "create", timedelta(seconds=10))
        assert await swept(wiring) <= HALF
        assert [one["name"] for one in wiring.sent(RUNS)] == ["web"]

    played(play())


def test_a_page_that_storage_does_not_answer_for_is_503_with_a_sentence() -> None:
    async def play() -> None:
        wiring = Memory()
        wiring.records.list = never  # type: ignore[method-assign]
        answered = await answer(report.handle, Request("GET"), wiring, ALLOWED)
        assert answered.status == 503
        assert elapsed() <= timedelta(seconds=200)

    played(play())


def test_a_command_for_a_wave_says_whose_turn_did_not_come_and_said_again_it_reaches_them() -> None:
    async def play() -> None:
        world = QueueWorld(Limits(scale_sets=3))
        await world.announced(dict.fromkeys(names("set", 60), "westeurope"))
        await world.until(when=lambda: len(world.runs()) == 60)
        applied = world.wiring.runs.write

        async def slowly(*given: Any) -> str:
            await passes(40)
            return await applied(*given)

        world.wiring.runs.write = slowly  # type: ignore[method-assign]
        said = json.dumps({"actor": "ana", "comment": "Wait.", "runs": "all"}).encode()
        request = Request("POST", {"wave": ID, "action": "hold"}, body=said)
        first = await answer(respond_wave.handle, request, world.wiring, ALLOWED)
        told = json.loads(first.body)
        held = {name for name, run in world.runs().items() if run.state is RunState.PAUSED}
        assert first.status == 503
        assert {one.rpartition("/")[2] for one in told["scale_sets"]} == held
        assert len(held) + len(told["failed"]) == 60
        assert "say it again" in told["failed"][0]["reason"]
        assert elapsed() <= timedelta(seconds=200)
        await answer(respond_wave.handle, request, world.wiring, ALLOWED)
        assert {run.state for run in world.runs().values()} == {RunState.PAUSED}

    played(play())
