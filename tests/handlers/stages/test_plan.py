"""plan: how a run is written, and what happens when others write, or Azure does not answer."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.errors import Forbidden, NotFound, Throttled, Unreachable
from handlers.cloud.names import ARCHIVE_PREFIX
from handlers.cloud.records import Conflict, StorageDown
from handlers.stages import plan
from handlers.wire.documents import decode, encode, run_metadata
from planner.decision.decide import decide
from planner.machine import planning
from planner.record.run import Entry, Run
from planner.record.states import RunState
from simulator.fleet import SUBSCRIPTION, Wave, Window
from tests.altered import altered
from tests.handlers.scene import START, WEB, Scene


def meddle(scene: Scene, *others: Any) -> None:
    """Each of `others` happens before one write of a run, in turn."""
    waiting = list(others)
    write = scene.wiring.records.write

    async def writing(path: str, *args: Any, **options: Any) -> str:
        if path == WEB and waiting:
            happening = waiting.pop(0)
            await happening(write)
        return await write(path, *args, **options)

    scene.wiring.records.write = writing


async def somebody_writes(scene: Scene, write: Any) -> None:
    """Another stage adds a line of history to the run."""
    stored = await scene.wiring.records.read(WEB)
    assert stored is not None
    run = decode(Run, stored.body)
    line = Entry(scene.clock(), "somebody", "meanwhile", "wrote in between")
    run = replace(
        run, generation=run.generation + 1, story=replace(run.story, history=(*run.story.history, line))
    )
    await write(WEB, encode(run), etag=stored.etag, metadata=run_metadata(run))


async def test_a_run_is_written_before_its_first_message_and_later_the_message_comes_first(scene) -> None:
    message = await scene.announced()
    scene.events.clear()
    await plan.handle(message, scene.wiring)
    assert scene.events == ["write", "send runs"]
    run = await scene.run()
    assert run.state is RunState.SCHEDULED
    assert scene.next_poll().generation == run.generation == 1
    assert scene.delay() == run.due - scene.clock() == timedelta(hours=1)
    assert [batch.state for batch in run.batches] == ["pending"] * 2
    scene.events.clear()
    await plan.handle(message.model_copy(update={"reason": "replan"}), scene.wiring)
    assert scene.events[:2] == ["send runs", "write"]


@pytest.mark.parametrize(("level", "asks"), [("Informational", 0), ("Warning", 1)])
async def test_only_a_first_plan_that_pages_is_told_without_waiting_for_the_others(
    scene, level: str, asks: int
) -> None:
    message = await scene.announced(level=level)
    before = len(scene.wiring.spy.of("notices"))
    await plan.handle(message, scene.wiring)
    assert len(scene.wiring.spy.of("notices")) - before == asks


async def test_what_the_sweep_asks_for_is_planned_once_and_costs_nothing_when_it_is_planned_already(
    scene,
) -> None:
    message = (await scene.announced()).model_copy(update={"reason": "swept"})
    await plan.handle(message, scene.wiring)
    assert (await scene.run()).state is RunState.SCHEDULED
    generation = (await scene.run()).generation
    scene.compute.calls.clear()
    await plan.handle(message, scene.wiring)
    assert dict(scene.compute.calls) == {}
    assert (await scene.run()).generation == generation


@pytest.mark.parametrize("trouble", [Unreachable("Azure answered 503."), Throttled(timedelta(hours=1))])
async def test_what_the_sweep_asks_for_does_not_wait_beside_another_message(scene, trouble) -> None:
    """It comes again with the sweep; kept in the queue as well, it would become more each time."""
    message = (await scene.announced()).model_copy(update={"reason": "swept"})
    sent = len(scene.wiring.spy.of("scale-sets"))

    async def instances(*_: Any) -> Any:
        raise trouble

    scene.compute.instances = instances
    await plan.handle(message, scene.wiring)
    assert len(scene.wiring.spy.of("scale-sets")) == sent


async def test_a_fresh_announcement_costs_one_listing_of_instances_and_nothing_else(scene) -> None:
    message = await scene.announced()
    scene.compute.calls.clear()
    await plan.handle(message, scene.wiring)
    assert dict(scene.compute.calls) == {"list instances": 1}


async def test_a_poll_interval_reads_the_scale_set_afresh(scene) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    scene.compute.calls.clear()
    await plan.handle(message.model_copy(update={"reason": "replan"}), scene.wiring)
    assert dict(scene.compute.calls) == {"get scale set": 1, "list instances": 1}


async def test_a_plan_done_twice_is_the_same_plan(scene) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    once = await scene.run()
    await plan.handle(message, scene.wiring)
    twice = await scene.run()
    assert (twice.people.checksum, twice.batches, twice.story.notices) == (
        once.people.checksum,
        once.batches,
        once.story.notices,
    )
    assert twice.generation == once.generation + 1


async def test_a_plan_overtaken_by_another_writer_is_made_again_from_what_is_there(scene) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    scene.compute.calls.clear()
    meddle(scene, lambda write: somebody_writes(scene, write))
    await plan.handle(message.model_copy(update={"reason": "replan"}), scene.wiring)
    run = await scene.run()
    assert [entry.actor for entry in run.story.history if entry.event == "meanwhile"] == ["somebody"]
    assert run.generation == 3
    assert scene.next_poll().generation == 3
    assert scene.compute.calls["list instances"] == 1, "Azure is not read again for it"


async def test_a_plan_always_overtaken_is_left_to_the_hosts_next_try(scene) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    meddle(scene, *[lambda write: somebody_writes(scene, write)] * 5)
    with pytest.raises(Conflict, match="5 times"):
        await plan.handle(message.model_copy(update={"reason": "replan"}), scene.wiring)
    run = await scene.run()
    assert sum(entry.event == "meanwhile" for entry in run.story.history) == 5


async def down(_: Any) -> None:
    raise StorageDown("Storage does not answer.")


async def test_a_plan_that_crashed_before_its_record_is_made_again(scene) -> None:
    message = await scene.announced()
    meddle(scene, down)
    with pytest.raises(StorageDown):
        await plan.handle(message, scene.wiring)
    assert await scene.wiring.records.read(WEB) is None
    assert scene.wiring.spy.of("runs") == []
    await plan.handle(message, scene.wiring)
    assert scene.next_poll().generation == (await scene.run()).generation == 1


async def test_a_later_plan_that_crashed_before_its_record_leaves_a_message_that_does_no_harm(scene) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    again = message.model_copy(update={"reason": "replan"})
    meddle(scene, down)
    with pytest.raises(StorageDown):
        await plan.handle(again, scene.wiring)
    orphan = scene.next_poll()
    await plan.handle(again, scene.wiring)
    assert scene.next_poll().generation == orphan.generation == 2
    scene.clock.forward(hours=1)
    await scene.poll(orphan)
    await scene.poll(orphan)
    assert scene.started() == ["0", "2"], "the second is below the generation by now"


@pytest.mark.parametrize("wrong", ["scale_set", "tracking_id"])
async def test_what_no_discovery_found_is_not_planned(scene, wrong: str) -> None:
    message = await scene.announced()
    other = {"scale_set": message.scale_set + "x", "tracking_id": "NONE-123"}[wrong]
    with pytest.raises(plan.UnknownScaleSet, match="No discovery"):
        await plan.handle(message.model_copy(update={wrong: other}), scene.wiring)
    assert await scene.wiring.records.list("runs/") == []
    assert scene.compute.calls["list instances"] == 0


async def trouble(scene: Scene, error: Exception) -> None:
    async def instances(_: Any) -> Any:
        raise error

    scene.compute.instances = instances


async def absent(scene: Scene) -> None:
    """Azure finds neither the scale set nor its instances."""
    await trouble(scene, NotFound("ResourceNotFound"))
    scene.compute.scale_set = scene.compute.instances


async def test_an_azure_that_is_down_is_asked_again_with_growing_patience_and_told_of_once(scene) -> None:
    message = await scene.announced()
    await trouble(scene, Unreachable("Azure answered 503."))
    delays = []
    for _ in range(8):
        scene.wiring.spy.forget()
        await plan.handle(message, scene.wiring)
        (message,) = scene.wiring.spy.of("scale-sets")
        delays += scene.wiring.spy.delays("scale-sets")
        told = scene.wiring.spy.of("notices")
        assert len(told) == (1 if message.attempt == 7 else 0)
        assert all("Azure answered 503." in notice.text and notice.kind == "quarantined" for notice in told)
    assert [delay.total_seconds() for delay in delays] == [30, 60, 120, 240, 480, 600, 600, 600]
    assert await scene.wiring.records.list("runs/") == []


async def test_a_throttled_plan_waits_as_long_as_azure_asks_and_uses_up_no_try(scene) -> None:
    message = await scene.announced()
    scene.wiring.spy.forget()
    await trouble(scene, Throttled(timedelta(seconds=17)))
    await plan.handle(message, scene.wiring)
    (again,) = scene.wiring.spy.of("scale-sets")
    assert (again.attempt, again.throttled_since) == (message.attempt, scene.clock())
    (delay,) = scene.wiring.spy.delays("scale-sets")
    assert timedelta(seconds=17) <= delay <= timedelta(seconds=22)
    assert scene.wiring.spy.of("notices") == []


async def test_a_plan_that_azure_puts_off_for_half_an_hour_is_told_once_for_all_scale_sets(scene) -> None:
    message = await scene.announced()
    scene.wiring.spy.forget()
    await trouble(scene, Throttled(timedelta(minutes=20)))
    delays = []
    for _ in range(5):
        await plan.handle(message, scene.wiring)
        message = scene.wiring.spy.of("scale-sets")[-1]
        delays.append(scene.wiring.spy.delays("scale-sets")[-1].total_seconds() / 60)
        scene.clock.at += timedelta(minutes=delays[-1])
    (told,) = scene.wiring.spy.of("notices")
    assert delays[0] + delays[1] == pytest.approx(30), "nobody waits longer for the word"
    assert all(20 <= delay <= 25 for delay in (delays[0], *delays[2:]))
    assert told.about == f"throttled {message.subscription}"
    assert "Azure asks to wait 1200 s before the next request." in told.text
    assert "lasted for half an hour" in told.text
    assert await scene.wiring.records.list("runs/") == []


@pytest.mark.parametrize("asked_by_the_run", ["recheck", "replan"])
async def test_a_plan_that_the_run_asks_for_again_anyway_keeps_no_message_beside_it(
    scene, asked_by_the_run
) -> None:
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    before = await scene.run()
    scene.wiring.spy.forget()
    await trouble(scene, Throttled(timedelta(minutes=20)))
    began = scene.clock()
    for _ in range(6):
        await plan.handle(message.model_copy(update={"reason": asked_by_the_run}), scene.wiring)
        scene.clock.forward(minutes=15)
    assert scene.wiring.spy.of("scale-sets") == []
    (told,) = scene.wiring.spy.of("notices")
    assert "lasted for half an hour" in told.text
    run = await scene.run()
    assert (run.gaps.unplanned.since, run.gaps.unplanned.count, run.gaps.unplanned.told) == (began, 6, True)
    assert altered(run, unplanned=None) == before
    del scene.compute.instances
    await plan.handle(message.model_copy(update={"reason": asked_by_the_run}), scene.wiring)
    assert (await scene.run()).gaps.unplanned is None


async def test_a_missing_permission_is_told_at_once(scene) -> None:
    message = await scene.announced()
    scene.wiring.spy.forget()
    await trouble(scene, Forbidden("The role lacks virtualMachines/read."))
    await plan.handle(message, scene.wiring)
    (told,) = scene.wiring.spy.of("notices")
    assert "The role lacks virtualMachines/read." in told.text
    assert "Give the app's identity its role there" in told.text
    assert told.unread


async def test_a_scale_set_that_azure_does_not_find_once_is_asked_for_again_before_anything_is_planned(
    scene,
) -> None:
    message = await scene.announced()
    await absent(scene)
    await plan.handle(message, scene.wiring)
    assert await scene.wiring.records.read(WEB) is None
    again = scene.wiring.spy.of("scale-sets")[-1]
    assert again.absent_since == scene.clock()
    assert scene.wiring.spy.delays("scale-sets")[-1] == timedelta(minutes=1)


async def test_a_scale_set_that_azure_does_not_find_twice_a_poll_apart_is_not_impacted(scene) -> None:
    message = await scene.announced()
    await absent(scene)
    await plan.handle(message, scene.wiring)
    scene.clock.forward(minutes=1)
    await plan.handle(scene.wiring.spy.of("scale-sets")[-1], scene.wiring)
    assert (await scene.run()).state is RunState.NOT_IMPACTED


async def test_a_listing_that_answers_404_for_a_scale_set_that_is_there_is_tried_again(scene) -> None:
    message = await scene.announced()
    await trouble(scene, NotFound("ResourceNotFound"))
    await plan.handle(message, scene.wiring)
    again = scene.wiring.spy.of("scale-sets")[-1]
    assert (again.attempt, again.absent_since) == (1, None)


async def test_a_status_nobody_can_read_blocks_the_plan(scene) -> None:
    scene.compute.faults.malformed_dates |= {"web_1"}
    await plan.handle(await scene.announced(), scene.wiring)
    run = await scene.run()
    assert run.state is RunState.LEFT_TO_AZURE
    assert "1" in run.reason
    check = next(check for check in run.checks if check.name == "status-readable")
    assert check.outcome == "unknown"
    assert check.instances == ("1",)


async def test_a_run_that_is_over_is_archived_before_a_returning_wave_begins_another(scene) -> None:
    await scene.ready()
    for _ in range(60):
        run = await scene.poll()
        if run.ended_at is not None:
            break
        scene.clock.at = max(scene.clock() + timedelta(seconds=1), run.due)
    assert run.state is RunState.COMPLETED
    first = run.times.self_service
    assert first is not None
    wave = scene.azure.wave("VM8T-1Q8")
    moved = replace(wave.self_service, end=wave.self_service.end + timedelta(days=3))
    later = replace(wave.scheduled, start=moved.end, end=wave.scheduled.end + timedelta(days=3))
    scene.azure.reschedule("VM8T-1Q8", moved, later, again=True)
    message = await scene.announced("Rescheduled")
    await plan.handle(message, scene.wiring)
    assert await scene.wiring.records.list(ARCHIVE_PREFIX) == [], "first somebody looks up why"
    await plan.handle(message.model_copy(update={"reason": "renewed"}), scene.wiring)
    (archived,) = await scene.wiring.records.list(ARCHIVE_PREFIX)
    stored = await scene.wiring.records.read(archived.path)
    assert stored is not None
    assert decode(Run, stored.body) == run
    again = await scene.run()
    assert again.state is RunState.SCHEDULED
    assert again.planned_at > START
    assert again.generation == run.generation + 1, "a late message of the old run is dropped"


async def test_a_cancelled_wave_reads_nothing_and_wakes_the_run(scene) -> None:
    await scene.planned()
    scene.compute.calls.clear()
    scene.azure.cancel("VM8T-1Q8")
    await plan.handle(await scene.announced("Canceled"), scene.wiring)
    assert scene.compute.calls["list instances"] == 0
    run = await scene.run()
    assert run.due == scene.clock()
    assert scene.delay() == timedelta(0)
    assert (await scene.poll()).state is RunState.CANCELLED
    assert scene.started() == []


async def test_what_is_decided_on_knows_the_newest_look_ups_of_all_its_waves(scene, monkeypatch) -> None:
    seen: list[Any] = []

    def watching(scale_set: Any, *args: Any, **more: Any) -> Any:
        seen.append(scale_set)
        return decide(scale_set, *args, **more)

    monkeypatch.setattr(planning, "decide", watching)
    scene.azure.people.stop(scene.azure.instance("web", 1), by="bo@example.org")
    scene.azure.people.start(scene.azure.instance("web", 1))
    scene.clock.forward(minutes=5)
    message = await scene.announced()
    await plan.handle(message, scene.wiring)
    assert [(one.habits.stops, one.habits.stopped_by) for one in seen] == [(1, "bo@example.org")]
    scene.azure.people.deallocate_all(scene.azure.scale_set("web"), ["3"])
    scene.clock.forward(minutes=70)
    other = Wave(
        tracking_id="ZX9K-7QD",
        subscriptions=(SUBSCRIPTION,),
        regions=("westeurope",),
        self_service=Window(START, START + timedelta(days=9)),
        scheduled=Window(START + timedelta(days=10), START + timedelta(days=12)),
    )
    scene.azure.plan(other)
    await plan.handle(await scene.announced(wave=other.tracking_id), scene.wiring)
    await plan.handle(message.model_copy(update={"reason": "renewed"}), scene.wiring)
    assert {one.habits.stops for one in seen[1:]} == {2}, "the second wave was looked up later"
    who_stopped_it = 1
    assert scene.compute.calls["activity log"] == 2 * 2 + who_stopped_it
