"""intake: what can never be read is buried at once, what a newer version wrote waits, the rest is the host's."""

import json
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.records import StorageDown
from handlers.failures import reasons
from handlers.intake import hand_over
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import ALERTS, NOTICES, QUEUES, RUNS, SCALE_SETS, poison
from handlers.wire.messages import AlertMessage, NoticeMessage, RunMessage, ScaleSetMessage
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring, scale_set

GOOD = {
    ALERTS: AlertMessage(alert="a" * 64),
    SCALE_SETS: ScaleSetMessage(
        tracking_id="VM12-3AB", subscription=SUBSCRIPTION, scale_set=scale_set("web").id, reason="announced"
    ),
    RUNS: RunMessage(subscription=SUBSCRIPTION, resource_group="rg", name="web", generation=4),
    NOTICES: NoticeMessage(tracking_id="VM12-3AB", kind="wave"),
}


class Sent(TestWiring):
    """Remembers texts, which go past `send`."""

    def __init__(self, storage: str) -> None:
        super().__init__(storage, Clock())
        self.texts: list[tuple[str, str, timedelta]] = []
        forward = self.queues.send_text

        async def send_text(queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
            self.texts.append((queue, text, delay))
            await forward(queue, text, delay=delay)

        self.queues.send_text = send_text  # type: ignore[method-assign]


@pytest.fixture
async def wiring(storage):
    made = Sent(storage)
    yield made
    await made.close()


async def never(*_: Any) -> None:
    raise AssertionError("the stage must not see this")


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_good_message_reaches_its_stage_as_it_was_sent(wiring, queue) -> None:
    seen: list[Any] = []

    async def stage(message: Any, given: Any) -> None:
        seen.append((message, given))

    await hand_over(queue, GOOD[queue].model_dump_json().encode(), stage, wiring)
    assert seen == [(GOOD[queue], wiring)]
    assert wiring.texts == []


@pytest.mark.parametrize("queue", QUEUES)
@pytest.mark.parametrize("body", [b"", b"no json", b"[]", b"null", b"\xff\xfe", b"{}", b"[" * 49_000])
async def test_what_is_not_a_message_is_buried_at_once_as_it_came(wiring, queue, body: bytes) -> None:
    await hand_over(queue, body, never, wiring)
    assert wiring.texts == [(poison(queue), body.decode(errors="replace"), timedelta(0))]
    assert (await wiring.queues.lengths())[poison(queue)] == 1


@pytest.mark.parametrize("queue", QUEUES)
async def test_a_message_of_a_newer_version_comes_back_in_five_minutes_unchanged(wiring, queue) -> None:
    newer = {**json.loads(GOOD[queue].model_dump_json()), "v": 2, "added": {"later": True}}
    body = json.dumps(newer)
    await hand_over(queue, body.encode(), never, wiring)
    assert wiring.texts == [(queue, body, timedelta(minutes=5))]


async def test_a_message_about_a_newer_record_comes_back_in_five_minutes_too(wiring) -> None:
    async def stage(*_: Any) -> None:
        raise NewerRecord("A Run record has version 2.")

    body = GOOD[RUNS].model_dump_json()
    await hand_over(RUNS, body.encode(), stage, wiring)
    assert wiring.texts == [(RUNS, body, timedelta(minutes=5))]


@pytest.mark.parametrize("error", [StorageDown("Storage does not answer."), RuntimeError("who knows")])
async def test_whatever_else_a_stage_raises_the_host_retries(wiring, error: Exception) -> None:
    async def stage(*_: Any) -> None:
        raise error

    with pytest.raises(type(error)):
        await hand_over(RUNS, GOOD[RUNS].model_dump_json().encode(), stage, wiring)
    assert wiring.texts == []


async def test_a_forged_id_never_reaches_the_stage(wiring) -> None:
    forged = [
        {"subscription": "99999999-8888-7777-6666-555555555555"},
        {"scale_set": scale_set("web").id + "/../other"},
        {"scale_set": scale_set("web").id + "/virtualMachines/0"},
        {"scale_set": scale_set("web").id.replace("virtualMachineScaleSets", "virtualMachines")},
        {"scale_set": "/" + scale_set("web").id},
        {"scale_set": scale_set("web?x").id},
        {"tracking_id": "../../claims/x"},
        {"reason": "because"},
        {"wave_generation": -1},
    ]
    good = json.loads(GOOD[SCALE_SETS].model_dump_json())
    for wrong in forged:
        await hand_over(SCALE_SETS, json.dumps(good | wrong).encode(), never, wiring)
    assert [queue for queue, _, _ in wiring.texts] == [poison(SCALE_SETS)] * len(forged)


async def test_why_a_stage_failed_is_kept_until_the_message_goes_through(wiring) -> None:
    body = GOOD[RUNS].model_dump_json().encode()

    async def broken(*_: Any) -> None:
        raise LookupError("There is no run at https://user:secret@example.org/x.")

    async def well(*_: Any) -> None:
        pass

    with pytest.raises(LookupError):
        await hand_over(RUNS, body, broken, wiring)
    said = await reasons.last(RUNS, body, wiring)
    assert said.startswith("LookupError: There is no run at")
    assert "secret" not in said
    assert await reasons.last(SCALE_SETS, body, wiring) == ""
    await hand_over(RUNS, body, well, wiring, tries=2)
    assert await reasons.last(RUNS, body, wiring) == ""


async def test_storage_being_down_does_not_count_against_a_message(wiring) -> None:
    body = GOOD[RUNS].model_dump_json().encode()

    async def away(*_: Any) -> None:
        raise StorageDown("Storage does not answer.")

    with pytest.raises(StorageDown):
        await hand_over(RUNS, body, away, wiring, tries=5)
    assert await reasons.last(RUNS, body, wiring) == ""


async def test_an_old_failure_does_not_count_for_a_new_message_with_the_same_text(storage) -> None:
    body, clock = GOOD[RUNS].model_dump_json().encode(), Clock()
    made = TestWiring(storage, clock)
    await reasons.note(RUNS, body, RuntimeError("it broke"), made)
    clock.forward(days=2)
    assert await reasons.last(RUNS, body, made) == ""
    await made.close()


async def test_a_message_that_is_tried_again_is_noted_to_have_come_as_far_as_the_app(wiring) -> None:
    body = GOOD[RUNS].model_dump_json().encode()
    seen: list[str | None] = []

    async def stage(*_: Any) -> None:
        seen.append(await reasons.known(RUNS, body, wiring))

    await hand_over(RUNS, body, stage, wiring)
    await hand_over(RUNS, body, stage, wiring, tries=2)
    assert seen == [None, ""], "a first try costs no call"
    assert await reasons.known(RUNS, body, wiring) is None, "it has gone through"


async def test_why_a_message_failed_is_not_forgotten_when_it_is_tried_again(wiring) -> None:
    body = GOOD[RUNS].model_dump_json().encode()
    await reasons.note(RUNS, body, RuntimeError("it broke"), wiring)
    await reasons.reached(RUNS, body, wiring)
    assert await reasons.last(RUNS, body, wiring) == "RuntimeError: it broke"


async def test_a_mark_of_long_ago_is_of_an_earlier_message_with_the_same_text(storage) -> None:
    body, clock = GOOD[RUNS].model_dump_json().encode(), Clock()
    made = TestWiring(storage, clock)
    await reasons.reached(RUNS, body, made)
    clock.forward(days=2)
    assert await reasons.known(RUNS, body, made) is None
    await reasons.reached(RUNS, body, made)
    assert await reasons.known(RUNS, body, made) == ""
    await made.close()
