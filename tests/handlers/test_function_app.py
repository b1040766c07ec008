"""Each function and binding of the app, run by the real worker runtime; what importing the app costs."""

import base64
import json
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from azure.storage.queue.aio import QueueServiceClient

from handlers.cloud.names import QUARANTINE, SWEEP_STATE, run_path, wave_path
from handlers.cloud.records import Records
from handlers.wire.documents import decode
from handlers.wire.settings import Settings
from planner.azure.wave import Wave as RecordedWave
from planner.record.run import Run
from simulator.arm import ArmServer, serve
from simulator.fleet import SUBSCRIPTION, Fleet, Wave, Window, uniform
from simulator.host import HttpCall, QueueItem, TimerTick
from simulator.host.process import ROOT
from simulator.host.routes import Route
from simulator.host.worker import invoke, load_app
from simulator.inboxes import TeamsInbox
from tests.eventually import eventually

TRACKING_ID = "VM8T-1Q8"
PLACE = {"wave": TRACKING_ID, "subscription": SUBSCRIPTION, "group": "rg-breakwater", "name": "web"}
QUEUED = {"discover": "alerts", "plan": "scale-sets", "advance": "runs", "notify": "notices"}
REPORTS = {"report_waves", "report_waves_json", "report_wave", "report_run"}
HTTP = {"receive", *REPORTS, "respond", "respond_wave", "link", "health", "begin_drill", "end_drill"}


class App:
    """The indexed app against a storage account, a simulated Azure and a Teams inbox of its own."""

    def __init__(self, storage: str, azure: Fleet, teams: TeamsInbox) -> None:
        self.azure, self.teams, self.storage = azure, teams, storage
        self.records = Records.from_settings(Settings(AzureWebJobsStorage=storage))
        self.queues = QueueServiceClient.from_connection_string(storage)

    async def call(self, function: str, **call: Any) -> tuple[int, str]:
        returned = await invoke((await load_app(ROOT))[function], HttpCall(**call))
        return int(returned.http.status_code), returned.http.body.bytes.decode()

    async def take(self, queue: str) -> str:
        """The next message of a queue, as the host would hand it over once it is visible."""

        async def visible() -> str:
            async for message in self.queues.get_queue_client(queue).receive_messages(max_messages=1):
                return base64.b64decode(message.content).decode()
            return ""

        return await eventually(visible, within=5, why=f"a message of {queue} is visible")

    async def feed(self, function: str, body: str) -> None:
        assert await invoke((await load_app(ROOT))[function], QueueItem(body)) is None

    async def run(self) -> Any:
        stored = await self.records.read(run_path(SUBSCRIPTION, "rg-breakwater", "web"))
        return decode(Run, stored.body) if stored else None


@pytest.fixture
async def app(storage: str, monkeypatch, tmp_path) -> AsyncIterator[App]:
    azure = Fleet(lambda: datetime.now(UTC))
    azure.add(uniform("web", 2, tags={"breakwater-self-service": "always", "breakwater-mode": "approve"}))
    now = datetime.now(UTC)
    first, later = (
        Window(now, now + timedelta(days=5)),
        Window(now + timedelta(days=6), now + timedelta(days=9)),
    )
    azure.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=first,
            scheduled=later,
        )
    )
    async with AsyncExitStack() as stack:
        server: ArmServer = await serve(azure)
        stack.push_async_callback(server.close)
        teams = await stack.enter_async_context(TeamsInbox())
        policy = tmp_path / "policy.yaml"
        rules = "defaults: {tags-may-loosen: [self-service]}"
        policy.write_text(f"{rules}\nreceivers:\n  ops: {{teams: '{teams.url}'}}\n")
        settings = {
            "AzureWebJobsStorage": storage,
            "BREAKWATER_ARM_ENDPOINT": server.url,
            "BREAKWATER_POLICY": str(policy),
            "BREAKWATER_GROUP_WAIT": "1",
            "IDENTITY_ENDPOINT": server.identity_url,
            "IDENTITY_HEADER": server.identity_header,
        }
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        await load_app(ROOT)
        module = sys.modules["function_app"]
        module.wiring.cache_clear()
        made = App(storage, azure, teams)
        stack.push_async_callback(made.records.close)
        stack.push_async_callback(made.queues.close)
        yield made
        await module.wiring().close()
        module.wiring.cache_clear()


async def test_an_alert_goes_from_function_to_function_until_people_have_decided(app: App) -> None:
    body = json.dumps(app.azure.alert(TRACKING_ID)).encode()
    status, said = await app.call("receive", method="POST", body=body)
    assert (status, json.loads(said)["status"]) == (202, "accepted")

    await app.feed("discover", await app.take("alerts"))
    stored = await app.records.read(wave_path(TRACKING_ID, SUBSCRIPTION))
    assert stored is not None
    assert [member.scale_set.name for member in decode(RecordedWave, stored.body).roster] == ["web"]

    await app.feed("plan", await app.take("scale-sets"))
    run = await app.run()
    assert run.state == "awaiting_approval"

    while not app.teams.messages:  # one that comes before the group wait is over leaves another one
        await app.feed("notify", await app.take("notices"))
    card = json.dumps((await app.teams.wait_for(len))[0].body)
    assert "approve" in card

    word = {"actor": "ana", "comment": "go", "checksum": run.people.checksum}
    status, said = await app.call(
        "respond", method="POST", params={**PLACE, "action": "approve"}, body=json.dumps(word).encode()
    )
    assert status == 202, said
    await app.feed("advance", await app.take("runs"))
    run = await app.run()
    assert run.state == "scheduled"
    assert any(entry.actor == "ana" for entry in run.story.history)
    assert app.azure.ledger.starts() == [], "the lead time is a day"

    for function, params, shows in (
        ("report_waves", {}, TRACKING_ID),
        ("report_waves_json", {}, '"needs_person":'),
        ("report_wave", {"wave": TRACKING_ID}, "<!doctype html"),
        ("report_wave", {"wave": f"{TRACKING_ID}.json"}, '"runs":'),
        ("report_wave", {"wave": f"{TRACKING_ID}.ics"}, "BEGIN:VCALENDAR"),
        ("report_wave", {"wave": f"{TRACKING_ID}.csv"}, "tracking_id,"),
        ("report_run", PLACE, "<!doctype html"),
        ("report_run", {**PLACE, "name": "web.json"}, '"history":'),
    ):
        status, said = await app.call(function, params=params)
        assert status == 200, (function, params)
        assert shows in said.lower() or shows in said, (function, params, said[:300])


async def test_the_timer_sweeps(app: App) -> None:
    tick = TimerTick(at=datetime.now(UTC))
    assert await invoke((await load_app(ROOT))["sweep"], tick) is None
    state = await app.records.read(SWEEP_STATE)
    assert state is not None
    assert json.loads(state.body)["swept_at"]


async def test_the_timer_empties_the_poison_queues_whatever_lies_there(app: App) -> None:
    garbage = {"text": "%%% not base64 %%%", "bytes": base64.b64encode(b"\xff\xfe").decode()}
    for queue in QUEUED.values():
        client = app.queues.get_queue_client(f"{queue}-poison")
        await client.create_queue()
        for text in garbage.values():
            await client.send_message(text)
    await invoke((await load_app(ROOT))["sweep"], TimerTick(at=datetime.now(UTC)))
    kept = [await app.records.read(line.path) for line in await app.records.list(QUARANTINE)]
    found = Counter(json.loads(one.body)["source"] for one in kept if one)
    assert found == dict.fromkeys(QUEUED.values(), 2)
    for queue in QUEUED.values():
        properties = await app.queues.get_queue_client(f"{queue}-poison").get_queue_properties()
        assert properties.approximate_message_count == 0


async def test_no_function_listens_to_a_poison_queue() -> None:
    """What the host cannot decode it would take again and again, out of the sweep's reach."""
    for one in (await load_app(ROOT)).values():
        assert not str(one.trigger.setting("queueName", "")).endswith("-poison")


@pytest.mark.parametrize(("function", "queue"), QUEUED.items())
async def test_each_queue_has_a_function_that_takes_its_messages_one_by_one(
    app: App, function: str, queue: str
) -> None:
    found = (await load_app(ROOT))[function]
    assert found.trigger.setting("queueName") == queue
    assert found.trigger.setting("connection") == "AzureWebJobsStorage"
    await app.feed(function, "none of ours")
    assert await app.take(f"{queue}-poison") == "none of ours"
    await app.feed(function, '{"v": 99}')
    client = app.queues.get_queue_client(queue)
    assert (await client.get_queue_properties()).approximate_message_count == 1
    assert await client.peek_messages() == [], "a newer message waits five minutes"


async def test_health_and_links_answer_without_a_key_and_everything_else_needs_one(app: App) -> None:
    functions = await load_app(ROOT)
    levels = {
        name: one.trigger.setting("authLevel").upper()
        for name, one in functions.items()
        if one.trigger.type == "httpTrigger"
    }
    assert set(levels) == HTTP
    assert {name for name, level in levels.items() if level == "ANONYMOUS"} == {"health", "link"}
    assert {level for name, level in levels.items() if name not in {"health", "link"}} == {"FUNCTION"}
    status, said = await app.call("health")
    assert (status, json.loads(said)["status"]) == (200, "ok")


async def test_bad_requests_are_answered_by_the_functions_themselves(app: App) -> None:
    empty = {"Content-Length": "0"}
    assert (await app.call("receive", method="POST", headers=empty))[0] == 400
    launch = {**PLACE, "action": "launch"}
    assert (await app.call("respond", method="POST", params=launch, headers=empty))[0] == 400
    assert (await app.call("report_wave", params={"wave": "../x"}))[0] in {400, 404}
    assert (await app.call("report_wave", params={"wave": "NONE-123"}))[0] == 404
    assert (await app.call("report_run", params=PLACE))[0] == 404
    assert (await app.call("link", params={"token": "nonsense", "rest": ""}))[0] == 403


async def test_no_function_takes_a_body_that_did_not_arrive_as_it_was_sent(app: App) -> None:
    functions = await load_app(ROOT)
    taking = [name for name in sorted(HTTP) if "POST" in functions[name].trigger.setting("methods", ())]
    assert len(taking) > len(REPORTS)
    for name in taking:
        lost = await app.call(name, method="POST", headers={"Transfer-Encoding": "chunked"})
        assert (name, lost[0]) == (name, 411)
        packed = await app.call(name, method="POST", headers={"Content-Encoding": "gzip"}, body=b"{}")
        assert (name, packed[0]) == (name, 415)


async def test_whatever_answers_get_answers_head(app: App) -> None:
    for name, one in (await load_app(ROOT)).items():
        if name in HTTP:
            methods = set(one.trigger.setting("methods"))
            assert ("GET" in methods) is ("HEAD" in methods), name


async def test_head_is_answered_as_get_without_the_body(app: App) -> None:
    for function, params in (("report_waves", {}), ("report_wave", {"wave": "NONE-123"}), ("health", {})):
        status, body = await app.call(function, method="GET", params=params)
        assert (status, bool(body)) == (404 if params else 200, True)
        assert await app.call(function, method="HEAD", params=params) == (status, "")
    assert await app.call("link", method="HEAD", params={"token": "nonsense", "rest": ""}) == (403, "")


async def test_a_wrong_setting_loses_no_alert_and_stops_every_start(app: App, monkeypatch) -> None:
    """Action groups do not send again what was answered 500."""
    monkeypatch.setenv("BREAKWATER_POLL_INTERVAL", "1m")
    sys.modules["function_app"].wiring.cache_clear()
    body = json.dumps(app.azure.alert(TRACKING_ID)).encode()
    status, said = await app.call("receive", method="POST", body=body)
    assert (status, json.loads(said)["status"]) == (202, "accepted")
    status, said = await app.call("health", method="GET")
    assert (status, json.loads(said)["status"]) == (200, "stopped")
    assert "BREAKWATER_POLL_INTERVAL" in json.loads(said)["stopped_by"]


async def test_no_path_fits_two_route_templates() -> None:
    functions = await load_app(ROOT)
    routes = {
        name: Route.of(one.trigger.setting("route"), one.trigger.setting("methods", ()))
        for name, one in functions.items()
        if one.trigger.type == "httpTrigger"
    }
    values = {
        "wave": (TRACKING_ID, f"{TRACKING_ID}.json", "health", "alerts", "waves.json"),
        "subscription": (SUBSCRIPTION, "x"),
        "group": ("rg", "waves"),
        "name": ("web", "web.json", "approve"),
        "action": ("approve", "resume", "web"),
    }
    tried = 0
    for route in routes.values():
        parameters = [key for key in values if f"{{{key}}}" in route.template]
        for chosen in product(*(values[key] for key in parameters)):
            path = route.template
            for key, value in zip(parameters, chosen, strict=True):
                path = path.replace(f"{{{key}}}", value)
            for method in ("GET", "POST"):
                fits = [name for name, one in routes.items() if one.match(method, path) is not None]
                assert len(fits) <= 1, (method, path, fits)
                tried += len(fits)
    assert tried > 200


def test_importing_the_app_pulls_in_no_client_and_no_templates() -> None:
    code = "import function_app, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    modules = json.loads(done.stdout)
    heavy = ("azure.mgmt", "azure.storage", "azure.identity", "jinja2", "aiohttp", "icalendar", "yaml", "nh3")
    found = [module for module in modules if module.startswith(heavy)]
    assert "function_app" in modules
    assert "handlers.wiring" in modules
    assert found == []
