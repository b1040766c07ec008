"""What the tests need around the sample app in apps/work."""

import base64
import contextlib
import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue.aio import QueueServiceClient

from simulator.host import HostProcess
from tests.eventually import eventually

APPS = Path(__file__).parent / "apps"


class Work:
    """One storage account, one record, one gate; hosts share them."""

    def __init__(self, storage: str, folder: Path) -> None:
        self.storage = storage
        self._record = folder / "record.jsonl"
        self._gates = folder / "gates"
        self._gates.mkdir()
        # As the host's own clients: a test of storage that is down should not wait for retries.
        self.queues = QueueServiceClient.from_connection_string(storage, retry_total=0)

    @property
    def env(self) -> dict[str, str]:
        return {
            "AzureWebJobsStorage": self.storage,
            "RECORD": str(self._record),
            "GATE": str(self._gates),
            "TICK": "0 0 0 1 1 *",
        }

    def host(self, *, lock_seconds: int = 600, **env: str) -> HostProcess:
        return HostProcess(app=APPS / "work", env={**self.env, **env}, lock_seconds=lock_seconds)

    async def send(self, queue: str, *bodies: str, alive: int | None = None) -> None:
        """`alive` is the time to live in seconds, -1 for ever, seven days without one."""
        for body in bodies:
            await self.send_raw(queue, base64.b64encode(body.encode()).decode(), alive=alive)

    async def send_raw(self, queue: str, text: str, *, alive: int | None = None) -> None:
        client = self.queues.get_queue_client(queue)
        try:
            await client.send_message(text, time_to_live=alive)
        except ResourceNotFoundError:
            with contextlib.suppress(ResourceExistsError):
                await client.create_queue()
            await client.send_message(text, time_to_live=alive)

    def records(self, what: str, body: str | None = None) -> list[dict[str, Any]]:
        if not self._record.exists():
            return []
        lines = [json.loads(line) for line in self._record.read_text().splitlines()]
        return [line for line in lines if line["what"] == what and body in {None, line.get("body")}]

    async def recorded(self, what: str, number: int, *, within: float = 30.0) -> list[dict[str, Any]]:
        """The first moment there are at least so many records of this kind."""
        await eventually(
            lambda: len(self.records(what)) >= number, within=within, why=f"{number} records of {what!r}"
        )
        return self.records(what)

    async def left(self, queue: str) -> int:
        """Messages in the queue, invisible ones too."""
        properties = await self.queues.get_queue_client(queue).get_queue_properties()
        return int(properties.approximate_message_count or 0)

    async def emptied(self, queue: str) -> None:
        async def empty() -> bool:
            return await self.left(queue) == 0

        await eventually(empty, within=30, why=f"the queue {queue} is empty")

    async def peeked(self, queue: str) -> list[str]:
        try:
            return [
                m.content for m in await self.queues.get_queue_client(queue).peek_messages(max_messages=32)
            ]
        except ResourceNotFoundError:
            return []

    def let_go(self, body: str = "all") -> None:
        """Let the function holding the message with this body return, or every one."""
        (self._gates / body).touch()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.queues.close()


def listens(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True
