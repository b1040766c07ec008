"""What a poll believes of Azure: one answer is no proof, and what a listing leaves out is read by itself."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.errors import NotFound, Unreachable
from handlers.cloud.shapes import NO_VIEW
from handlers.stages import advance, plan
from planner.azure.fleet import Health, Instance
from planner.record.notice import Kind, Urgency
from planner.record.states import ENDED, InstanceState, RunState
from planner.replan.reopening import EVERY
from simulator.fleet import Behaviour, uniform
from tests.handlers.scene import QUICK, TRACKING_ID, Scene

POLL = timedelta(minutes=1)


def lists(scene: Scene, change: Callable[[tuple[Instance, ...]], Iterable[Instance]]) -> Callable[[], None]:
    """Listings show what `change` makes of the truth, until the function that is given back is called."""
    honest = scene.compute.instances

    async def instances(scale_set: Any) -> tuple[Instance, ...]:
        return tuple(change(await honest(scale_set)))

    scene.compute.instances = instances

    def again() -> None:
        scene.compute.instances = honest

    return again


def without_view(one: Instance) -> Instance:
    return replace(one, power="unknown", health=Health.UNKNOWN, maintenance=NO_VIEW)


async def polls(scene: Scene, number: int = 1) -> Any:
    """So many polls, each when it is due."""
    run = await scene.run()
    for _ in range(number):
        scene.clock.at = max(scene.clock.at, run.due)
        run = await scene.poll()
    return run


async def to_the_end(scene: Scene) -> Any:
    for _ in range(80):
        run = await polls(scene)
        if run.state in ENDED:
            return run
    raise AssertionError(f"{run.state}: {run.reason}")


def silent(scene: Scene) -> None:
    """Reads of single instances fail as well."""

    async def instance(*_: Any) -> Instance:
        raise Unreachable("Azure answered 503.")

    scene.compute.instance = instance


async def test_an_instance_that_one_listing_leaves_out_is_read_by_itself_and_watched_on(scene) -> None:
    await scene.ready()
    await scene.poll()
    again = lists(scene, lambda found: [instance for instance in found if instance.id != "0"])
    run = await polls(scene)
    again()
    assert run.instances[0].state is InstanceState.REBOOTING
    assert not run.gaps.missing
    run = await to_the_end(scene)
    assert run.state is RunState.COMPLETED
    assert sorted(scene.started()) == ["0", "1", "2", "3"]


async def test_an_instance_that_nobody_shows_is_missing_and_holds_up_the_next_domain(scene) -> None:
    await scene.ready()
    await scene.poll()
    again = lists(scene, lambda found: [instance for instance in found if instance.id != "3"])
    silent(scene)
    run = await polls(scene, 30)
    assert sorted(scene.started()) == ["0", "2"]
    assert list(run.gaps.missing) == ["3"]
    assert "nothing proves that it is gone" in run.reason
    again()
    assert (await to_the_end(scene)).state is RunState.COMPLETED


async def test_what_cannot_be_read_for_half_an_hour_is_told_once(scene) -> None:
    await scene.ready()
    await scene.poll()
    lists(
        scene,
        lambda found: [without_view(instance) if instance.id == "3" else instance for instance in found],
    )
    silent(scene)
    run = await polls(scene, 40)
    (told,) = [notice for notice in run.story.notices if notice.kind is Kind.TROUBLE]
    assert told.urgency is Urgency.ACT
    assert "Cannot be read since" in told.sentence
    assert "without its instance view" in told.sentence


async def test_an_instance_that_is_gone_for_certain_is_skipped_and_the_rest_goes_on(scene) -> None:
    await scene.ready()
    await scene.poll()
    scene.azure.people.delete(scene.azure.scale_sets()[0].instances["3"])
    run = await to_the_end(scene)
    assert run.state is RunState.COMPLETED
    states = {instance.id: (instance.state, instance.reason) for instance in run.instances}
    assert states["3"] == (InstanceState.SKIPPED, "The instance was deleted.")
    assert sorted(scene.started()) == ["0", "1", "2"]


@pytest.mark.parametrize("times", [1, 2])
async def test_a_404_of_the_scale_set_ends_nothing_while_a_direct_read_shows_it(scene, times) -> None:
    await scene.ready()
    await scene.poll()
    honest, answers = scene.compute.instances, ["404"] * times

    async def instances(scale_set: Any) -> Any:
        if answers:
            answers.pop()
            raise NotFound("ResourceNotFound")
        return await honest(scale_set)

    scene.compute.instances = instances
    run = await polls(scene, times)
    assert run.state is RunState.RUNNING
    assert "shows the scale set at the next read" in run.reason
    assert (await to_the_end(scene)).state is RunState.COMPLETED


async def test_a_scale_set_that_two_polls_and_direct_reads_do_not_find_is_deleted(scene) -> None:
    await scene.ready()
    await scene.poll()
    scene.azure.people.delete_scale_set(scene.azure.scale_sets()[0])
    run = await polls(scene)
    assert run.state is RunState.RUNNING
    assert "a second poll has to confirm" in run.reason
    run = await polls(scene)
    assert run.state is RunState.COMPLETED
    assert all(instance.reason == "The scale set was deleted." for instance in run.instances)


@pytest.mark.parametrize("seconds", [31, 40, 300])
async def test_a_set_whose_listing_takes_long_is_maintained_after_a_read_of_the_single_instances(
    scene, seconds
) -> None:
    honest = scene.compute.instances

    async def slow(scale_set: Any) -> Any:
        found = await honest(scale_set)
        scene.clock.forward(seconds=seconds)
        return found

    scene.compute.instances = slow
    await scene.ready()
    run = await polls(scene)
    assert sorted(scene.started()) == ["0", "2"]
    assert scene.compute.calls["get instance"] == 2
    assert run.state is RunState.RUNNING


async def test_an_instance_that_changed_while_the_listing_took_long_is_not_started(scene) -> None:
    honest = scene.compute.instances

    async def slow(scale_set: Any) -> Any:
        found = await honest(scale_set)
        scene.clock.forward(seconds=40)
        for one in scene.azure.scale_sets()[0].instances.values():
            scene.azure.people.stop(one)
        return found

    scene.compute.instances = slow
    await scene.ready()
    await polls(scene)
    assert scene.started() == []


async def test_whoever_the_activity_log_names_has_stopped_it_and_the_others_go_on(scene) -> None:
    await scene.ready()
    await scene.poll()
    scene.azure.people.stop(scene.azure.scale_sets()[0].instances["3"])
    run = await to_the_end(scene)
    assert run.state is RunState.COMPLETED
    assert list(run.fleet.stops) == ["3"]
    assert sorted(scene.started()) == ["0", "1", "2"]


async def test_a_stop_before_a_new_plan_is_still_explained_after_it(scene) -> None:
    await scene.ready()
    scene.azure.people.stop(scene.azure.scale_sets()[0].instances["3"])
    asked = scene.wiring.spy.of("scale-sets")[-1].model_copy(update={"reason": "recheck"})
    for _ in range(2):
        scene.clock.forward(minutes=1)
        await plan.handle(asked, scene.wiring)
    assert list((await scene.run()).fleet.stops) == ["3"]
    scene.azure.people.stop(scene.azure.scale_sets()[0].instances["2"])
    scene.clock.forward(minutes=1)
    await plan.handle(asked, scene.wiring)
    run = await to_the_end(scene)
    assert sorted(run.fleet.stops) == ["2", "3"], (
        "asked anew, although it was a minute ago: it is the last to ask"
    )
    assert run.state is RunState.COMPLETED


async def test_a_stop_from_before_the_plan_explains_nothing_that_went_down_after_it(scene) -> None:
    machine = scene.azure.scale_sets()[0].instances["3"]
    scene.azure.people.stop(machine)
    scene.azure.people.start(machine)
    scene.clock.forward(minutes=30)
    await scene.ready()
    scene.azure.world.take_down(machine, "crash")
    run = await polls(scene, 3)
    assert run.fleet.stops == {}


async def test_a_stop_of_days_ago_explains_what_an_earlier_run_maintained_and_is_off(scene) -> None:
    await scene.ready()
    await to_the_end(scene)
    web = scene.azure.scale_sets()[0]
    scene.azure.people.stop(web.instances["3"])
    scene.clock.forward(days=5)
    scene.azure.add_instance(web, "9", wave=TRACKING_ID)
    await polls(scene)
    await plan.handle(scene.wiring.spy.of("scale-sets")[-1], scene.wiring)
    assert (await scene.run()).fleet.left_down == ("3",)
    run = await to_the_end(scene)
    assert run.state is RunState.COMPLETED
    assert list(run.fleet.stops) == ["3"]


async def test_an_instance_that_stops_counts_as_down_while_the_activity_log_names_nobody(storage) -> None:
    made = Scene(
        storage,
        uniform("web", 4, update_domains=4, behaviour=QUICK),
        policy="defaults: {self-service: always, lead: 1h, soak: 10m, max-unavailable: 1}",
    )

    async def pages(_: str) -> Any:
        raise Unreachable("Azure answered 503.")
        yield

    await made.ready()
    made.compute.pages = pages
    made.azure.people.stop(made.azure.scale_sets()[0].instances["3"])
    run = await polls(made, 20)
    assert made.started() == []
    assert "1 other instance is down (3) and 1 may be down at once" in run.reason
    await made.close()


async def test_an_ended_run_is_polled_every_six_hours_and_opened_again_for_instances_that_join(scene) -> None:
    await scene.ready()
    over = await to_the_end(scene)
    assert over.recheck == over.ended_at + EVERY
    asked = len(scene.wiring.spy.of("scale-sets"))
    await polls(scene, 3)
    # Nothing shows maintenance any more, so there is nothing to plan.
    assert len(scene.wiring.spy.of("scale-sets")) == asked
    assert (await scene.run()).ended_at == over.ended_at
    web = scene.azure.scale_sets()[0]
    scene.azure.add_instance(web, "9", wave=TRACKING_ID)
    await polls(scene)
    await plan.handle(scene.wiring.spy.of("scale-sets")[-1], scene.wiring)
    run = await scene.run()
    assert run.state is RunState.SCHEDULED
    assert [instance.id for instance in run.instances] == ["9"]
    assert any("instance 9 has joined the wave" in entry.reason for entry in run.story.history)


async def test_an_ended_run_is_left_alone_once_its_wave_is_over(scene) -> None:
    await scene.ready()
    await to_the_end(scene)
    await scene.announced("Complete")
    run = await polls(scene)
    assert run.recheck is None
    before = len(scene.wiring.spy.of("runs"))
    await advance.handle(scene.next_poll(), scene.wiring)
    assert len(scene.wiring.spy.of("runs")) == before


async def test_an_instance_that_does_not_come_back_stops_everything_at_once(storage) -> None:
    made = Scene(storage, uniform("web", 4, update_domains=2, behaviour=Behaviour(hangs="down")))
    await made.ready()
    run = await made.poll()
    for one in made.azure.scale_sets()[0].instances.values():
        if one.instance_id in {"0", "2"}:
            made.azure.people.stop(one)
    run = await polls(made, 100)
    assert run.state is RunState.PAUSED
    assert len(made.started()) == 2
    await made.close()
