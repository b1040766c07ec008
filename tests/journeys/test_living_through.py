"""Living through a wave, sentence by sentence, through the real stages on a virtual clock."""

from datetime import timedelta

import pytest

from planner.policy.model import Policy
from planner.record.notice import Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from simulator.fleet import SUBSCRIPTION, Behaviour, Instance, ScaleSet, uniform
from simulator.fleet.waves import Wave, Window
from tests.world import World
from tests.world.promises import broken

ID, OTHER = "VM8T-1Q8", "RS7T-0N1"
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DEFAULTS = {"self-service": "always", "lead": "10m", "soak": "5m"}


async def opened(*scale_sets: ScaleSet, hours: float = 48, **defaults: str) -> World:
    """A world whose wave was announced just now and may be carried out at once; nothing has been looked at."""
    written = {key.replace("_", "-"): value for key, value in defaults.items()}
    world = World(policy=Policy(defaults={**DEFAULTS, **written}))
    world.fleet.add(*scale_sets)
    opens = world.clock() - H
    announce(world, ID, Window(opens, opens + hours * H))
    await world.alert(ID)
    return world


def announce(world: World, tracking_id: str, window: Window) -> Wave:
    later = Window(window.end + DAY, window.end + 3 * DAY)
    return world.fleet.plan(
        Wave(
            tracking_id=tracking_id,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=window,
            scheduled=later,
        )
    )


async def reaches(world: World, name: str, *states: RunState, within: timedelta = 4 * DAY) -> Run:
    def there() -> bool:
        return name in world.runs() and world.run_of(name).state in states

    await world.until(world.clock() + within, when=there)
    assert there(), world.states()
    return world.run_of(name)


def states(run: Run) -> dict[str, str]:
    return {one.id: str(one.state) for one in run.instances}


def started(world: World, who: str = "customer") -> list[str]:
    return [one.instance.rsplit("/", 1)[-1] for one in world.fleet.ledger.starts(who)]


def kept(world: World) -> None:
    assert [*world.violations(), *world.errors, *world.watch.findings] == []


async def first_done(world: World, name: str = "web") -> None:
    """Until the first instance of the set is maintained, and the next one is not started yet."""

    def done() -> bool:
        run = world.runs().get(name)
        return run is not None and "maintained" in states(run).values()

    await world.until(world.clock() + DAY, when=done)


async def test_an_instance_scheduled_for_the_second_time_reopens_its_run_which_says_why() -> None:
    world = await opened(uniform("web", 2, update_domains=2))
    await reaches(world, "web", RunState.COMPLETED)
    again = world.fleet.instance("web", 1)
    opens = world.clock() + H
    world.fleet.schedule_again(
        ID, again, Window(opens, opens + DAY), Window(opens + 2 * DAY, opens + 3 * DAY)
    )
    await world.alert(ID, "InProgress")
    await world.until(world.clock() + M)
    run = world.run_of("web")
    assert run.state is RunState.SCHEDULED
    assert states(run) == {"1": "pending"}
    assert run.story.again.startswith("Instance 1 is scheduled for the second time: ")
    assert run.story.again in run.story.notices[-1].sentence
    run = await reaches(world, "web", RunState.COMPLETED)
    assert started(world) == ["0", "1", "1"]
    kept(world)


async def test_look_ups_older_than_the_second_time_are_renewed_to_say_that_azure_repaired_the_host() -> None:
    world = await opened(uniform("web", 2, update_domains=2))
    await reaches(world, "web", RunState.COMPLETED)
    healed = world.fleet.instance("web", 1)
    await world.until(world.clock() + 2 * H)
    calls = world.compute.calls["activity log"]
    world.fleet.people.service_heal(healed)
    await world.until(world.clock() + H)
    opens = world.clock() + H
    world.fleet.schedule_again(
        ID, healed, Window(opens, opens + DAY), Window(opens + 2 * DAY, opens + 3 * DAY)
    )
    await world.alert(ID, "InProgress")
    await world.until(world.clock() + M)
    run = world.run_of("web")
    assert "to repair its host (service healing)" in run.story.again
    assert run.story.again in run.story.notices[-1].sentence
    assert world.compute.calls["activity log"] == 2 * calls, "once more for the subscription"
    await reaches(world, "web", RunState.COMPLETED)
    kept(world)


async def test_a_wave_restarted_under_a_new_tracking_id_is_the_reason_and_the_old_run_is_archived() -> None:
    world = await opened(uniform("web", 2, update_domains=2))
    await reaches(world, "web", RunState.COMPLETED)
    world.fleet.cancel(ID)
    await world.alert(ID, "Canceled")
    await world.until(world.clock() + H)
    announce(world, OTHER, Window(world.clock(), world.clock() + 2 * DAY))
    await world.alert(OTHER)
    await world.until(world.clock() + M)
    run = world.run_of("web")
    assert run.waves == (OTHER,)
    assert f"wave {OTHER} was announced" in run.story.again
    assert f"after wave {ID} was called off" in run.story.again
    assert sum(path.startswith("archive/") for path in world.records.documents) == 1
    await reaches(world, "web", RunState.COMPLETED)
    assert started(world) == ["0", "1", "0", "1"]
    kept(world)


async def test_the_same_tracking_id_announced_again_after_its_end_opens_the_wave_and_its_runs() -> None:
    world = await opened(uniform("web", 2, update_domains=2))
    await reaches(world, "web", RunState.COMPLETED)
    world.fleet.complete(ID)
    await world.alert(ID, "Complete")
    await world.until(world.clock() + 3 * H)
    window = Window(world.clock(), world.clock() + DAY)
    world.fleet.reschedule(ID, window, Window(window.end + DAY, window.end + 2 * DAY), again=True)
    await world.alert(ID, "Planned")
    await world.until(world.clock() + M)
    assert world.wave(ID).open
    run = world.run_of("web")
    assert run.state is RunState.SCHEDULED
    assert f"wave {ID} was complete at" in run.story.again
    await reaches(world, "web", RunState.COMPLETED)
    assert started(world) == ["0", "1", "0", "1"]
    kept(world)


@pytest.mark.parametrize("stage", ["Planned", "Canceled", "Complete", "InProgress"])
async def test_what_was_said_before_and_is_heard_late_or_twice_changes_nothing(stage: str) -> None:
    world = await opened(uniform("web", 2, update_domains=2))
    await first_done(world)
    before, said = world.run_of("web"), world.clock() - DAY
    await world.alert(ID, stage, event_at=said, submitted_at=said)
    await world.post(world.last_alert)
    await world.until(world.clock() + timedelta(seconds=20))
    after = world.run_of("web")
    assert (after.batches, after.state, after.story.notices) == (
        before.batches,
        before.state,
        before.story.notices,
    )
    assert [str(one.stage) for one in world.wave(ID).announcements] == [stage, "Planned"]
    await reaches(world, "web", RunState.COMPLETED)
    assert started(world) == ["0", "1"]
    kept(world)


@pytest.mark.parametrize("who", ["azure", "person"])
async def test_what_azure_or_somebody_in_the_portal_has_started_is_waited_for_and_not_started_again(
    who: str,
) -> None:
    world = await opened(uniform("web", 3, update_domains=3))
    other = world.fleet.instance("web", 1)
    start = world.fleet.start_by_azure if who == "azure" else world.fleet.start_in_portal
    world.fleet.at(world.clock() + 8 * M, lambda: start(other))
    run = await reaches(world, "web", RunState.COMPLETED)
    assert states(run) == {"0": "maintained", "1": "by_azure", "2": "maintained"}
    one = next(one for one in run.instances if one.id == "1")
    assert one.reason == "Rebooted by Azure, or by somebody outside of Breakwater."
    assert started(world) == ["0", "2"]
    assert started(world, who) == ["1"]
    kept(world)


async def test_a_deleted_scale_set_ends_its_run_and_another_one_under_its_name_is_planned_for_itself() -> (
    None
):
    old = uniform("web", 3, update_domains=3)
    world = await opened(old)
    await first_done(world)
    world.fleet.people.delete_scale_set(old)
    run = await reaches(world, "web", RunState.COMPLETED)
    assert states(run) == {"0": "maintained", "1": "skipped", "2": "skipped"}
    assert {one.reason for one in run.instances if one.id != "0"} == {"The scale set was deleted."}
    world.fleet.add(uniform("web", 2, update_domains=2))
    announce(world, OTHER, Window(world.clock(), world.clock() + DAY))
    await world.alert(OTHER)
    run = await reaches(world, "web", RunState.SCHEDULED)
    assert states(run) == {"0": "pending", "1": "pending"}
    await reaches(world, "web", RunState.COMPLETED)
    kept(world)


async def test_instances_that_join_wait_for_their_own_approval_while_the_others_go_on() -> None:
    web = uniform("web", 2, update_domains=2)
    world = await opened(web, mode="approve")
    await reaches(world, "web", RunState.AWAITING_APPROVAL)
    await world.until(world.clock() + H)
    assert started(world) == []
    await world.say("web", "approve", checksum=world.run_of("web").people.checksum)
    await first_done(world)
    world.fleet.add_instance(web, "900", wave=ID)
    await world.alert(ID, "InProgress")
    run = await reaches(world, "web", RunState.AWAITING_APPROVAL)
    assert states(run) == {"0": "maintained", "1": "maintained", "900": "pending"}
    assert started(world) == ["0", "1"]
    asked = [one for one in run.story.notices if one.urgency is Urgency.ACT]
    assert asked[-1].answers == ("approve", "skip")
    await world.say("web", "approve")
    await reaches(world, "web", RunState.COMPLETED)
    assert started(world) == ["0", "1", "900"]
    kept(world)


async def test_instances_that_leave_do_not_void_an_approval() -> None:
    web = uniform("web", 3, update_domains=3)
    world = await opened(web, mode="approve", lead="2h")
    await reaches(world, "web", RunState.AWAITING_APPROVAL)
    await world.say("web", "approve", checksum=world.run_of("web").people.checksum)
    await world.until(world.clock() + M)
    world.fleet.people.delete(web.instances["1"])
    await world.alert(ID, "InProgress")
    run = await reaches(world, "web", RunState.COMPLETED)
    assert states(run) == {"0": "maintained", "1": "skipped", "2": "maintained"}
    kept(world)


async def test_a_cancelled_wave_stops_between_batches_and_automatic_repairs_run_again() -> None:
    slow = Behaviour(reboot=15 * M)
    world = await opened(uniform("web", 3, update_domains=3, automatic_repairs=True, behaviour=slow))
    await world.until(world.clock() + DAY, when=lambda: started(world) == ["0"])
    web = world.fleet.scale_set("web")
    assert web.repairs_state == "Suspended"
    world.fleet.cancel(ID)
    await world.alert(ID, "Canceled")
    run = await reaches(world, "web", RunState.CANCELLED)
    assert states(run) == {"0": "maintained", "1": "cancelled", "2": "cancelled"}
    assert started(world) == ["0"]
    assert web.repairs_state == "Running"
    assert broken(world) == []


@pytest.mark.parametrize(
    ("what", "state", "words"),
    [
        ("delete", InstanceState.SKIPPED, "the instance was deleted"),
        ("deallocate", InstanceState.SKIPPED, "deallocated"),
        ("reimage", InstanceState.MAINTAINED, "Rebooted"),
        ("service_heal", InstanceState.CANCELLED, "its maintenance status is gone"),
        ("resize", InstanceState.CANCELLED, "its maintenance status is gone"),
    ],
)
async def test_what_befalls_an_instance_before_its_turn_ends_right_and_is_explained(
    what: str, state: InstanceState, words: str
) -> None:
    world = await opened(uniform("web", 3, update_domains=3))
    await first_done(world)
    victim: Instance = world.fleet.instance("web", 2)
    getattr(world.fleet.people, what)(victim)
    run = await reaches(world, "web", RunState.COMPLETED, RunState.CANCELLED)
    one = next(one for one in run.instances if one.id == "2")
    assert (one.state, states(run)["1"]) == (state, "maintained")
    assert words.lower() in one.reason.lower()
    kept(world)
