"""advance: a poll's order, and what becomes of it when others write, Azure fails or the process dies."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.errors import Forbidden, NotFound, NotSent, Refused, Throttled, Unreachable
from handlers.cloud.names import claim_prefix, wave_path
from handlers.stages import advance
from handlers.wire.documents import NewerRecord, decode, encode, run_metadata
from handlers.wire.messages import PersonEvent, RunMessage
from planner.azure.usage import Source
from planner.azure.wave import Wave
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.text.phrases import say
from simulator.fleet import SUBSCRIPTION, Behaviour, uniform
from tests.handlers.meddling import conflict, on_write
from tests.handlers.scene import QUICK, TRACKING_ID, WEB, Scene
from tests.world.chaos import Killed


def fails_to_start(scene: Scene, error: BaseException) -> None:
    async def start(_: Any, instance: str) -> Any:
        scene.events.append(f"start {instance}")
        raise error

    scene.compute.start = start


def states(run: Run) -> dict[str, str]:
    return {instance.id: str(instance.state) for instance in run.instances}


async def test_a_poll_sends_writes_starts_and_writes_the_answers_in_this_order(scene) -> None:
    message = await scene.ready()
    run = await scene.poll(message)
    assert scene.events[:2] == ["send runs", "write"]
    assert sorted(scene.events[2:4]) == ["start 0", "start 2"]
    assert scene.events[4] == "write"
    assert set(scene.events[5:]) == {"send notices"}
    assert states(run) == {"0": "rebooting", "2": "rebooting", "1": "pending", "3": "pending"}
    assert scene.next_poll().generation == run.generation == message.generation + 1
    assert scene.delay() == scene.wiring.settings.poll_interval


async def test_every_intent_is_on_record_before_the_first_start(scene) -> None:
    message = await scene.ready()
    seen: list[Run] = []
    start = scene.compute.start

    async def starting(scale_set: Any, instance: str) -> Any:
        seen.append(await scene.run())
        return await start(scale_set, instance)

    scene.compute.start = starting
    await scene.poll(message)
    assert len(seen) == 2
    for run in seen:
        intents = {
            instance.id: instance.intent_at
            for instance in run.instances
            if instance.state is InstanceState.STARTING
        }
        assert intents == {"0": scene.clock(), "2": scene.clock()}


async def test_a_scale_set_read_afresh_before_a_batch_knows_what_its_wave_has_looked_up(
    scene, monkeypatch
) -> None:
    seen: list[Any] = []
    decides = advance.advance

    def watching(run: Run, observation: Any, *args: Any) -> Any:
        seen.append(observation.scale_set)
        return decides(run, observation, *args)

    scene.azure.upkeep.autoscale(scene.azure.scale_set("web"))
    scene.compute.faults.denied.add("Microsoft.Insights/eventtypes/values/read")
    message = await scene.ready()
    monkeypatch.setattr(advance, "advance", watching)
    await scene.poll(message)
    (web,) = {id(one): one for one in seen}.values()
    assert web.habits.autoscale == "web-autoscale"
    assert web.unread.keys() == {Source.ACTIVITY_LOG}


async def test_a_message_below_the_generation_is_dropped_without_a_poll(scene) -> None:
    message = await scene.ready()
    await scene.poll(message)
    before = await scene.run()
    scene.compute.calls.clear()
    scene.events.clear()
    assert await scene.poll(message) == before
    assert scene.events == []
    assert sum(scene.compute.calls.values()) == 0


async def test_a_message_above_the_generation_is_a_poll_like_any_other(scene) -> None:
    message = await scene.ready()
    run = await scene.poll(message.model_copy(update={"generation": 9}))
    assert scene.started() == ["0", "2"]
    assert run.generation == 2


async def test_a_message_about_no_run_is_tried_again_by_the_host(scene) -> None:
    nobody = RunMessage(subscription=SUBSCRIPTION, resource_group="rg", name="nobody", generation=1)
    with pytest.raises(LookupError, match="no run"):
        await advance.handle(nobody, scene.wiring)


async def test_an_early_message_waits_on_for_the_rest_of_its_time_without_a_poll(scene) -> None:
    message = await scene.planned()
    scene.clock.forward(minutes=20)
    scene.compute.calls.clear()
    await scene.poll(message)
    assert scene.next_poll() == message
    assert scene.delay() == timedelta(minutes=40)
    assert sum(scene.compute.calls.values()) == 0
    assert scene.events == ["send runs"]


async def test_a_wait_of_weeks_is_chained_by_messages_of_a_week(scene) -> None:
    message = await scene.planned()
    stored = await scene.wiring.records.read(WEB)
    assert stored is not None
    run = replace(decode(Run, stored.body), due=scene.clock() + timedelta(days=20))
    await scene.wiring.records.write(WEB, encode(run), etag=stored.etag, metadata=run_metadata(run))
    for left in (13, 6):
        scene.clock.forward(days=7)  # storage keeps a message for a week, whatever was asked for
        assert await scene.poll(message) == run
        assert scene.next_poll() == message
        assert scene.delay() == timedelta(days=left)
    assert scene.started() == []
    scene.clock.forward(days=6)
    await scene.poll()
    assert scene.started() == ["0", "2"]


async def test_a_run_that_waits_for_weeks_is_polled_every_day(storage) -> None:
    scene = Scene(storage, policy="defaults: {self-service: always, lead: 20d}")
    await scene.planned()
    assert scene.delay() == timedelta(days=1)
    scene.clock.forward(days=1)
    await scene.poll()
    assert scene.delay() == timedelta(days=1)
    assert scene.started() == []
    await scene.close()


async def test_conflict_after_conflict_before_the_start_drops_the_poll_and_starts_nothing(scene) -> None:
    message = await scene.ready()
    before = await scene.run()
    on_write(scene, conflict, conflict, conflict)
    assert await scene.poll(message) == before
    assert scene.started() == []
    assert not [event for event in scene.events if event.startswith("start")]


async def test_answers_that_cannot_be_added_are_left_for_the_next_poll(scene) -> None:
    message = await scene.ready()
    on_write(scene, None, *(5 * [conflict]))
    run = await scene.poll(message)
    assert scene.started() == ["0", "2"]
    assert states(run)["0"] == "starting", "the answer is not on record"
    scene.clock.forward(minutes=1)
    run = await scene.poll()
    assert scene.started() == ["0", "2"]
    scene.clock.forward(minutes=4)
    run = await scene.poll()
    scene.clock.forward(minutes=1)
    run = await scene.poll()
    assert states(run)["0"] in {"maintained", "verifying"}
    assert scene.started().count("0") == 1


async def test_a_start_that_comes_too_late_after_its_poll_is_not_sent(scene) -> None:
    message = await scene.ready()

    async def slow() -> None:
        scene.clock.forward(seconds=31)

    on_write(scene, slow)
    run = await scene.poll(message)
    assert scene.started() == []
    assert states(run)["0"] == "pending"
    assert "no longer fresh" in run.instances[0].reason
    scene.clock.forward(minutes=1)
    await scene.poll()
    assert scene.started() == ["0", "2"]


async def test_a_process_that_dies_before_its_starts_leaves_them_in_doubt_and_sends_once_more(scene) -> None:
    message = await scene.ready()
    start = scene.compute.start
    fails_to_start(scene, Killed())
    with pytest.raises(Killed):
        await scene.poll(message)
    scene.compute.start = start
    assert states(await scene.run()) == {"0": "starting", "2": "starting", "1": "pending", "3": "pending"}
    for _ in range(29):
        scene.clock.forward(minutes=1)
        await scene.poll()
        assert scene.started() == [], "in doubt: watched, nothing else of the set is started"
    for _ in range(4):
        scene.clock.forward(minutes=1)
        await scene.poll()
    assert sorted(scene.started()) == ["0", "2"]


async def test_a_lost_answer_is_settled_by_evidence_and_never_sent_twice(storage) -> None:
    web = uniform("web", 2, update_domains=2, behaviour=QUICK | Behaviour(lost_answers=1))
    scene = Scene(storage, web)
    await scene.ready()
    for _ in range(60):
        run = await scene.poll()
        if run.ended_at is not None:
            break
        scene.clock.at = max(scene.clock() + timedelta(seconds=1), run.due)
    assert run.state is RunState.COMPLETED
    assert scene.started() == ["0", "1"]
    await scene.close()


@pytest.mark.parametrize(
    ("error", "state", "says"),
    [
        (Throttled(timedelta(seconds=20)), "pending", "20 s"),
        (NotSent("Azure could not be reached."), "pending", "could not be reached"),
        (Unreachable("Azure answered 502."), "starting", "In doubt"),
        (Refused("OperationNotAllowed", "not eligible"), "aside", "Azure refused it"),
        (Refused("OperationNotAllowed", "exceeding approved quota"), "aside", "to be started again after"),
        (Refused("ScopeLocked", "Remove the lock."), "pending", "a lock has to be removed"),
        (NotFound("NotFound: it is gone."), "pending", "it is gone"),
        (Refused("Conflict", "a concurrent request"), "starting", "In doubt"),
    ],
)
async def test_what_azure_says_to_a_start_is_on_record(scene, error, state: str, says: str) -> None:
    message = await scene.ready()
    fails_to_start(scene, error)
    run = await scene.poll(message)
    assert states(run)["0"] == state
    assert says in run.instances[0].reason
    assert sum(event == "start 0" for event in scene.events) == 1


async def test_a_role_that_may_not_start_pauses_the_run_and_tells(scene) -> None:
    message = await scene.ready()
    fails_to_start(scene, Forbidden("The role lacks performMaintenance/action."))
    run = await scene.poll(message)
    assert run.state is RunState.PAUSED
    assert "The role lacks performMaintenance/action." in run.story.notices[-1].sentence
    assert run.story.notices[-1].urgency == "act"
    assert states(run)["0"] == "pending"
    assert "send notices" in scene.events


async def looked_every_minute(scene: Scene, minutes: int) -> Run:
    for _ in range(minutes):
        run = await scene.poll()
        scene.clock.forward(minutes=1)
    return run


def tries(scene: Scene) -> int:
    return scene.events.count("start 0")


@pytest.mark.parametrize(
    ("error", "starts"),
    [
        (Refused("OperationNotAllowed", "It exceeds the approved quota."), 4),
        (Refused("OperationNotAllowed", "The operation requires the VM to be running."), 4),
        (Throttled(timedelta(minutes=30)), 3),
        (NotFound("NotFound: it is gone."), 14),
        (Unreachable("Azure answered 502."), 2),
    ],
)
async def test_an_hour_of_polls_sends_no_more_starts_than_back_off_allows(scene, error, starts: int) -> None:
    await scene.ready()
    fails_to_start(scene, error)
    run = await looked_every_minute(scene, 70)
    assert tries(scene) == starts
    assert sum(notice.kind is Kind.TROUBLE for notice in run.story.notices) <= 1
    assert len(run.story.history) < 30


async def test_back_off_is_counted_in_the_interval_between_polls(scene) -> None:
    await scene.ready()
    scene.wiring.settings = scene.wiring.settings.model_copy(update={"poll_interval": timedelta(seconds=10)})
    fails_to_start(scene, Refused("OperationNotAllowed", "It exceeds the approved quota."))
    run = await scene.poll()
    assert run.instances[0].retry_at == scene.clock() + timedelta(seconds=50)


async def test_a_lock_asks_a_person_once_and_is_tried_again_when_one_resumes(scene) -> None:
    message = await scene.ready()
    scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-breakwater"
    start = scene.compute.start
    fails_to_start(
        scene, Refused("ScopeLocked", f"Following scope(s) are locked: '{scope}'. Please remove the lock.")
    )
    run = await looked_every_minute(scene, 20)
    assert run.state is RunState.PAUSED
    assert tries(scene) == 1
    (asked,) = [notice for notice in run.story.notices if notice.kind is Kind.PAUSED]
    assert asked.urgency == "act"
    assert "Remove the lock on resource group rg-breakwater" in asked.sentence
    assert "az lock delete --name LOCK-NAME --resource-group rg-breakwater" in asked.sentence
    assert "send notices" in scene.events
    scene.compute.start = start
    event = PersonEvent(id="e1", kind="resume", actor="ana", comment="removed", at=scene.clock())
    await scene.poll(message.model_copy(update={"event": event}))
    scene.clock.forward(minutes=1)
    await scene.poll()
    assert scene.started() == ["0", "2"]


async def test_repairs_that_a_lock_keeps_from_being_suspended_are_told_with_the_lock(storage) -> None:
    web = uniform("web", 4, update_domains=2, behaviour=QUICK, automatic_repairs=True)
    scene = Scene(storage, web)
    await scene.ready()
    asked: list[bool] = []

    async def set_repairs(_: str, *, suspend: bool) -> None:
        asked.append(suspend)
        scope = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-breakwater"
        raise Refused("ScopeLocked", f"Following scope(s) are locked: '{scope}'.")

    scene.compute.set_repairs = set_repairs
    run = await looked_every_minute(scene, 30)
    assert run.state is RunState.PAUSED
    assert asked == [True]
    (told,) = [notice for notice in run.story.notices if notice.kind is Kind.PAUSED]
    assert "keeps Azure from suspending the automatic repairs of web" in told.sentence
    assert "az lock delete --name LOCK-NAME --resource-group rg-breakwater" in told.sentence
    assert scene.started() == []
    await scene.close()


def throttled(scene: Scene, **asked: float) -> Any:
    """Azure answers 429 to every listing; what it answered before."""

    async def instances(_: Any) -> Any:
        raise Throttled(timedelta(**asked))

    reads, scene.compute.instances = scene.compute.instances, instances
    return reads


async def test_a_throttled_poll_comes_again_after_retry_after_and_is_on_record(scene) -> None:
    message = await scene.ready()
    before = await scene.run()
    throttled(scene, seconds=42)
    run = await scene.poll(message)
    assert scene.events == ["send runs", "write"]
    assert timedelta(seconds=42) <= scene.delay() <= timedelta(seconds=53)
    assert run.due == scene.clock() + scene.delay()
    assert (run.state, run.gaps.trouble.since) == (before.state, scene.clock())
    assert scene.next_poll() == message.model_copy(update={"generation": run.generation})
    assert run.generation > message.generation


async def test_a_copy_of_a_poll_that_azure_put_off_ends_with_it(scene) -> None:
    message = await scene.ready()
    throttled(scene, seconds=42)
    await scene.poll(message)
    scene.events.clear()
    await scene.poll(message)
    assert scene.events == []


async def test_while_azure_puts_polls_off_they_come_less_often(scene) -> None:
    await scene.ready()
    throttled(scene, seconds=30)
    waits = []
    for _ in range(20):
        await scene.poll()
        waits.append(scene.delay())
        scene.clock.at += scene.delay()
    assert waits[0] < timedelta(seconds=40)
    assert timedelta(minutes=10) <= waits[-1] <= timedelta(minutes=12, seconds=30)


async def test_a_poll_that_azure_puts_off_for_half_an_hour_is_told_once(scene) -> None:
    message = await scene.ready()
    began = scene.clock()
    reads = throttled(scene, minutes=20)
    for most, least in ((25, 20), (10, 5), (25, 20), (25, 20), (25, 20), (25, 20)):
        run = await scene.poll(message)
        message = scene.next_poll()
        assert timedelta(minutes=least) <= scene.delay() <= timedelta(minutes=most)
        scene.clock.at += scene.delay()
    (told,) = [notice for notice in run.story.notices if notice.kind is Kind.TROUBLE]
    assert told.at == began + timedelta(minutes=30)
    assert told.sentence == (
        f"Azure cannot be read since {say(began)}: Azure asks to wait 1200 s before the next request."
    )
    assert "If nobody answers by" in told.otherwise
    scene.compute.instances = reads
    assert (await scene.poll(message)).gaps.trouble is None


async def test_an_azure_that_is_down_starts_nothing_and_is_in_the_run_as_the_reason(scene) -> None:
    message = await scene.ready()

    async def instances(_: Any) -> Any:
        raise Unreachable("Azure answered 503.")

    reads, scene.compute.instances = scene.compute.instances, instances
    run = await scene.poll(message)
    assert "Azure answered 503." in run.reason
    assert scene.delay() == timedelta(seconds=30)
    scene.clock.forward(seconds=30)
    await scene.poll()
    assert scene.delay() == timedelta(seconds=60)
    assert scene.started() == []
    scene.compute.instances = reads
    scene.clock.forward(seconds=60)
    run = await scene.poll()
    assert scene.started() == ["0", "2"]
    assert run.gaps.trouble is None


async def test_a_batch_reads_the_scale_set_once_and_a_later_poll_only_its_instances(scene) -> None:
    message = await scene.ready()
    scene.compute.calls.clear()
    await scene.poll(message)
    expected = {"get scale set": 1, "rolling upgrade": 1, "list instances": 1, "start": 2}
    assert dict(scene.compute.calls) == expected
    scene.compute.calls.clear()
    scene.clock.forward(minutes=1)
    await scene.poll()
    assert dict(scene.compute.calls) == {"list instances": 1, "operation": 2}


async def test_a_tag_set_to_never_meanwhile_stops_the_next_batch(scene) -> None:
    message = await scene.ready()
    scene.azure.people.set_tags(scene.azure.scale_set("web"), {"breakwater-self-service": "never"})
    run = await scene.poll(message)
    assert scene.started() == []
    assert "Planned again" in run.reason
    assert scene.wiring.spy.of("scale-sets")[-1].reason == "replan"


async def test_a_claim_stands_before_the_first_intent_and_is_gone_at_the_end(scene) -> None:
    message = await scene.ready()
    claimed: list[bool] = []

    async def look_around() -> None:
        claimed.append(bool(await scene.wiring.records.list(claim_prefix(SUBSCRIPTION))))

    on_write(scene, look_around)
    run = await scene.poll(message)
    assert claimed == [True]
    for _ in range(60):
        if run.ended_at is not None:
            break
        scene.clock.at = max(scene.clock() + timedelta(seconds=1), run.due)
        run = await scene.poll()
    assert run.state is RunState.COMPLETED
    assert await scene.wiring.records.list(claim_prefix(SUBSCRIPTION)) == []


async def test_two_polls_at_once_start_once(scene) -> None:
    message = await scene.ready()
    await asyncio.gather(*(advance.handle(message, scene.wiring) for _ in range(4)))
    assert sorted(scene.started()) == ["0", "2"]


async def test_a_record_of_a_newer_version_is_left_alone(scene) -> None:
    message = await scene.ready()
    stored = await scene.wiring.records.read(WEB)
    assert stored is not None
    run = decode(Run, stored.body)
    newer = encode(replace(run, v=99)).replace(b'"state":"scheduled"', b'"state":"levitating"')
    await scene.wiring.records.write(WEB, newer, etag=stored.etag, metadata=run_metadata(run))
    with pytest.raises(NewerRecord):
        await advance.handle(message, scene.wiring)
    again = await scene.wiring.records.read(WEB)
    assert again is not None
    assert again.body == newer


async def test_nothing_starts_while_the_look_ups_of_the_wave_are_still_being_made(scene) -> None:
    message = await scene.ready()
    path = wave_path(TRACKING_ID, SUBSCRIPTION)
    stored = await scene.wiring.records.read(path)
    wave = decode(Wave, stored.body)
    await scene.wiring.records.write(path, encode(replace(wave, evidence=None)), etag=stored.etag)
    scene.compute.calls.clear()
    run = await scene.poll(message)
    assert scene.started() == []
    assert run.reason == "Waiting: what Azure shows of its last 14 days, which is still being read."
    assert dict(scene.compute.calls) == {}, "waiting for them costs no call"
    stored = await scene.wiring.records.read(path)
    await scene.wiring.records.write(path, encode(wave), etag=stored.etag)
    scene.clock.at = run.due
    await scene.poll()
    assert scene.started() == ["0", "2"]


async def test_a_poll_whose_write_fails_although_nobody_carried_on_is_made_again_at_once(scene) -> None:
    """A repeated write of our own answers 412 as well, and nobody has sent a message for it."""
    message = await scene.ready()
    on_write(scene, conflict)
    run = await scene.poll(message)
    assert run.generation == message.generation + 1
    assert scene.started() == ["0", "2"]
