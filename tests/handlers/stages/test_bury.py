"""bury: poison becomes a quarantined item, a paused run and a notice; replay sends it back."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers import replay
from handlers.cloud.names import QUARANTINE, run_path
from handlers.cloud.queues import TAKEN_AT_MOST
from handlers.failures import lives, reasons
from handlers.failures.quarantine import keep
from handlers.stages import bury
from handlers.wire.documents import encode, run_metadata
from handlers.wire.ids import ALERTS, NOTICES, QUEUES, RUNS, SCALE_SETS, poison
from handlers.wire.messages import AlertMessage, NoticeMessage, PersonEvent, RunMessage, ScaleSetMessage
from tests.handlers.parts import NOW, SUBSCRIPTION, alert, body, digest, run, scale_set

RUN = RunMessage(subscription=SUBSCRIPTION, resource_group="Prod-RG", name="web", generation=3)
SCALE_SET = ScaleSetMessage(
    tracking_id="VM12-3AB", subscription=SUBSCRIPTION, scale_set=scale_set("web").id, reason="announced"
)


async def buried(queue, text, wiring):
    """Bury a message of which it is known that it failed."""
    raw = text.encode(errors="backslashreplace") if isinstance(text, str) else text
    await reasons.note(queue, raw, RuntimeError("it broke"), wiring)
    await bury.handle(queue, text, wiring)


async def killed_each_time(queue, text, wiring):
    """Bury a message that came as far as the app, and of which no failure is known."""
    await reasons.reached(queue, text.encode(), wiring)
    await bury.handle(queue, text, wiring)


async def kept(wiring):
    paths = [line.path for line in await wiring.records.list(QUARANTINE)]
    return [(path, json.loads((await wiring.records.read(path)).body)) for path in paths]


async def with_run(wiring):
    one = run()
    path = run_path(SUBSCRIPTION, "Prod-RG", "web")
    await wiring.records.create(path, encode(one), run_metadata(one))


async def test_a_poison_message_is_kept_as_it_came_with_the_error(wiring):
    text = AlertMessage(alert="a" * 64).model_dump_json()
    await buried(ALERTS, text, wiring)
    ((path, found),) = await kept(wiring)
    assert path.startswith(f"{QUARANTINE}2026-11-22/alerts-")
    assert found["message"] == text
    assert found["decoded"] == json.loads(text)
    assert found["source"] == ALERTS
    assert "failed 5 times" in found["error"]
    assert "RuntimeError: it broke" in found["error"]
    assert found["at"] == "2026-11-22T12:00:00Z"
    (notice,) = wiring.spy.of(NOTICES)
    assert (notice.kind, notice.alert) == ("quarantined", "a" * 64)
    assert path in notice.text


@pytest.mark.parametrize(("queue", "message"), [(RUNS, RUN), (SCALE_SETS, SCALE_SET)])
async def test_the_run_it_was_about_is_paused(wiring, queue, message):
    await with_run(wiring)
    await buried(queue, message.model_dump_json(), wiring)
    (sent,) = wiring.spy.of(RUNS)
    assert (sent.name, sent.generation) == ("web", 3)
    assert sent.event.kind == "quarantined"
    assert sent.event.actor == "breakwater"
    assert queue in sent.event.comment
    assert sent.event.at == NOW
    (notice,) = wiring.spy.of(NOTICES)
    assert "paused" in notice.text
    assert "web" in notice.text


async def test_a_message_that_nothing_is_known_against_is_sent_again_later_each_time(wiring):
    """Hosts that are killed while they hold a message use up its tries."""
    await with_run(wiring)
    text, waits = RUN.model_dump_json(), []
    for life in range(1, lives.MOST + 1):
        wiring.spy.forget()
        await killed_each_time(RUNS, text, wiring)
        ((queue, message, delay),) = wiring.queues.sent
        assert (queue, message) == (RUNS, RUN.model_copy(update={"lives": life}))
        text = message.model_dump_json()
        waits.append(delay)
    assert waits == sorted(waits)
    assert len(set(waits)) == lives.MOST
    assert await kept(wiring) == []


@pytest.mark.parametrize(
    ("queue", "message"),
    [
        (ALERTS, AlertMessage(alert="a" * 64)),
        (SCALE_SETS, SCALE_SET),
        (NOTICES, NoticeMessage(kind="wave", tracking_id="VM12-3AB")),
        (RUNS, RUN.model_copy(update={"event": PersonEvent(id="e", kind="hold", actor="ada", at=NOW)})),
    ],
)
async def test_a_message_that_never_came_as_far_as_the_app_is_sent_again_as_it_was(wiring, queue, message):
    """However often: it has done nothing wrong, and the platform's trouble is not its run's."""
    await with_run(wiring)
    for _ in range(2 * lives.MOST):
        wiring.spy.forget()
        await bury.handle(queue, message.model_dump_json(), wiring)
        assert wiring.queues.sent == [(queue, message, timedelta(0))]
    assert await kept(wiring) == []


async def test_polls_that_never_came_as_far_as_the_app_are_left_to_the_sweep(wiring):
    """It takes the run up by its record, once, whatever became of its messages."""
    await with_run(wiring)
    for _ in range(2 * lives.MOST):
        await bury.handle(RUNS, RUN.model_dump_json(), wiring)
    assert not wiring.spy.of(RUNS)
    assert not wiring.spy.of(NOTICES)
    assert await kept(wiring) == []


async def test_a_poll_of_a_run_that_is_not_on_record_is_not_dropped_unseen(wiring):
    await bury.handle(RUNS, RUN.model_dump_json(), wiring)
    assert wiring.spy.of(RUNS) == [RUN]


async def test_a_message_that_takes_its_process_with_it_each_time_ends_in_quarantine(wiring):
    await with_run(wiring)
    await killed_each_time(RUNS, RUN.model_copy(update={"lives": lives.MOST}).model_dump_json(), wiring)
    ((_, found),) = await kept(wiring)
    assert "process was killed" in found["error"]
    assert wiring.spy.of(RUNS)[0].event.kind == "quarantined"


async def test_what_failed_and_was_buried_is_as_good_as_new_when_it_is_replayed(wiring):
    text = SCALE_SET.model_dump_json()
    await buried(SCALE_SETS, text, wiring)
    assert await reasons.last(SCALE_SETS, text.encode(), wiring) == ""


async def test_a_poll_that_a_later_one_has_replaced_pauses_nothing(wiring):
    """Hosts died five times while they held it; the run has gone on meanwhile."""
    await with_run(wiring)
    await buried(RUNS, RUN.model_copy(update={"generation": 2}).model_dump_json(), wiring)
    assert not wiring.spy.of(RUNS)
    (notice,) = wiring.spy.of(NOTICES)
    assert "paused" not in notice.text
    assert len(await kept(wiring)) == 1


async def test_every_pause_has_an_id_of_its_own_and_the_same_one_while_the_run_stands_still(wiring):
    """A word is applied once by its id: a second failure, after a person resumed, must pause again."""
    await with_run(wiring)
    other = SCALE_SET.model_copy(update={"traceparent": "another"}).model_dump_json()
    for text in (SCALE_SET.model_dump_json(), SCALE_SET.model_dump_json(), other):
        await buried(SCALE_SETS, text, wiring)
    path = run_path(SUBSCRIPTION, "Prod-RG", "web")
    one = run(generation=4)
    stored = await wiring.records.read(path)
    await wiring.records.write(path, encode(one), etag=stored.etag, metadata=run_metadata(one))
    await buried(SCALE_SETS, other, wiring)
    first, again, second, after_a_look = (sent.event.id for sent in wiring.spy.of(RUNS))
    assert first == again
    assert len({first, second, after_a_look}) == 3


async def test_without_a_run_there_is_nothing_to_pause(wiring):
    await buried(SCALE_SETS, SCALE_SET.model_dump_json(), wiring)
    assert not wiring.spy.of(RUNS)
    (notice,) = wiring.spy.of(NOTICES)
    assert notice.tracking_id == "VM12-3AB"
    assert "paused" not in notice.text


async def test_a_pause_that_fails_is_not_paused_again_without_end(wiring):
    await with_run(wiring)
    await buried(RUNS, RUN.model_dump_json(), wiring)
    pause = wiring.spy.of(RUNS)[0]
    wiring.spy.forget()
    await buried(RUNS, pause.model_dump_json(), wiring)
    assert not wiring.spy.of(RUNS)
    assert len(await kept(wiring)) == 2


async def test_a_persons_command_that_failed_pauses_the_run_and_is_kept(wiring):
    await with_run(wiring)
    event = PersonEvent(id="person-1", kind="hold", actor="ada", at=NOW)
    await buried(RUNS, RUN.model_copy(update={"event": event}).model_dump_json(), wiring)
    assert wiring.spy.of(RUNS)[0].event.kind == "quarantined"


async def test_telling_about_what_cannot_be_told_ends_here(wiring):
    notice = NoticeMessage(kind="quarantined", text="x")
    await buried(NOTICES, notice.model_dump_json(), wiring)
    await buried(NOTICES, "garbage", wiring)
    assert not wiring.spy.of(NOTICES)
    assert len(await kept(wiring)) == 2
    await buried(NOTICES, NoticeMessage(kind="wave", tracking_id="T").model_dump_json(), wiring)
    assert [notice.kind for notice in wiring.spy.of(NOTICES)] == ["quarantined"]


async def test_the_same_message_buried_again_the_same_day_is_told_once(wiring):
    for _ in range(3):
        await buried(ALERTS, AlertMessage(alert="a" * 64).model_dump_json(), wiring)
    assert len(wiring.spy.of(NOTICES)) == 1
    wiring.clock.forward(days=1)
    await buried(ALERTS, AlertMessage(alert="a" * 64).model_dump_json(), wiring)
    assert len(wiring.spy.of(NOTICES)) == 2


async def test_a_run_whose_record_is_broken_is_told_and_not_paused(wiring):
    await wiring.records.create(run_path(SUBSCRIPTION, "Prod-RG", "web"), b"{")
    await buried(RUNS, RUN.model_dump_json(), wiring)
    assert not wiring.spy.of(RUNS)
    assert len(wiring.spy.of(NOTICES)) == 1


@pytest.mark.parametrize("group", ["..", ".", "\U0001f600" * 90])
async def test_names_that_no_path_can_be_built_from_are_kept_like_any_other_garbage(wiring, group):
    """A client resolves dots before it asks: storage refuses the signature, or another record is read."""
    forged = json.loads(RUN.model_dump_json()) | {"resource_group": group}
    await buried(RUNS, json.dumps(forged), wiring)
    forged = json.loads(SCALE_SET.model_dump_json()) | {"scale_set": scale_set("web", group=group).id}
    await buried(SCALE_SETS, json.dumps(forged), wiring)
    assert ["not a message of the queue" in one["error"] for _, one in await kept(wiring)] == [True, True]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(content=st.binary(max_size=60) | st.text(max_size=60), queue=st.sampled_from(QUEUES))
async def test_whatever_the_content_it_is_buried(wiring, content, queue):
    before = {path for path, _ in await kept(wiring)}
    await buried(queue, content, wiring)
    found = {path: one for path, one in await kept(wiring) if path not in before}
    for one in found.values():
        assert "not a message of the queue" in one["error"]
    assert all(notice.kind == "quarantined" for notice in wiring.spy.of(NOTICES))


async def test_a_replayed_message_is_back_on_its_queue_and_out_of_quarantine(wiring):
    await buried(ALERTS, AlertMessage(alert="a" * 64).model_dump_json(), wiring)
    ((path, _),) = await kept(wiring)
    assert "alerts" in await replay.replay(path, wiring)
    assert (await wiring.queues.lengths())[ALERTS] == 1
    assert await kept(wiring) == []


async def test_a_replayed_alert_goes_through_receive(wiring):
    content = body(alert())
    path = await keep("alert", content, "It could not be read by the version before.", wiring)
    assert "accepted" in await replay.replay(path, wiring)
    assert [message.alert for message in wiring.spy.of(ALERTS)] == [digest(content)]
    assert await kept(wiring) == []


@pytest.mark.parametrize(
    ("source", "content", "says"),
    [
        ("alert", b"\xff no alert", "refused again"),
        (RUNS, b"garbage", "would fail again"),
        ("elsewhere", b"{}", "source"),
    ],
)
async def test_what_would_fail_again_stays_in_quarantine(wiring, source, content, says):
    path = await keep(source, content, "It failed.", wiring)
    with pytest.raises(replay.NotReplayed, match=says):
        await replay.replay(path, wiring)
    assert [one for one, _ in await kept(wiring)] == [path]


async def test_replaying_nothing_says_so(wiring):
    with pytest.raises(replay.NotReplayed, match="nothing in quarantine"):
        await replay.replay("quarantine/2026-11-22/x.json", wiring)


@pytest.mark.parametrize(
    "path", ["", "alerts/x.json", f"{QUARANTINE}../alerts/x.json", f"{QUARANTINE}./x.json"]
)
async def test_nothing_outside_the_quarantine_is_replayed_and_deleted(wiring, path):
    inside = await keep(ALERTS, AlertMessage(alert="a" * 64).model_dump_json().encode(), "It failed.", wiring)
    await wiring.records.create("alerts/x.json", (await wiring.records.read(inside)).body)
    with pytest.raises(replay.NotReplayed, match="nothing in quarantine"):
        await replay.replay(path, wiring)
    assert await wiring.records.read("alerts/x.json") is not None


async def test_the_poison_queues_are_emptied_and_what_cannot_be_buried_stays_there(wiring, monkeypatch):
    for number in range(TAKEN_AT_MOST + 1):
        await wiring.queues.send_text(poison(NOTICES), f"garbage {number}")
    await wiring.queues.send_text(poison(RUNS), "stubborn")
    handle = bury.handle

    async def handled(queue, body, wiring):
        if body == b"stubborn":
            raise RuntimeError("it broke")
        await handle(queue, body, wiring)

    monkeypatch.setattr(bury, "handle", handled)
    await bury.drain(wiring)
    lengths = await wiring.queues.lengths()
    assert (lengths[poison(NOTICES)], lengths[poison(RUNS)]) == (0, 1)
    assert len(await kept(wiring)) == TAKEN_AT_MOST + 1
