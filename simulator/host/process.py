"""A host as a process of its own: for tests and the demo, which kill it, stop it and start several."""

import asyncio
import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator.host.keys import HEADER, SETTING

ROOT = Path(__file__).resolve().parents[2]


class HostNotStartedError(RuntimeError):
    """The host ended before it answered; the message carries what it wrote."""


class HostProcess:
    """One `python -m simulator.host`; as an async context manager it is started, awaited and stopped.

    It ends with the process that started it, even when that one is killed.
    """

    def __init__(
        self,
        *,
        app: Path = ROOT,
        env: Mapping[str, str] | None = None,
        port: int = 0,
        lock_seconds: int = 600,
        timeout: float | None = None,
        wire: Path | None = None,
        log_level: str = "WARNING",
    ) -> None:
        """`env` is added to this process's environment; port 0 takes a free one, kept over a restart.

        The others as `python -m simulator.host --help` has them.
        """
        self._app = app
        self._env = {**os.environ, **(env or {})}
        self.key = self._env[SETTING] = self._env.get(SETTING, "").strip() or secrets.token_urlsafe(32)
        """What callers of its HTTP functions show; the same over a restart."""
        self._port = port
        self._switches = ["--lock-seconds", str(lock_seconds), "--log-level", log_level]
        self._switches += ["--timeout", str(timeout)] if timeout is not None else []
        self._switches += ["--wire", str(wire)] if wire else []
        self._process: asyncio.subprocess.Process | None = None
        self._readers: list[asyncio.Task[None]] = []
        self._ready: asyncio.Future[str] | None = None
        self._written: list[str] = []

    @property
    def url(self) -> str:
        """Where the HTTP triggers answer, as http://127.0.0.1:port; known once ready."""
        if self._ready is None or not self._ready.done():
            raise RuntimeError("The host is not ready: await wait_ready() first.")
        return self._ready.result()

    @property
    def ready(self) -> bool:
        """Whether it has answered since its last start."""
        return self._ready is not None and self._ready.done()

    @property
    def headers(self) -> dict[str, str]:
        """What a client sends to be let in."""
        return {HEADER: self.key}

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running().pid

    @property
    def worker_pid(self) -> int:
        """The id of the process that runs the app now, as the host has last said it."""
        return int(re.findall(r"The worker is process (\d+)\.", self.log)[-1])

    @property
    def log(self) -> str:
        """All it has written so far, standard output and error."""
        return "".join(self._written)

    async def start(self) -> None:
        """Start the process; a stopped or killed host can be started again, on the same port."""
        self._ready = asyncio.get_running_loop().create_future()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "simulator.host", "--leash",
            "--app", str(self._app), "--port", str(self._port),
            *self._switches,
            cwd=ROOT,
            env=self._env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            asyncio.create_task(self._read(self._process.stdout, first_is_address=True)),
            asyncio.create_task(self._read(self._process.stderr, first_is_address=False)),
        ]

    async def wait_ready(self, within: float = 30.0) -> str:
        """Wait until it answers HTTP; its address.

        Raises:
            HostNotStartedError: it ended instead.
            TimeoutError: neither happened within so many seconds.
        """
        assert self._ready is not None
        waiting: list[asyncio.Future[Any]] = [self._ready, asyncio.ensure_future(self.wait())]
        try:
            await asyncio.wait(waiting, timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting[1].cancel()
        if self._ready.done():
            return self._ready.result()
        if self._running().returncode is not None:
            raise HostNotStartedError(f"The host ended with status {self._running().returncode}:\n{self.log}")
        raise TimeoutError(f"The host did not answer within {within} s:\n{self.log}")

    async def wait(self) -> int:
        """Wait until the process has ended; its exit status."""
        status = await self._running().wait()
        await asyncio.wait(self._readers)
        return status

    async def kill(self) -> None:
        """SIGKILL: nothing is cleaned up, taken messages stay invisible until their lock runs out."""
        if self._running().returncode is None:
            self._running().kill()
        await self.wait()

    async def stop(self) -> int:
        """SIGTERM and wait; the exit status."""
        if self._running().returncode is None:
            self._running().terminate()
        return await self.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        try:
            await self.wait_ready()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def _read(self, stream: asyncio.StreamReader, *, first_is_address: bool) -> None:
        while line := await stream.readline():
            text = line.decode(errors="replace")
            assert self._ready is not None
            if first_is_address and not self._ready.done() and text.startswith("http://"):
                self._ready.set_result(text.strip())
                self._port = int(text.strip().rpartition(":")[2])
            self._written.append(text)

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("The host was never started.")
        return self._process
