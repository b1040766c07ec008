"""What `breakwater plan` shows is what the deployed app writes, in worlds that are drawn by a seed."""

import asyncio
import json

import pytest

from handlers.intake import hand_over
from handlers.render.contract import run_document
from handlers.repository.runs import path_of
from handlers.runs import queue
from handlers.stages import discover, plan
from handlers.wire.ids import ALERTS, SCALE_SETS
from tests.handlers.cli.azure_over_http import running
from tests.world.scenarios import TRACKING_ID, drawn
from tests.world.world import World

SEEDS = range(8)
STAGES = {ALERTS: discover.handle, SCALE_SETS: plan.handle}


async def deployed(world: World) -> dict[str, dict]:
    """The runs that the app writes by the alert, as its JSON shows them, the look-ups made before the plans."""
    assert await world.alert(TRACKING_ID) == 202
    while waiting := _next(world):
        for message in waiting:
            world.queues.waiting.remove(message)
            await hand_over(message.queue, message.text.encode(), STAGES[message.queue], world.wiring)
    runs = {path_of(run.target.scale_set): run for run in world.runs().values()}
    placed = await queue.in_place(runs, world.wiring)
    return {run.target.name: run_document(run, world.clock()) for run in placed.values()}


def _next(world: World) -> list:
    for kind in (ALERTS, SCALE_SETS):
        if found := [message for message in world.queues.waiting if message.queue == kind]:
            return found
    return []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_verdict_is_the_deployed_one_to_the_byte(seed, typed, monkeypatch):
    world = drawn(seed).world
    written = asyncio.run(deployed(world))
    monkeypatch.setattr("handlers.cli.policy_source.policy_of", lambda _: world.policy)
    monkeypatch.setattr("handlers.cli.clock.now", world.clock)
    with running(world.fleet) as azure:
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        _, said, _ = typed("plan", "-o", "json")
    shown = {
        each["name"]: {k: v for k, v in each.items() if k != "fate"}
        for each in json.loads(said)["scale_sets"]
    }
    assert shown.keys() == written.keys()
    for name, document in written.items():
        assert json.dumps(shown[name]) == json.dumps(document), name
