"""The local host says to the worker what the real host was recorded to say, message by message.

What differs from one recording to the next is made alike on both sides first: identifiers, times, addresses.
"""

import asyncio
import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob.aio import BlobServiceClient
from google.protobuf.json_format import MessageToDict

from simulator.host.conversation import invocation
from simulator.host.metadata import Binding, Function
from simulator.host.ncrontab import Schedule
from simulator.host.timers import TimerListener
from simulator.host.triggers import TimerTick
from tests.host.probe import APP, Probe, ask

WIRE = Path(__file__).parent / "wire"
QUEUED = ("sleep0", "bad2", '{"v":1,"text":"ä"}')


def samples(name: str) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
    return read


@pytest.fixture(scope="module")
def tape(storage_of_module: str, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What host and worker say to each other while everything is asked that was asked of the real one."""
    folder = tmp_path_factory.mktemp("wire")
    asyncio.run(_everything(storage_of_module, folder))
    return [json.loads(line) for line in (folder / "tape").read_text().splitlines()]


async def _everything(storage: str, folder: Path) -> None:
    async with Probe(storage, folder) as probe:
        await probe.send("fails", *QUEUED[:2])
        for text in (QUEUED[2], QUEUED[0]):
            await probe.send("fails", text, alive=-1)
        async with probe.host(wire=folder / "tape", TICK="* * * * * *") as host:
            for sample in samples("http"):
                http = sample["request"]["input_data"][0]["data"]["http"]
                target = http["url"].removeprefix("https://app.example")
                lost = http["headers"].get("transfer-encoding") == "chunked"
                body = b"lost" if lost else base64.b64decode(http.get("body", {}).get("bytes", ""))
                await ask(host.url, target, method=http["method"], headers=http["headers"], body=body)
            await probe.recorded("tick", 1)
            await probe.recorded("poison", 2)


def said(tape: list[dict[str, Any]], kind: str, who: str = "host") -> list[dict[str, Any]]:
    return [line[kind] for line in tape if line["from"] == who and kind in line]


def invocations(tape: list[dict[str, Any]], function: str) -> list[dict[str, Any]]:
    ids = {one["metadata"]["name"]: one["function_id"] for one in said(tape, "function_load_request")}
    return [one for one in said(tape, "invocation_request") if one["function_id"] == ids[function]]


def alike(message: Any) -> Any:
    """A message without what no two recordings share."""
    text = json.dumps(message).replace(str(APP), "/home/site/wwwroot")
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", text)
    text = re.sub(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", "TRACE", text)
    return json.loads(text)


def test_the_worker_is_started_and_asked_for_its_functions_as_by_the_real_host(tape) -> None:
    theirs = samples("start")
    for kind in ("worker_init_request", "functions_metadata_request"):
        assert alike(said(tape, kind)) == alike(said(theirs, kind))
    (ours,), (others,) = (said(one, "function_metadata_response", "worker") for one in (tape, theirs))
    schedule = re.compile(r'("schedule\\*": \\*)"[^"]*"')
    for one in (ours, others):
        for function in one["function_metadata_results"]:
            function["raw_bindings"] = [schedule.sub(r"\1", raw) for raw in function["raw_bindings"]]
    assert alike(ours["function_metadata_results"]) == alike(others["function_metadata_results"])


def test_functions_are_loaded_as_by_the_real_host(tape) -> None:
    theirs = alike(said(samples("load"), "function_load_request"))
    ours = {one["metadata"]["name"]: one for one in alike(said(tape, "function_load_request"))}
    assert [ours[one["metadata"]["name"]] for one in theirs] == theirs


def test_requests_reach_the_worker_as_from_the_real_host(tape) -> None:
    for name in ("echo_get", "status", "boom", "big"):
        theirs = [http(one["request"]) for one in samples("http") if one["function"] == name]
        assert [http(one) for one in invocations(tape, name)] == theirs


def http(request: Any) -> Any:
    """A request whose JSON is read, on the recorded address; the test's connection is closed after each."""
    request = alike(request)
    for name in ("Headers", "Query"):
        read = json.loads(request["trigger_metadata"][name]["json"])
        request["trigger_metadata"][name] = {
            key.lower(): value for key, value in read.items() if key != "Connection"
        }
    called = request["input_data"][0]["data"]["http"]
    called["headers"].pop("connection", None)
    called["url"] = called["url"].replace("http://", "https://")
    request["trace_context"]["attributes"]["url.scheme"] = "https"
    return request


def test_messages_reach_the_worker_as_from_the_real_host(tape) -> None:
    ours = [queued(one) for one in invocations(tape, "fails")]
    for sample in samples("queue"):
        assert queued(sample["request"]) in ours


def queued(request: Any) -> Any:
    """A message with its times as they stand to each other."""
    request = alike(request)
    metadata = request["trigger_metadata"]
    times = ("InsertionTime", "ExpirationTime", "NextVisibleTime")
    inserted, expires, visible = (
        datetime.fromisoformat(json.loads(metadata.pop(name)["json"])) for name in times
    )
    endless = expires == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    lock = visible - inserted - timedelta(minutes=10)
    assert timedelta() <= lock < timedelta(minutes=3), "taken for ten minutes, soon after it came or failed"
    metadata["lives"] = "for ever" if endless else str(expires - inserted)
    assert metadata.pop("PopReceipt")["string"]
    return request


def test_a_timer_of_less_than_a_minute_reaches_the_worker_as_from_the_real_host(tape) -> None:
    ours, theirs = timed(invocations(tape, "tick")[0]), timed(samples("timer")[0]["request"])
    assert ours == theirs
    assert '"ScheduleStatus":null' in json.dumps(ours).replace("\\", "")


def timed(request: Any) -> Any:
    """A tick at whatever moment, to the microsecond."""
    text = json.dumps(alike(request))
    text = re.sub(r"\d\d/\d\d/\d{4} \d\d:\d\d:\d\d", "MOMENT", text)
    return json.loads(re.sub(r"(\.\d{6})\d(?=\+)", r"\1", text))


async def test_a_timer_of_a_minute_is_told_what_was_on_record_before_each_occurrence(storage: str) -> None:
    clock = [datetime(2026, 11, 28, 23, 10, 23, 559895, tzinfo=UTC)]
    ticks: list[TimerTick] = []

    async def run(tick: TimerTick) -> bool:
        ticks.append(tick)
        return True

    async with BlobServiceClient.from_connection_string(storage) as blobs:
        schedule = Schedule.parse("0 * * * * *")
        timer = TimerListener(
            blobs, "timers/x/tick/status", schedule, run, at_start=False, clock=lambda: clock[0]
        )
        due = await timer.first()
        for _ in range(2):
            clock[0] = due + timedelta(microseconds=6166)
            await timer.fire(due)
            due = schedule.after(clock[0])
    tick = Function("tick", "ID", Binding("timerTrigger", "timer", {}))
    ours = [
        MessageToDict(invocation(tick, one).invocation_request, preserving_proto_field_name=True)
        for one in ticks
    ]
    theirs = [one["request"] | {"function_id": "ID"} for one in samples("timer")[3:]]
    assert list(map(timed, ours)) == list(map(timed, theirs))
    assert [one["trigger_metadata"] for one in ours] == [one["trigger_metadata"] for one in theirs]
