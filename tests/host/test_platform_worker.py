"""What the real host does with its worker, row by row of docs/platform.md; the local host does the same."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from simulator.host import FunctionError, HttpCall
from simulator.host.channel import MOST_DEATHS, Channel
from simulator.host.settings import Switches
from tests.eventually import eventually
from tests.host.probe import APP, Probe, ask
from tests.host.work import listens


class Called(Channel):
    """A channel whose HTTP functions are called by name."""

    async def load(self) -> None:
        self._functions = await self.start()

    async def call(self, name: str, **params: str) -> Any:
        return await self.invoke(self._functions[name], HttpCall(params=params))


@asynccontextmanager
async def channel(probe: Probe, monkeypatch: pytest.MonkeyPatch, **more: Any) -> AsyncIterator[Called]:
    """The probe app in a worker of its own, without a host in front of it."""
    for name, value in probe.env.items():
        monkeypatch.setenv(name, value)
    running = Called(APP, timeout=timedelta(minutes=5), **more)
    await running.load()
    try:
        yield running
    finally:
        await running.stop()


@pytest.fixture
async def probe(storage: str, tmp_path: Path):
    async with Probe(storage, tmp_path) as made:
        yield made


async def test_a_function_over_its_time_takes_the_worker_along_and_what_else_ran_hangs_until_its_own_time_is_over(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    deadlines: list[asyncio.Timeout] = []

    def deadline(seconds: float) -> asyncio.Timeout:
        """One that is over when the test says so."""
        assert seconds == 300
        deadlines.append(asyncio.timeout(None))
        return deadlines[-1]

    def over(number: int) -> None:
        deadlines[number].reschedule(asyncio.get_running_loop().time())

    async with channel(probe, monkeypatch, deadline=deadline) as running:
        slow = [asyncio.create_task(running.call("slow", s="60")) for _ in range(2)]
        await probe.recorded("slow", 2)
        first = await running.pid()
        over(0)
        with pytest.raises(FunctionError, match=r"exceeded by function: Functions\.slow"):
            await slow[0]
        second = await running.pid()
        assert second != first
        assert (await running.call("one", a="x")).http.status_code == "200"
        assert not slow[1].done(), "it ran on the first worker, and hears nothing"
        over(1)
        with pytest.raises(FunctionError, match="exceeded by function"):
            await slow[1]
        assert await running.pid() != second, "which restarts the second, whose fault it was not"
        assert (await running.call("one", a="x")).http.status_code == "200"


async def test_a_worker_that_blocks_is_killed_when_the_time_is_over_and_its_message_is_tried_again(
    probe: Probe,
) -> None:
    await probe.send("fails", "block60")
    async with probe.host(timeout=1) as host:
        request = asyncio.create_task(ask(host.url, "/api/slow/60"))
        first, again = (await probe.recorded("fails", 2))[:2]
        assert (await request).status == 500
    assert (first["count"], again["count"]) == (1, 2)
    assert first["pid"] != again["pid"]


async def test_a_worker_that_stands_still_for_a_while_loses_nothing(probe: Probe) -> None:
    async with probe.host() as host:
        os.kill(host.worker_pid, signal.SIGSTOP)
        waiting = asyncio.create_task(ask(host.url, "/api/e/x"))
        assert (await asyncio.wait([waiting], timeout=0.3))[1], "nobody answers"
        os.kill(host.worker_pid, signal.SIGCONT)
        assert (await waiting).status == 200


async def test_what_a_worker_had_taken_when_it_died_comes_back_after_the_lock_and_the_third_death_stops_the_host(
    probe: Probe,
) -> None:
    await probe.send("fails", "die")
    host = probe.host(lock_seconds=2)
    async with host:
        others = [asyncio.create_task(ask(host.url, "/api/slow/60"))]
        assert await host.wait() == 1
        assert not listens(host.url)
    deaths = probe.records("fails", "die")
    assert [one["count"] for one in deaths] == [1, 2, 3]
    assert len({one["pid"] for one in deaths}) == MOST_DEATHS == 3
    assert all(later["at"] - one["at"] > 1.5 for one, later in pairwise(deaths))
    assert (await others[0]).status == 500, "a request fails with the worker"
    assert await probe.left("fails") == 1
    assert "the host stops" in host.log


def test_taken_messages_are_locked_for_ten_minutes_unless_the_host_is_told_otherwise() -> None:
    assert Switches().lock == timedelta(minutes=10)


async def test_deaths_far_apart_stop_nothing(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    minutes = iter(range(0, 1000, 31))
    async with channel(probe, monkeypatch, clock=lambda: next(minutes) * 60.0) as running:
        for _ in range(MOST_DEATHS):
            dead = await running.pid()
            os.kill(dead, signal.SIGKILL)

            async def replaced(dead: int = dead) -> bool:
                return await running.pid() != dead

            await eventually(replaced, within=10, why="another is started")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(running.lost(), 0.1)


async def test_of_a_log_record_only_its_text_arrives_under_the_name_of_its_function(probe: Probe) -> None:
    async with probe.host(log_level="INFO") as host:
        assert (await ask(host.url, "/api/say")).status == 200
        await eventually(lambda: "Request URL" in host.log, within=10, why="what was logged arrives")
    assert "WARNING Function.say.User: one line of text\n" in host.log
    assert "lost on the way" not in host.log
    assert "app.of.mine" not in host.log
    # host.json of this app sets Azure.Core to Warning, which does not touch Python's SDKs.
    assert "INFO Function.say.User: Request URL: 'https://example.com'\n" in host.log
