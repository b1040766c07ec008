"""A wave's scale sets are planned together: what that costs storage, and what a crash at any step of it loses."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from handlers.wire.ids import RUNS
from planner.policy.model import Policy
from planner.record.run import Run
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION, ScaleSet, flexible, uniform
from simulator.fleet.waves import Wave, Window
from tests.world import Chaos, World
from tests.world.azure import PAGE
from tests.world.chaos import Killed
from tests.world.promises import broken
from tests.world.storage import MemoryQueues, MemoryRecords
from tests.world.world import LOCK, START

ID = "VM8T-1Q8"
H, DAY = timedelta(hours=1), timedelta(days=1)
POLICY = Policy(defaults={"self-service": "always", "lead": "6h", "soak": "10m"})

CALLS_A_SET = 2
"""Storage calls from discovery to the stored plan and the message of its first poll."""


async def announced(world: World, *scale_sets: ScaleSet) -> World:
    world.fleet.add(*scale_sets)
    world.fleet.plan(
        Wave(
            tracking_id=ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(START - H, START + 20 * DAY),
            scheduled=Window(START + 21 * DAY, START + 28 * DAY),
        )
    )
    await world.alert(ID)
    return world


def polls(world: World) -> Counter[str]:
    """The messages that poll each run as it stands on record."""
    runs = world.runs()
    waiting = (json.loads(text) for text in world.texts(RUNS))
    return Counter(one["name"] for one in waiting if one["generation"] >= runs[one["name"]].generation)


def all_to_be_polled(world: World, number: int) -> bool:
    return len(world.runs()) == number == len(polls(world))


async def test_fifty_scale_sets_cost_storage_seventy_calls_until_each_is_planned_and_has_its_first_poll(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: Counter[str] = Counter()

    def counted(kind: type[Any], name: str) -> None:
        call = getattr(kind, name)

        async def counting(self: Any, *args: Any, **options: Any) -> Any:
            calls[f"{name} {args[0].partition('/')[0]}"] += 1
            return await call(self, *args, **options)

        monkeypatch.setattr(kind, name, counting)

    number = 50
    world = await announced(World(policy=POLICY), *(uniform(f"set{each:02}", 4) for each in range(number)))
    for name in ("read", "write", "list", "delete"):
        counted(MemoryRecords, name)
    counted(MemoryQueues, "send_text")
    await world.until(START + H / 2, when=lambda: all_to_be_polled(world, number))
    assert {run.state for run in world.runs().values()} == {RunState.SCHEDULED}
    assert calls.pop("write runs") == number
    assert calls.pop("send_text scale-sets") == calls.pop("send_text runs") == 4
    # Each page of the listing is on record. The alert and the wave, its notice, its look-ups: the same for
    # one scale set and for a thousand.
    assert calls.pop("write listings") == 1 + number / PAGE
    assert calls.total() <= 12
    assert number + 4 + 4 + calls.total() <= CALLS_A_SET * number
    # The first polls come by those four messages, and each run goes on by messages of its own.
    assert sum(one.queue == RUNS for one in world.queues.waiting) == 4
    await world.until(START + 6 * H + DAY / 100)
    assert polls(world) == dict.fromkeys(world.runs(), 1)
    assert {run.generation > 1 for run in world.runs().values()} == {True}


class DiesOnce(Chaos):
    """Dies at one step, counted from zero, or with `storage` loses storage there instead."""

    def __init__(self, at: int, *, down: bool = False) -> None:
        super().__init__()
        self.at, self.steps, self.down, self.failing = at, 0, down, False

    async def step(self) -> None:
        self.steps += 1
        if self.steps != self.at + 1:
            return
        if self.down:
            self.failing = True
        else:
            self.kills += 1
            raise Killed

    def happens(self, share: float) -> bool:
        failing, self.failing = self.failing, False
        return failing or super().happens(share)


SETS = ("api", "calm", "jobs", "web")


def sets() -> list[ScaleSet]:
    return [
        flexible("api", 2, zones=("1", "2")),
        uniform("calm", 2, tags={"breakwater-self-service": "never"}),
        uniform("jobs", 4, update_domains=2),
        uniform("web", 4, update_domains=2),
    ]


async def played(chaos: DiesOnce) -> tuple[World, dict[str, Run]]:
    """A world planned while the host dies once, and its runs then."""
    world = await announced(World(policy=POLICY, chaos=chaos), *sets())
    # Whoever died comes back when the lock runs out, all else well before the first of them is due.
    await world.until(
        START + 3 * LOCK, when=lambda: chaos.steps > chaos.at and all_to_be_polled(world, len(SETS))
    )
    return world, world.runs()


def outcome(run: Run) -> Any:
    """What was decided, without the times that a redelivery shifts."""
    batches = [
        (batch.domain, [instance.id for instance in batch.instances], batch.state) for batch in run.batches
    ]
    return run.verdict, run.state, run.reason, run.people.checksum, batches, len(run.story.notices)


async def without_a_crash() -> tuple[int, dict[str, Any]]:
    chaos = DiesOnce(10**6)
    world = await announced(World(policy=POLICY, chaos=chaos), *sets())
    await world.until(START + 3 * LOCK, when=lambda: all_to_be_polled(world, len(SETS)))
    return chaos.steps, {name: outcome(run) for name, run in world.runs().items()}


@pytest.mark.parametrize("down", [False, True], ids=["killed", "storage away"])
async def test_a_crash_between_any_two_steps_loses_no_scale_set_and_plans_none_differently(
    down: bool,
) -> None:
    steps, wanted = await without_a_crash()
    assert steps > 30
    for at in range(steps):
        world, runs = await played(DiesOnce(at, down=down))
        assert {name: outcome(run) for name, run in runs.items()} == wanted, at
        assert set(polls(world)) == set(SETS), at
        assert world.messages.findings == [], at
        assert [one.text for one in world.queues.waiting if one.queue.endswith("-poison")] == [], at


async def test_whatever_the_step_at_which_a_host_dies_the_wave_comes_to_its_end() -> None:
    steps, _ = await without_a_crash()
    for at in range(0, steps, 3):
        world, _ = await played(DiesOnce(at))
        await world.until(START + 3 * DAY)
        assert broken(world) == [], at
        assert {name: run.state for name, run in world.runs().items() if name != "calm"} == dict.fromkeys(
            ("api", "jobs", "web"), RunState.COMPLETED
        ), at
