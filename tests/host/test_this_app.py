"""The product's own function app under the local host."""

import aiohttp

from simulator.host import HostProcess
from simulator.host.process import ROOT
from simulator.host.worker import load_app
from tests.eventually import eventually
from tests.host.probe import ask


async def test_every_function_of_this_app_indexes_with_triggers_the_host_carries_out() -> None:
    functions = await load_app(ROOT)
    queues = {
        one.trigger.setting("queueName") for one in functions.values() if one.trigger.type == "queueTrigger"
    }
    assert {"alerts", "scale-sets", "runs", "notices"} <= queues
    assert {one.trigger.setting("schedule") for one in functions.values()} - {None}
    assert all(one.returns_to is None for one in functions.values()), "messages go out through the SDK"


async def test_this_app_answers_under_the_host_and_stops_quietly(storage: str) -> None:
    host = HostProcess(env={"AzureWebJobsStorage": storage, "BREAKWATER_SWEEP_SCHEDULE": "0 0 0 1 1 *"})
    async with host, aiohttp.ClientSession() as client:

        async def healthy() -> bool:
            async with client.get(f"{host.url}/api/health") as answer:
                return answer.status == 200

        await eventually(healthy, within=30, why="storage is there and the app says so")
        async with client.post(f"{host.url}/api/alerts", data=b"no alert", headers=host.headers) as answer:
            assert answer.status == 400
        chunked = await ask(
            host.url,
            "/api/alerts",
            method="POST",
            headers={**host.headers, "Transfer-Encoding": "chunked"},
            body=b"an alert",
        )
        assert (chunked.status, "Content-Length" in chunked.said["reason"]) == (411, True)
        page = await ask(host.url, "/api/waves", method="HEAD", headers=host.headers)
        assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert (await ask(host.url, "/")).status == 204, "the default page is off"
        assert await host.stop() == 0
    assert "Unclosed" not in host.log
    assert "ERROR" not in host.log
