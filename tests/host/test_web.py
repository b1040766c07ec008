"""The HTTP trigger."""

import asyncio
import os
import socket
import sys
from pathlib import Path

import aiohttp

from simulator import azurite as emulator
from tests.eventually import eventually
from tests.host.work import APPS, Work


async def test_requests_reach_functions_in_the_order_of_their_names_as_the_worker_sees_them(
    work: Work,
) -> None:
    async with work.host() as host, aiohttp.ClientSession(f"{host.url}/api/") as client:
        async with client.get("pages/special") as answer:
            assert (answer.status, await answer.text()) == (200, "page special")
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        async with client.post(
            "pages/a%20b/c?x=1&x=2&name=%C3%A4", data="hello", headers={"X-Token": "t"}
        ) as answer:
            assert answer.status == 201
            assert answer.headers["X-Kind"] == "everything"
            assert await answer.json(content_type=None) == {
                "method": "POST",
                "rest": "a b/c",
                "query": {"x": "1,2", "name": "ä"},
                "token": "t",
                "body": "hello",
            }
        for method, path in (("GET", "nowhere"), ("GET", "/pages/special")):
            async with client.request(method, path) as answer:
                assert answer.status == 404
        async with client.get("failing") as answer:
            assert answer.status == 500
            assert "secret" not in await answer.text()
        await eventually(
            lambda: "ValueError: secret detail" in host.log, within=15, why="the host's own log says why"
        )


async def test_a_host_that_makes_its_key_says_it(work: Work) -> None:
    environment = {**os.environ, **work.env}
    environment.pop("BREAKWATER_HOST_KEY", None)
    running = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "simulator.host", "--leash", "--port", "0", "--app", APPS / "work",
        cwd=APPS.parents[2],
        env=environment,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert running.stdout is not None
    assert running.stderr is not None
    address = (await running.stdout.readline()).decode().strip()
    await running.stderr.readuntil(b"BREAKWATER_HOST_KEY=): ")
    key = (await running.stderr.readline()).decode().strip()
    async with aiohttp.ClientSession() as client, client.get(f"{address}/api/guarded?code={key}") as answer:
        assert answer.status == 200
    running.terminate()
    await running.communicate()


async def test_the_host_answers_before_storage_is_there_and_works_once_it_is(
    tmp_path: Path,
) -> None:
    ports = emulator.Ports(*_free_ports(3))
    async with (
        Work(emulator.connection_string(ports), tmp_path) as work,
        work.host() as host,
        aiohttp.ClientSession() as client,
    ):
        async with client.get(f"{host.url}/api/pages/a") as answer:
            assert answer.status == 200
        await eventually(lambda: "cannot be read" in host.log, within=30, why="the host misses its storage")
        with await asyncio.to_thread(emulator.start, ports):
            await work.send("fine", "at last")
            await work.recorded("fine", 1)
            await work.recorded("at start", 1)


def _free_ports(number: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports
