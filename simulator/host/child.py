"""One worker process: what is asked of it, what it answers, what it logs, and how it ends."""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from simulator.host import framing
from simulator.host.conversation import WorkerLost

ROOT = Path(__file__).resolve().parents[2]
_LEVELS = {0: 5, 1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR, 5: logging.CRITICAL}
_KEYS = {
    "function_load_request": "function_id",
    "function_load_response": "function_id",
    "invocation_request": "invocation_id",
    "invocation_response": "invocation_id",
}


class Child:
    """A running worker."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        watch: Callable[[str, Any], None],
    ) -> None:
        self._process = process
        self._writer = writer
        self._watch = watch
        self._waiting: dict[str, tuple[asyncio.Future[Any], str]] = {}
        self._failed = ""
        self._reading = asyncio.create_task(self._read(reader))

    @classmethod
    async def start(cls, app: Path, level: str, watch: Callable[[str, Any], None]) -> Self:
        """Start the process; it has loaded nothing yet."""
        ours, theirs = socket.socketpair()
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "simulator.host.worker_process",
                str(theirs.fileno()), level, str(app),
                cwd=ROOT,
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
            )  # fmt: skip
        reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 20)
        return cls(process, reader, writer, watch)

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    async def ask(self, message: Any, *, about: str = "") -> Any:
        """Send a message and wait for the one that answers it, for ever if it is killed meanwhile.

        `about` names the function in whose log the app's records belong until then.

        Raises:
            WorkerLost: it died, or `fail` was called.
        """
        if self._failed:
            raise WorkerLost(self._failed)
        answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        key = _key(message)
        self._waiting[key] = answered, about
        self._watch("host", message)
        self._writer.write(framing.framed(message))
        try:
            return await answered
        finally:
            self._waiting.pop(key, None)

    def fail(self, why: str) -> None:
        """Let everything that waits for an answer fail."""
        self._failed = why
        for answered, _ in self._waiting.values():
            if not answered.done():
                answered.set_exception(WorkerLost(why))

    async def ended(self) -> int:
        """Wait for the end of the process; its exit status, negative for a signal."""
        return await self._process.wait()

    async def kill(self) -> None:
        """End it as it is; who waits for an answer waits on."""
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        self._reading.cancel()
        self._writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while (message := await framing.read(reader)) is not None:
            self._watch("worker", message)
            if message.WhichOneof("content") == "rpc_log":
                self._log(message.rpc_log)
            elif (found := self._waiting.get(_key(message))) and not found[0].done():
                found[0].set_result(message)

    def _log(self, said: Any) -> None:
        """Show a record under its function, as Application Insights does; the app's logger is not told."""
        found = self._waiting.get(said.invocation_id)
        category = f"Function.{found[1]}.User" if found else "Worker"
        logging.getLogger(category).log(_LEVELS.get(said.level, logging.INFO), "%s", said.message)


def _key(message: Any) -> str:
    """What a question and its answer share."""
    kind: str = message.WhichOneof("content")
    if kind in _KEYS:
        return str(getattr(getattr(message, kind), _KEYS[kind]))
    return kind.replace("functions_metadata", "function_metadata").rpartition("_")[0]
