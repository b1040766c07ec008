"""Two hosts, and hands that change something in the middle of a poll."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from handlers.cloud.errors import Refused
from handlers.cloud.names import CLAIMS_PREFIX, claim_path
from handlers.cloud.records import StorageDown
from handlers.runs import claims
from handlers.stages import advance, plan, respond
from handlers.wire.http import Request
from handlers.wire.policy_file import load
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from simulator.fleet import SUBSCRIPTION, flexible
from tests.handlers.parts import TestWiring
from tests.handlers.scene import POLICY, QUICK, TRACKING_ID, WEB, Scene

CLAIM = claim_path(SUBSCRIPTION, "rg-breakwater", "web")
OTHER = claim_path(SUBSCRIPTION, "rg-breakwater", "other")
ONE_SET = POLICY + "\nlimits: {scale-sets: 1}"
WHERE = {"location": "westeurope"}


@pytest.fixture
async def scene(storage: str) -> AsyncIterator[Scene]:
    made = Scene(storage, policy=ONE_SET)
    yield made
    await made.close()


@pytest.fixture
async def second(scene: Scene, storage: str) -> AsyncIterator[TestWiring]:
    """Another host over the same storage and Azure."""
    made = TestWiring(storage, scene.clock)
    made.rules, made.__dict__["fake"] = scene.wiring.rules, scene.compute
    yield made
    await made.close()


def once_before(owner: Any, name: str, act: Callable[[], Awaitable[object]]) -> None:
    """Let something happen right before the next call."""
    real = getattr(owner, name)

    async def acting(*args: Any, **options: Any) -> Any:
        setattr(owner, name, real)
        await act()
        return await real(*args, **options)

    setattr(owner, name, acting)


def held_before(scene: Scene, second: TestWiring, call: str) -> dict[str, Any]:
    """Have hold said at another host right before Azure is next called so; what it answers comes to be in here."""
    said: dict[str, Any] = {}

    async def hold() -> None:
        said.update(await say(second))

    once_before(scene.compute, call, hold)
    return said


async def say(wiring: TestWiring, action: str = "hold", **said: Any) -> dict[str, Any]:
    """A person's word to another host; its answer, with the status."""
    place = {"wave": TRACKING_ID, "subscription": SUBSCRIPTION, "group": "rg-breakwater", "name": "web"}
    body = json.dumps({"actor": "ana", "comment": "Wait."} | said).encode()
    answer = await respond.handle(Request("POST", place | {"action": action}, body=body), wiring)
    return {"answered": answer.status} | json.loads(answer.body)


def words(run: Run) -> list[str]:
    """The ids of the words in the history."""
    return [entry.id for entry in run.story.history if entry.id]


@pytest.mark.parametrize("step", ["read", "scale_set", "instances"])
async def test_a_hold_answered_while_another_host_polls_lies_before_every_start(
    scene: Scene, second: TestWiring, step: str
) -> None:
    message = await scene.ready()
    said: dict[str, Any] = {}

    async def hold() -> None:
        said.update(await say(second))

    if step == "read":
        # Right after the poll has read the record.
        listing = scene.wiring.waves.get

        async def wave(*args: Any) -> Any:
            await hold()
            scene.wiring.waves.get = listing  # type: ignore[method-assign]
            return await listing(*args)

        scene.wiring.waves.get = wave  # type: ignore[method-assign]
    else:
        once_before(scene.compute, step, hold)
    run = await scene.poll(message)
    assert said["answered"] == 202
    assert words(run) == [said["id"]]
    assert (run.state, scene.started()) == (RunState.PAUSED, [])
    assert {instance.state for instance in run.instances} == {InstanceState.PENDING}
    await advance.handle(second.spy.of("runs")[-1], second)
    for message in [one for one in scene.wiring.spy.of("runs") if one.generation]:
        scene.clock.forward(minutes=10)
        await scene.poll(message)
    assert scene.started() == []


async def test_a_hold_answered_right_before_the_intents_are_written_drops_them(
    scene: Scene, second: TestWiring
) -> None:
    message = await scene.ready()
    write, said = scene.wiring.records.write, {}

    async def writing(path: str, *args: Any, **options: Any) -> str:
        if path == WEB and not said:
            said.update(await say(second))
        return await write(path, *args, **options)

    scene.wiring.records.write = writing  # type: ignore[method-assign]
    run = await scene.poll(message)
    assert (said["answered"], words(run)) == (202, [said["id"]])
    assert "may still be sent" not in said["reason"]
    assert (run.state, scene.started()) == (RunState.PAUSED, [])


async def test_a_hold_between_the_intents_and_their_starts_says_what_may_still_be_sent(
    scene: Scene, second: TestWiring
) -> None:
    message = await scene.ready()
    said = held_before(scene, second, "start")
    run = await scene.poll(message)
    assert said["answered"] == 202
    assert "On its way already, and may still go out: 0, 2." in said["reason"]
    assert words(run) == [said["id"]]
    assert sorted(scene.started()) == ["0", "2"]
    assert [str(instance.state) for instance in run.instances] == [
        "rebooting",
        "rebooting",
        "pending",
        "pending",
    ], "Azure's answers are on the record that the hold has written"
    await scene.poll(second.spy.of("runs")[-1])
    for _ in range(60):
        scene.clock.forward(minutes=1)
        run = await scene.poll()
    assert sorted(scene.started()) == ["0", "2"], "what was under way is watched, nothing new starts"
    assert {instance.id: str(instance.state) for instance in run.instances if instance.id in "02"} == {
        "0": "maintained",
        "2": "maintained",
    }
    assert run.state is RunState.PAUSED


async def test_a_hold_after_the_intents_are_written_calls_off_what_has_not_been_sent(
    scene: Scene, second: TestWiring
) -> None:
    """A token, or repairs to suspend, can keep starts waiting for longer than a person takes to say hold."""
    message = await scene.ready()
    said = held_before(scene, second, "ready")
    run = await scene.poll(message)
    assert (said["answered"], scene.started()) == (202, [])
    assert (run.state, run.reason) == (RunState.PAUSED, "Held by ana: Wait.")
    assert {instance.state for instance in run.instances} == {InstanceState.PENDING}
    assert "called off right before it was sent. Held by ana: Wait." in run.instances[0].reason
    assert run.gaps.unsent is None, "a hold is no trouble"

    assert (await say(second, "resume"))["answered"] == 202
    await scene.poll(second.spy.of("runs")[-1])
    assert sorted(scene.started()) == ["0", "2"]


async def test_a_start_whose_intent_another_poll_has_settled_is_not_sent(
    scene: Scene, second: TestWiring
) -> None:
    message = await scene.ready()

    async def settled() -> None:
        stored = await second.runs.read(WEB)
        assert stored is not None
        batch = stored.run.batches[0]
        fresh = replace(batch, instances=tuple(replace(one, answered=True) for one in batch.instances))
        run = replace(stored.run, batches=(fresh, *stored.run.batches[1:]))
        await second.runs.write(WEB, run, stored.etag)

    once_before(scene.compute, "ready", settled)
    await scene.poll(message)
    assert scene.started() == []


async def test_while_the_record_cannot_be_read_once_more_no_start_is_sent(scene: Scene) -> None:
    message = await scene.ready()
    read = scene.wiring.records.read_if_changed

    async def away(path: str, etag: str) -> Any:
        if path == WEB:
            raise StorageDown("Storage does not answer.")
        return await read(path, etag)

    scene.wiring.records.read_if_changed = away  # type: ignore[method-assign]
    run = await scene.poll(message)
    assert scene.started() == []
    assert "could not be read once more right before it" in run.instances[0].reason
    scene.wiring.records.read_if_changed = read  # type: ignore[method-assign]
    scene.clock.forward(minutes=1)
    await scene.poll()
    assert sorted(scene.started()) == ["0", "2"]


async def test_no_start_follows_a_hold_whose_host_dies_with_its_message(
    scene: Scene, second: TestWiring
) -> None:
    """The word is on record: the wake may be lost, and other messages of the run may come at any time."""
    message = await scene.ready()
    said = await say(second)
    assert said["answered"] == 202
    newer = message.model_copy(update={"generation": 99})
    for one in (message, newer, newer):
        run = await scene.poll(one)
        assert (run.state, scene.started()) == (RunState.PAUSED, [])
    assert words(run) == [said["id"]]


async def test_of_two_people_who_say_hold_at_once_one_is_told_that_the_other_was_first(
    scene: Scene, second: TestWiring
) -> None:
    await scene.ready()
    both = await asyncio.gather(say(scene.wiring, actor="ana"), say(second, actor="bo"))
    assert sorted(answer["answered"] for answer in both) == [202, 409]
    assert words(await scene.run()) == [answer["id"] for answer in both if answer["answered"] == 202]


async def test_words_said_at_once_to_several_hosts_are_all_on_record_once(
    scene: Scene, second: TestWiring
) -> None:
    message = await scene.ready()
    said = [say(second if one % 2 else scene.wiring, "raise", soak=f"{one + 20}m") for one in range(4)]
    *answers, _ = await asyncio.gather(*said, advance.handle(message, scene.wiring))
    taken = [answer["id"] for answer in answers if answer["answered"] == 202]
    assert taken
    assert sorted(words(await scene.run())) == sorted(taken)
    assert {answer["answered"] for answer in answers} <= {202, 503}


async def test_a_stop_that_comes_while_azure_is_read_stops_the_starts_of_that_very_poll(scene: Scene) -> None:
    message = await scene.ready()
    scene.wiring.stopped = lambda: ""  # type: ignore[method-assign]

    async def stop() -> None:
        scene.wiring.stopped = lambda: "Everything is stopped."  # type: ignore[method-assign]

    once_before(scene.compute, "instances", stop)
    run = await scene.poll(message)
    assert scene.started() == []
    assert {instance.state for instance in run.instances} == {InstanceState.PENDING}
    assert any("Everything is stopped" in instance.reason for instance in run.instances)

    scene.wiring.stopped = lambda: ""  # type: ignore[method-assign]
    scene.clock.at = run.due
    await scene.poll()
    assert scene.started() == ["0", "2"]


async def test_a_host_over_the_limit_leaves_the_claim_of_another_hosts_poll_alone(
    scene: Scene, second: TestWiring
) -> None:
    await scene.ready()
    run = await scene.run()
    assert await claims.acquire(run, scene.wiring) == ""
    # Another scale set tries its luck, and will find itself over the limit.
    await second.records.create(OTHER, b"{}", WHERE)
    assert "under way" in await claims.acquire(run, second)
    assert await second.records.read(CLAIM) is not None, "the first host's starts are on their way"


async def test_a_claim_that_another_hosts_poll_relies_on_is_not_given_back(
    scene: Scene, second: TestWiring
) -> None:
    await scene.ready()
    run = await scene.run()

    async def the_other_host_first() -> None:
        assert await claims.acquire(run, second) == ""
        await second.records.create(OTHER, b"{}", WHERE)

    once_before(scene.wiring.records, "list", the_other_host_first)
    assert "under way" in await claims.acquire(run, scene.wiring)
    assert await second.records.read(CLAIM) is not None


async def test_a_claim_of_ones_own_over_the_limit_is_given_back_at_once(scene: Scene) -> None:
    await scene.ready()
    await scene.wiring.records.create(OTHER, b"{}", WHERE)
    assert "under way" in await claims.acquire(await scene.run(), scene.wiring)
    assert await scene.wiring.records.read(CLAIM) is None
    scene.wiring.rules = load(POLICY, environment={})
    assert await claims.acquire(await scene.run(), scene.wiring) == ""


async def test_a_rolling_upgrade_of_a_flexible_set_that_shows_nowhere_else_holds_up_its_start(
    storage: str,
) -> None:
    scene = Scene(storage, flexible("web", 2, behaviour=QUICK))
    try:
        message = await scene.ready()
        rolling = scene.azure.scale_set("web")
        scene.azure.people.start_rolling_upgrade(rolling)
        rolling.provisioning = "Succeeded"
        run = await scene.poll(message)
        assert scene.started() == []
        assert "rolling upgrade" in run.reason
        scene.azure.people.end_rolling_upgrade(rolling)
        scene.clock.at = run.due
        await scene.poll()
        assert len(scene.started()) == 1
    finally:
        await scene.close()


async def test_a_flexible_set_whose_subscription_has_no_rolling_upgrades_has_none_under_way(
    storage: str,
) -> None:
    scene = Scene(storage, flexible("web", 2, behaviour=QUICK))

    async def refuse(arm_id: str) -> str:
        raise Refused("OperationNotAllowed", f"There are no rolling upgrades for {arm_id}.")

    scene.compute.rolling_upgrade = refuse  # type: ignore[method-assign]
    try:
        await scene.poll(await scene.ready())
        assert len(scene.started()) == 1
    finally:
        await scene.close()


async def test_a_run_that_no_window_fits_goes_on_when_the_policy_file_is_corrected(storage: str) -> None:
    scene = Scene(storage, policy=POLICY.replace("lead:", "windows: 'Tue 03:00-03:05 UTC', lead:"))
    try:
        await scene.ready()
        assert (await scene.poll()).state is RunState.PAUSED
        scene.wiring.rules = load(POLICY, environment={})
        scene.clock.at = (await scene.run()).due
        await scene.poll()
        asked = scene.wiring.spy.of("scale-sets")[-1]
        assert asked.reason == "replan"
        await plan.handle(asked, scene.wiring)
        assert (await scene.run()).state is RunState.SCHEDULED
        await scene.poll()
        assert scene.started() == ["0", "2"]
    finally:
        await scene.close()


async def test_who_waits_for_the_limit_costs_no_call_to_azure(scene: Scene) -> None:
    message = await scene.ready()
    await scene.wiring.records.create(OTHER, b"{}", WHERE)
    scene.compute.calls.clear()
    run = await scene.poll(message)
    assert run.state is RunState.SCHEDULED
    assert "under way" in run.reason
    assert dict(scene.compute.calls) == {}


async def test_a_claim_of_a_crashed_poll_is_given_back_when_the_next_poll_cannot_start(scene: Scene) -> None:
    """Else it would hold up the others for as long as this one waits."""
    message = await scene.ready()
    await scene.wiring.records.create(CLAIM, b"{}", WHERE)
    scene.azure.people.start_rolling_upgrade(scene.azure.scale_set("web"))
    # Storage stamps documents with the time it is: the poll has to come after that.
    scene.clock.at = datetime.now(UTC) + claims.STALE
    await scene.poll(message)
    assert scene.started() == []
    assert await scene.wiring.records.read(CLAIM) is None


async def test_a_run_that_has_begun_keeps_its_claim_when_the_limit_has_become_smaller(scene: Scene) -> None:
    await scene.ready()
    run = await scene.run()
    begun = replace(run, batches=(replace(run.batches[0], started_at=scene.clock()), *run.batches[1:]))
    await scene.wiring.records.create(CLAIM, b"{}", WHERE)
    await scene.wiring.records.create(OTHER, b"{}", WHERE)
    assert await claims.acquire(begun, scene.wiring) == ""
    assert await scene.wiring.records.read(CLAIM) is not None


async def test_of_sixteen_who_come_at_once_as_many_get_through_as_the_limit_allows(scene: Scene) -> None:
    scene.wiring.rules = load(POLICY + "\nlimits: {scale-sets: 5}", environment={})
    await scene.ready()
    run = await scene.run()
    many = [replace(run, target=replace(run.target, name=f"web{number}")) for number in range(16)]
    answers = await asyncio.gather(*(claims.acquire(run, scene.wiring) for run in many))
    assert answers.count("") == 5
    assert len(await scene.wiring.records.list(CLAIMS_PREFIX)) == 5
