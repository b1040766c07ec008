"""receive: statuses, what is stored and queued, and what is on the path."""

import asyncio
import json
from collections import Counter

import pytest

from handlers.cloud.names import ALERTS_PREFIX, QUARANTINE, alert_path
from handlers.cloud.records import Records
from handlers.stages import discover, receive
from handlers.stages.receive import LARGEST_BODY
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage
from handlers.wiring import TAKING
from tests.handlers.parts import Clock, TestWiring, alert, body, digest, event, later, sample


async def post(wiring, content, **headers):
    headers = {"content-length": str(len(content)), **headers}
    answer = await receive.handle(Request("POST", body=content, headers=headers), wiring)
    return answer, json.loads(answer.body)


async def quarantined(wiring):
    return [
        json.loads((await wiring.records.read(line.path)).body)
        for line in await wiring.records.list(QUARANTINE)
    ]


@pytest.mark.parametrize("schema", ["common", "legacy"])
async def test_an_announcement_is_stored_as_it_came_and_queued(wiring, schema):
    content = body(alert(schema)) + b"\n  "
    answer, said = await post(wiring, content, traceparent="00-abc")
    assert answer.status == 202
    assert answer.content_type == "application/json"
    assert said == {"tracking_id": "VM12-3AB", "status": "accepted", "reason": said["reason"]}
    stored = await wiring.records.read(alert_path(digest(content)))
    assert stored.body == content
    assert stored.metadata["kind"] == "announcement"
    assert wiring.spy.of(ALERTS) == [AlertMessage(alert=digest(content), traceparent="00-abc")]
    assert not wiring.spy.of(NOTICES)


async def test_the_path_of_an_alert_is_one_blob_write_and_one_queue_send(wiring, monkeypatch):
    await post(wiring, body(alert()))
    calls = Counter()
    for owner in (Records, type(wiring.spy).__mro__[1]):
        for name in ("create", "write", "read", "read_if_changed", "list", "delete", "send_text", "lengths"):
            if name in vars(owner):
                original = getattr(owner, name)

                def counted(self, *args, _name=name, _original=original, **more):
                    calls[_name] += 1
                    return _original(self, *args, **more)

                monkeypatch.setattr(owner, name, counted)
    await post(wiring, body(alert(trackingId="VM99-9ZZ")))
    assert calls == {"create": 1, "write": 1, "send_text": 1}  # create is write without an etag


async def test_a_duplicate_is_answered_200_and_queued_again_unless_discovered(wiring):
    content = body(alert())
    await post(wiring, content)
    answer, said = await post(wiring, content)
    assert (answer.status, said["status"]) == (200, "duplicate")
    assert len(wiring.spy.of(ALERTS)) == 2
    await discover.handle(wiring.spy.of(ALERTS)[0], wiring)
    wiring.spy.forget()
    answer, said = await post(wiring, content)
    assert (answer.status, said["status"], said["tracking_id"]) == (200, "duplicate", "VM12-3AB")
    assert not wiring.spy.of(ALERTS)


async def test_a_test_alert_is_stored_and_says_that_you_are_wired_up(wiring):
    content = body(sample("cas-servicehealth-test-action-2025"))
    answer, said = await post(wiring, content)
    assert (answer.status, said["status"], said["tracking_id"]) == (200, "ignored", "TEST-TTT")
    (notice,) = wiring.spy.of(NOTICES)
    assert (notice.kind, notice.alert) == ("wired", digest(content))
    assert (await wiring.records.read(alert_path(digest(content)))).metadata["kind"] == "test"
    assert not wiring.spy.of(ALERTS)


@pytest.mark.parametrize(
    ("name", "tracking_id", "says"),
    [
        ("legacy-servicehealth-incident", "0NIH-U2O", "Incident"),
        ("cas-activitylog-administrative-test-action-2025", None, "Administrative"),
        ("cas-servicehealth-maintenance-alertcontext-int-enums", None, "Synapse"),
    ],
)
async def test_what_is_not_for_us_is_stored_as_it_came_and_answered_200_with_the_reason(
    wiring, name, tracking_id, says
):
    content = b" " + body(sample(name))
    for _ in range(2):
        answer, said = await post(wiring, content)
        assert (answer.status, said["status"], said["tracking_id"]) == (200, "ignored", tracking_id)
        assert says in said["reason"]
    (stored,) = await wiring.records.list(ALERTS_PREFIX)
    assert stored.path == alert_path(digest(content))
    assert stored.metadata["kind"] == "ignored"
    assert (await wiring.records.read(stored.path)).body == content
    assert not wiring.spy.of(ALERTS)
    assert not wiring.spy.of(NOTICES)


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\x00", b"[" * 100_000, b'{"schemaId": "x"}'])
async def test_what_is_no_alert_is_rejected_and_kept_in_quarantine(wiring, content):
    answer, said = await post(wiring, content)
    assert (answer.status, said["status"], said["tracking_id"]) == (400, "rejected", None)
    (kept,) = await quarantined(wiring)
    assert kept["error"] == said["reason"]
    assert kept["source"] == "alert"
    assert not wiring.spy.of(NOTICES)
    assert (await post(wiring, content))[0].status == 400
    assert len(await quarantined(wiring)) == 1


async def test_people_hear_once_of_an_alert_that_could_not_be_read(wiring):
    content = body(alert(trackingId="../../x"))
    for _ in range(3):
        answer, _ = await post(wiring, content)
        assert answer.status == 400
    (notice,) = wiring.spy.of(NOTICES)
    assert notice.kind == "quarantined"
    assert "tracking id" in notice.text
    assert QUARANTINE in notice.text


async def test_over_one_mebibyte_is_too_much(wiring):
    largest = body(alert()).ljust(LARGEST_BODY)
    assert (await post(wiring, largest))[0].status == 202
    answer, said = await post(wiring, largest + b" ")
    assert (answer.status, said["status"]) == (413, "rejected")
    assert await wiring.records.list(QUARANTINE) == []


DEAD = (
    "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;"
    "BlobEndpoint=http://127.0.0.1:1/a;QueueEndpoint=http://127.0.0.1:1/a;"
)


@pytest.mark.parametrize(
    "content",
    [
        body(alert()),
        b"no alert",
        body(sample("cas-servicehealth-test-action-2025")),
        body(sample("legacy-servicehealth-incident")),
    ],
)
async def test_while_storage_is_down_everything_is_answered_503(content):
    wiring = TestWiring(DEAD, Clock())
    answer, said = await post(wiring, content)
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert said["status"] == "rejected"
    await wiring.close()


async def test_a_storage_setting_that_is_missing_is_503_as_well(storage):
    wiring = TestWiring(storage, Clock())
    wiring.settings = wiring.settings.model_copy(update={"storage": type(wiring.settings.storage)("")})
    assert (await post(wiring, body(alert())))[0].status == 503


async def test_a_storage_that_never_answers_is_503_while_an_action_group_still_listens(wiring, monkeypatch):
    async def silent(*args, **more):
        await asyncio.Event().wait()

    monkeypatch.setattr(Records, "create", silent)
    monkeypatch.setattr(receive, "LONGEST_SECONDS", 0.01)
    answer = await asyncio.wait_for(post(wiring, body(alert())), timeout=5)
    assert answer[0].status == 503


async def test_the_unexpected_is_503_and_never_500(wiring, monkeypatch):
    def surprise(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(receive, "read_alert", surprise)
    assert (await post(wiring, body(alert())))[0].status == 503


async def test_a_queue_that_fails_after_the_storing_leaves_nothing_lost(wiring, monkeypatch):
    content = body(alert())
    with monkeypatch.context() as broken:
        broken.setattr(type(wiring.spy), "send", None)
        assert (await post(wiring, content))[0].status == 503
    answer, _ = await post(wiring, content)
    assert answer.status == 200
    assert [message.alert for message in wiring.spy.of(ALERTS)] == [digest(content)]


async def test_a_broken_wave_record_does_not_keep_a_duplicate_from_the_queue(wiring):
    content = body(alert())
    await post(wiring, content)
    await discover.handle(wiring.spy.of(ALERTS)[0], wiring)
    (wave,) = await wiring.records.list("waves/")
    await wiring.records.write(wave.path, b"{", etag=wave.etag)
    answer, _ = await post(wiring, content)
    assert answer.status == 200
    assert len(wiring.spy.of(ALERTS)) == 2


async def test_two_communications_of_one_wave_are_two_alerts(wiring):
    first = alert()
    second = later(first, hours=1, communication="2", stage="InProgress")
    assert event(second)["properties"]["stage"] == "InProgress"
    assert [(await post(wiring, body(one)))[0].status for one in (first, second)] == [202, 202]
    assert len(await wiring.records.list(ALERTS_PREFIX)) == 2


async def test_of_a_burst_some_are_stored_at_a_time_and_all_are_taken(wiring):
    create, running, most = wiring.records.create, 0, 0

    async def counted(*args):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await create(*args)
        finally:
            running -= 1

    wiring.records.create = counted
    bodies = [body(alert(communicationId=f"c-{number}")) for number in range(3 * TAKING)]
    answers = await asyncio.gather(*(post(wiring, content) for content in bodies))

    assert {answer.status for answer, _ in answers} == {202}
    assert len(wiring.spy.of(ALERTS)) == 3 * TAKING
    assert most == TAKING
