"""Hosts beside each other, and how a host ends."""

import asyncio
import json
import socket
import sys
from collections import Counter
from pathlib import Path

import pytest

from simulator.host import HostProcess
from simulator.host.process import HostNotStartedError
from tests.eventually import eventually
from tests.host.work import APPS, Work, listens


async def test_two_hosts_share_queues_and_timers_and_the_survivor_goes_on(work: Work) -> None:
    bodies = [f"piece {number}" for number in range(40)]
    await work.send("held", *bodies)
    one, other = (work.host(TICK="* * * * * *") for _ in range(2))
    async with one, other:
        # With a full batch running, more than newBatchThreshold are: neither host takes another.
        taken = await work.recorded("held", 32)
        assert list(Counter(record["pid"] for record in taken).values()) == [16, 16]
        assert len(await work.peeked("held")) == 8
        work.let_go()
        done = await work.recorded("let go", 40)
        await work.emptied("held")
        ticks = await work.recorded("tick", 4)
        await one.stop()
        ticks = await work.recorded("tick", len(ticks) + 3)
    assert sorted(record["body"] for record in done) == sorted(bodies)
    assert ticks[-1]["pid"] == other.worker_pid


async def test_a_stopped_host_finishes_what_it_can_gives_back_the_rest_and_exits_0(work: Work) -> None:
    await work.send("held", "last words", "endless")
    host = work.host()
    async with host:
        await work.recorded("held", 2)
        stopping = asyncio.create_task(host.stop())
        await eventually(lambda: not listens(host.url), within=15, why="a stopping host closes its port")
        work.let_go("last words")
        assert await stopping == 0
        assert [record["body"] for record in work.records("let go")] == ["last words"]
        await host.start()
        await host.wait_ready()
        again = (await work.recorded("held", 3))[-1]
        assert (again["body"], again["count"]) == ("endless", 2)
        work.let_go()
        await work.emptied("held")
    assert len(work.records("at start")) == 2, "a timer with runOnStartup runs at every start"


async def test_an_app_the_worker_refuses_is_explained_and_ends_the_host_with_1() -> None:
    host = HostProcess(app=APPS / "broken")
    await host.start()
    with pytest.raises(HostNotStartedError) as refused:
        await host.wait_ready()
    assert await host.wait() == 1
    assert "cannot run" in str(refused.value)
    assert "relay" in str(refused.value)
    assert "out" in str(refused.value)


async def test_a_taken_port_is_explained_and_ends_the_host_with_1(work: Work) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        host = HostProcess(app=APPS / "work", env=work.env, port=taken.getsockname()[1])
        await host.start()
        assert await host.wait() == 1
    assert "choose another: make host PORT=" in host.log


async def test_host_and_azurite_end_with_their_starter_however_it_ends(tmp_path: Path) -> None:
    starter = await asyncio.create_subprocess_exec(
        sys.executable,
        Path(__file__).with_name("starter.py"),
        APPS / "work",
        tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    assert starter.stdout
    urls = json.loads(await starter.stdout.readline())
    assert all(listens(url) for url in urls)
    starter.kill()
    await starter.wait()
    await eventually(
        lambda: not any(listens(url) for url in urls), within=30, why="both end with their starter"
    )
