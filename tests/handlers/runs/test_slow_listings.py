"""A scale set whose listing takes minutes is planned and maintained, and nobody does the same work beside it."""

import asyncio
from datetime import timedelta
from typing import Any

from handlers import deadline
from handlers.runs import observe_azure
from handlers.stages import advance, plan
from handlers.wire.documents import run_metadata
from planner.record.states import ENDED, RunState
from tests.handlers.parts import TestWiring
from tests.handlers.scene import Scene

FIVE_MINUTES = timedelta(minutes=5)


def lists_for(scene: Scene, time: timedelta, meanwhile: Any = None) -> None:
    """Every listing of instances takes that long; once, something else happens meanwhile."""
    honest, once = scene.compute.instances, [meanwhile] if meanwhile else []

    async def slow(scale_set: Any) -> Any:
        found = await honest(scale_set)
        scene.clock.at += time
        if once:
            await once.pop()()
        return found

    scene.compute.instances = slow


def never_lists(scene: Scene, monkeypatch: Any) -> None:
    async def hangs(_: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(observe_azure, "WORTH_BEGINNING", timedelta(0))
    monkeypatch.setattr(deadline, "RESERVE", timedelta(seconds=5))
    scene.compute.instances = hangs


SOON = timedelta(seconds=10.4)
"""What a host would allow of which, half and reserve taken off, a moment is left."""


async def test_a_set_whose_listing_takes_five_minutes_is_planned_and_maintained_to_the_end(scene) -> None:
    lists_for(scene, FIVE_MINUTES)
    await scene.ready()
    assert (await scene.run()).reading == FIVE_MINUTES, "the first poll is not lost before it can have ended"
    for _ in range(60):
        run = await scene.run()
        if run.state in ENDED:
            break
        scene.clock.at = max(scene.clock.at, run.due)
        await scene.poll()
    assert run.state is RunState.COMPLETED
    assert sorted(scene.started()) == ["0", "1", "2", "3"]
    assert run.gaps.trouble is None


async def test_how_long_a_poll_takes_is_on_record_only_where_it_is_long(scene) -> None:
    await scene.ready()
    assert "reading" not in run_metadata(await scene.run())
    honest = scene.compute.instances
    lists_for(scene, FIVE_MINUTES)
    run = await scene.poll()
    assert run_metadata(run)["reading"] == "300"
    scene.compute.instances = honest
    scene.clock.at = max(scene.clock.at, run.due)
    assert "reading" not in run_metadata(await scene.poll())


async def test_a_slow_poll_that_another_host_has_overtaken_sends_no_message_of_its_own(
    scene, storage
) -> None:
    other = TestWiring(storage, scene.clock)
    other.rules, other.__dict__["fake"] = scene.wiring.rules, scene.compute
    message = await scene.ready()

    async def another_look() -> None:
        await advance.handle(message, other)

    lists_for(scene, FIVE_MINUTES, another_look)
    before = len(scene.wiring.spy.of("runs"))
    await scene.poll(message)
    assert len(scene.wiring.spy.of("runs")) == before
    assert len(other.spy.of("runs")) == 1
    assert len(scene.started()) == len(set(scene.started())) == 2
    await other.close()


async def test_reading_that_does_not_end_is_trouble_of_the_poll_and_the_next_one_tries_again(
    scene, monkeypatch
) -> None:
    await scene.ready()
    never_lists(scene, monkeypatch)
    async with deadline.within(SOON):
        run = await scene.poll()
    assert "Azure took longer than" in run.reason
    assert run.gaps.trouble is not None
    assert scene.next_poll().generation == run.generation
    assert scene.started() == []


async def test_a_plan_whose_reading_does_not_end_is_tried_again_later(scene, monkeypatch) -> None:
    message = await scene.announced()
    never_lists(scene, monkeypatch)
    async with deadline.within(SOON):
        await plan.handle(message, scene.wiring)
    again = scene.wiring.spy.of("scale-sets")[-1]
    assert (again.scale_set, again.attempt) == (message.scale_set, 1)
