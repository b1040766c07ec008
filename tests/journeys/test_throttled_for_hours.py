"""429 for hours: one live message a run, and everything goes on when it is over."""

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest

from handlers.stages import sweep
from handlers.wire.ids import ALERTS, RUNS, SCALE_SETS
from planner.policy.model import Policy
from planner.record.notice import Kind
from planner.record.states import ENDED, RunState
from simulator.fleet import SUBSCRIPTION, Wave, Window, uniform
from tests.world import Chaos, World

TRACKING_ID = "VM8T-1Q8"
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def ten_sets(policy: Policy, chaos: Chaos) -> World:
    world = World(policy=policy, chaos=chaos)
    world.fleet.add(*(uniform(f"set{number}", 2) for number in range(10)))
    now = world.clock()
    world.fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(now, now + 5 * DAY),
            scheduled=Window(now + 6 * DAY, now + 8 * DAY),
        )
    )
    return world


def live(world: World, queue: str) -> Counter[str]:
    """The messages that somebody will act on: a woken run leaves the one behind that it slept by."""
    generations = {name: run.generation for name, run in world.runs().items()}
    return Counter(text for text in world.texts(queue) if queue != RUNS or not _overtaken(text, generations))


def _overtaken(text: str, generations: Mapping[str, int]) -> bool:
    message = json.loads(text)
    return message["generation"] < generations[message["name"]]


async def six_hours_of_429(world: World) -> list[tuple[int, int, int]]:
    """Swept every five minutes meanwhile; how many messages each of the queues held after each of them."""
    world.chaos.throttle = 1.0
    lengths = []
    for _ in range(72):
        await world.until(world.clock() + 5 * MINUTE)
        await sweep.handle(world.wiring)
        await world.until(world.clock() + timedelta(seconds=1))
        lengths.append(tuple(sum(live(world, queue).values()) for queue in (ALERTS, SCALE_SETS, RUNS)))
    world.chaos.throttle = 0.0
    return lengths


@pytest.mark.parametrize("self_service", ["always", "never"])
async def test_ten_runs_have_one_live_message_each_and_come_back_at_different_times(self_service: str):
    policy = Policy(defaults={"self-service": self_service, "lead": "1h"})
    world = ten_sets(policy, Chaos())
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + 50 * MINUTE)
    lengths = await six_hours_of_429(world)
    assert max(runs for _, _, runs in lengths) == 10
    assert max(plans for _, plans, _ in lengths) == 0
    assert max(alerts for alerts, _, _ in lengths) == 0
    runs = world.runs().values()
    assert len({one.due for one in runs}) == 10
    if self_service == "always":
        assert {sum(notice.kind is Kind.TROUBLE for notice in one.story.notices) for one in runs} == {1}
        assert all(one.gaps.trouble and one.gaps.trouble.told for one in runs)
    await world.until(world.clock() + 10 * DAY)
    assert {one.state in ENDED | {RunState.LEFT_TO_AZURE} for one in world.runs().values()} == {True}
    assert world.errors == []
    assert world.violations() == []


async def test_a_wave_announced_meanwhile_keeps_one_message_and_is_planned_when_it_is_over():
    world = ten_sets(Policy(defaults={"self-service": "always", "lead": "1h"}), Chaos())
    world.chaos.throttle = 1.0
    await world.alert(TRACKING_ID)
    lengths = await six_hours_of_429(world)
    assert set(lengths) == {(1, 0, 0)}
    await world.until(world.clock() + 15 * MINUTE)
    assert len(world.runs()) == 10


async def test_scale_sets_whose_plan_is_put_off_keep_one_message_each():
    world = ten_sets(Policy(defaults={"self-service": "always", "lead": "1h"}), Chaos())
    await world.alert(TRACKING_ID)
    await world.until(when=lambda: len(live(world, SCALE_SETS)) == 10)
    lengths = await six_hours_of_429(world)
    assert {plans for _, plans, _ in lengths} == {10}
    assert max(alerts for alerts, _, _ in lengths) <= 1
    await world.until(world.clock() + 15 * MINUTE)
    assert len(world.runs()) == 10
