"""A command on its way to a run: written once, kept when others write, and never lost with its poll."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.cloud.records import Conflict
from handlers.wire.documents import decode, encode, run_metadata
from handlers.wire.messages import PersonEvent
from planner.record.run import Run
from planner.record.states import RunState
from tests.handlers.meddling import conflict, on_write
from tests.handlers.scene import WEB, Scene
from tests.world.chaos import Killed


def pause(scene: Scene) -> PersonEvent:
    return PersonEvent(id="e1", kind="quarantined", actor="bury", comment="KeyError: x", at=scene.clock())


async def change(scene: Scene, **fields: Any) -> None:
    """Somebody else writes the run."""
    stored = await scene.wiring.records.read(WEB)
    assert stored is not None
    run = decode(Run, stored.body)
    run = replace(run, generation=run.generation + 1, **fields)
    write = type(scene.wiring.records).write
    await write(scene.wiring.records, WEB, encode(run), etag=stored.etag, metadata=run_metadata(run))


async def test_a_persons_command_is_applied_once_whatever_its_generation(scene) -> None:
    message = await scene.planned()
    said = message.model_copy(update={"event": pause(scene), "generation": 0})
    run = await scene.poll(said)
    assert run.state is RunState.PAUSED
    told = len(run.story.notices)
    run = await scene.poll(said)
    assert len(run.story.notices) == told
    assert [entry.event for entry in run.story.history if entry.id] == ["quarantined"]
    assert scene.started() == []


async def test_a_command_in_a_message_that_meets_another_writer_is_kept(scene) -> None:
    message = await scene.ready()

    async def replanned() -> None:
        await change(scene, reason="Somebody was quicker.")

    on_write(scene, replanned, replanned, None, conflict)
    run = await scene.poll(message.model_copy(update={"event": pause(scene)}))
    assert [entry.id for entry in run.story.history if entry.id] == ["e1"]
    assert run.state is RunState.PAUSED
    assert scene.started() == []


async def test_a_command_that_finds_no_way_on_record_stays_in_its_message_for_the_host_to_retry(
    scene,
) -> None:
    message = await scene.ready()
    said = message.model_copy(update={"event": pause(scene)})
    on_write(scene, *(5 * [conflict]))
    with pytest.raises(Conflict):
        await scene.poll(said)
    assert scene.started() == []
    run = await scene.poll(said)
    assert [entry.id for entry in run.story.history if entry.id] == ["e1"]


async def test_a_pause_counts_although_the_poll_that_brings_it_fails(scene) -> None:
    """What makes every poll fail is what bury pauses a run for."""
    message = await scene.ready()

    async def broken(_: Any) -> Any:
        raise KeyError("x")

    scene.compute.instances = broken
    with pytest.raises(KeyError):
        await scene.poll(message.model_copy(update={"event": pause(scene)}))
    run = await scene.run()
    assert (run.state, [entry.id for entry in run.story.history if entry.id]) == (RunState.PAUSED, ["e1"])


async def test_a_poll_goes_on_from_a_command_that_a_host_wrote_before_it_died(scene) -> None:
    message = await scene.planned()
    said = message.model_copy(update={"event": pause(scene)})

    async def dies(_: Any) -> Any:
        raise Killed

    listing, scene.compute.instances = scene.compute.instances, dies
    with pytest.raises(Killed):
        await scene.poll(said)
    scene.compute.instances = listing
    before = (await scene.run()).polls
    assert (await scene.poll(said)).polls == before + 1


async def test_a_command_that_comes_too_late_is_on_record_and_wakes_nothing(scene) -> None:
    message = await scene.ready()
    await change(scene, state=RunState.COMPLETED, ended_at=scene.clock())
    scene.compute.calls.clear()
    run = await scene.poll(message.model_copy(update={"event": pause(scene)}))
    assert [entry.reason for entry in run.story.history if entry.id] == [
        "Came too late: the run is completed."
    ]
    assert run.state is RunState.COMPLETED
    assert sum(scene.compute.calls.values()) == 0
