"""What the host reads before it runs anything, and the worker in process."""

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from simulator.host import app_settings
from simulator.host.checks import enabled
from simulator.host.metadata import UnsupportedFunctionError, function
from simulator.host.settings import HostJsonError, QueueSettings, read
from tests.host.work import APPS, Work

IN_PROCESS = """
import asyncio, json, sys
from pathlib import Path
from simulator.host import FunctionError, HttpCall, QueueItem, TimerTick
from simulator.host.worker import invoke, load_app
from datetime import UTC, datetime

async def main(app, other):
    functions = await load_app(app)
    said = {"names": list(functions), "triggers": sorted({one.trigger.type for one in functions.values()})}
    page = await invoke(functions["a_page"], HttpCall(params={"name": "x"}))
    said["page"] = [page.http.status_code, page.http.body.bytes.decode()]
    said["relay"] = (await invoke(functions["relay"], QueueItem("news"))).string
    said["tick"] = await invoke(functions["ticking"], TimerTick(at=datetime(2026, 11, 22, tzinfo=UTC)))
    try:
        await invoke(functions["doomed"], QueueItem("lost"))
    except FunctionError as failed:
        said["failed"] = [str(failed), "function_app.py" in failed.trace]
    said["again"] = await load_app(app) is functions
    try:
        await load_app(other)
    except RuntimeError as refused:
        said["second"] = str(refused)
    print(json.dumps(said))

asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
"""


async def test_functions_index_and_run_in_process_under_the_real_worker_runtime(work: Work) -> None:
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-c", IN_PROCESS, APPS / "work", APPS / "broken",
        cwd=APPS.parents[2],
        env=work.env,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await running.communicate()
    said = json.loads(output.splitlines()[-1])
    assert said["names"] == sorted(said["names"])
    assert said["triggers"] == ["httpTrigger", "queueTrigger", "timerTrigger"]
    assert said["page"] == ["200", "page x"]
    assert said["relay"] == "relayed news"
    assert said["tick"] is None
    assert said["failed"] == ["ValueError: never", True]
    assert said["again"] is True
    assert "process of its own" in said["second"]


def test_host_json_is_read_with_the_real_hosts_defaults(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"queues": {"batchSize": 4}}}')
    assert read(tmp_path).queues == QueueSettings(batch_size=4, new_batch_threshold=2)
    assert read(tmp_path).route_prefix == "api"


def test_host_json_of_this_app_polls_its_queues_at_least_every_two_seconds() -> None:
    said = read(APPS.parents[2])
    assert said.queues.max_polling_interval <= timedelta(seconds=2)
    assert said.queues.visibility_timeout == timedelta(seconds=30)
    assert said.queues.base64


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "missing"),
        ("{", "not JSON"),
        ('{"functionTimeout": "5 minutes"}', "functionTimeout"),
        ('{"extensions": {"queues": {"batchSize": 64}}}', "batchSize"),
    ],
)
def test_a_host_json_that_is_wrong_says_which_part(tmp_path: Path, text: str | None, complaint: str) -> None:
    if text is not None:
        (tmp_path / "host.json").write_text(text)
    with pytest.raises(HostJsonError, match=complaint):
        read(tmp_path)


def test_settings_between_percent_signs_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWEEP", "0 */5 * * * *")
    assert app_settings.resolve("%SWEEP%") == "0 */5 * * * *"
    with pytest.raises(app_settings.MissingSettingError, match="set ABSENT"):
        app_settings.resolve("%ABSENT%")


def test_an_identity_based_connection_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("Store", raising=False)
    monkeypatch.setenv("Store__queueServiceUri", "https://example.com")
    with pytest.raises(app_settings.MissingSettingError, match="identity-based"):
        app_settings.connection("Store")


@pytest.mark.parametrize(
    "bindings",
    [
        [{"type": "blobTrigger", "name": "blob"}],
        [{"type": "queueTrigger", "name": "msg"}, {"type": "blob", "name": "$return"}],
        [{"type": "queueTrigger", "name": "msg"}, {"type": "queue", "name": "out"}],
    ],
)
def test_a_binding_this_host_cannot_carry_out_is_refused_rather_than_ignored(
    bindings: list[dict[str, str]],
) -> None:
    with pytest.raises(UnsupportedFunctionError, match="Function 'f'"):
        function("f", "id", [json.dumps(one) for one in bindings])


@pytest.mark.parametrize("route", ["admin/keys", "/Administration", "runtime"])
def test_a_route_that_begins_as_the_hosts_own_do_is_refused(route: str) -> None:
    trigger = {"type": "httpTrigger", "name": "req", "route": route}
    with pytest.raises(UnsupportedFunctionError, match="the host's own"):
        enabled({"f": function("f", "id", [json.dumps(trigger)])})
