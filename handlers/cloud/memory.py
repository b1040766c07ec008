"""Records and queues that live in memory: the stages run on them, and nothing outside this process changes.

They keep what the protocols rely on: etags, conflicts, listings in order of the paths, delays.
"""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import override

from handlers.cloud.queues import LONGEST_WAIT, Queues
from handlers.cloud.records import Absent, Conflict, Listed, Records, Stored
from handlers.wire.ids import QUEUES, poison


class MemoryRecords(Records):
    """Documents by path. `now` stamps them (aware UTC)."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.documents: dict[str, tuple[Stored, datetime]] = {}
        """Each document, and when it was created."""
        self._modified: dict[str, datetime] = {}
        self._now = now
        self._etags = itertools.count(1)

    @override
    async def write(
        self, path: str, body: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        known = self.documents.get(path)
        if (known[0].etag if known is not None else None) != etag:
            raise Conflict(f"Writing {path}: somebody wrote in between.")
        self._modified[path] = self._now()
        created = known[1] if known is not None else self._modified[path]
        new = f"e{next(self._etags)}"
        self.documents[path] = (Stored(path, body, new, dict(metadata or {})), created)
        return new

    @override
    async def read(self, path: str) -> Stored | None:
        known = self.documents.get(path)
        return known[0] if known is not None else None

    @override
    async def read_if_changed(self, path: str, etag: str) -> Stored | None:
        stored = await self.read(path)
        if stored is None:
            raise Absent(path)
        return None if stored.etag == etag else stored

    @override
    async def list(self, prefix: str) -> list[Listed]:
        return [
            Listed(path, stored.etag, stored.metadata, created, self._modified.get(path, created))
            for path, (stored, created) in sorted(self.documents.items())
            if path.startswith(prefix)
        ]

    @override
    async def delete(self, path: str, *, etag: str | None = None) -> None:
        known = self.documents.get(path)
        if known is not None and etag not in {None, known[0].etag}:
            raise Conflict(f"Deleting {path}: somebody wrote in between.")
        self.documents.pop(path, None)
        self._modified.pop(path, None)

    @override
    async def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message on a queue, and when it becomes visible (aware UTC)."""

    queue: str
    text: str
    visible: datetime


class MemoryQueues(Queues):
    """Messages in the order in which they were sent."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.waiting: list[Waiting] = []
        self._now = now

    @override
    async def send_text(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        visible = self._now() + max(timedelta(0), min(delay, LONGEST_WAIT))
        self.waiting.append(Waiting(queue, text, visible))

    def drain(self, queue: str) -> list[str]:
        """Every message of a queue, whenever it becomes visible; they are gone from it afterwards."""
        taken = [message.text for message in self.waiting if message.queue == queue]
        self.waiting = [message for message in self.waiting if message.queue != queue]
        return taken

    @override
    async def lengths(self) -> dict[str, int]:
        names = [*QUEUES, *(poison(queue) for queue in QUEUES)]
        return {name: sum(message.queue == name for message in self.waiting) for name in names}

    @override
    async def close(self) -> None:
        pass
