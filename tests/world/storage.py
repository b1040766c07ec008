"""Records and queues in memory, with the semantics of the real ones that the protocols rely on."""

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from handlers.cloud.names import QUEUES, poison
from handlers.cloud.queues import LONGEST_WAIT
from handlers.cloud.records import Absent, Conflict, Listed, StorageDown, Stored
from tests.world.chaos import Chaos


class MemoryRecords:
    def __init__(self, now: Callable[[], datetime], chaos: Chaos) -> None:
        self.documents: dict[str, tuple[Stored, datetime]] = {}
        self.writes = 0
        self.watching: list[Callable[[str, bytes], None]] = []
        self._now, self._chaos = now, chaos
        self._etags = itertools.count(1)

    async def _step(self) -> None:
        await self._chaos.step()
        if self._chaos.happens(self._chaos.storage):
            raise StorageDown("Storage does not answer.")

    async def create(self, path: str, body: bytes, metadata: Mapping[str, str] | None = None) -> str:
        return await self.write(path, body, etag=None, metadata=metadata)

    async def write(
        self, path: str, body: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        await self._step()
        known = self.documents.get(path)
        if (known[0].etag if known else None) != etag:
            raise Conflict(path)
        new = f"e{next(self._etags)}"
        created = known[1] if known else self._now()
        self.documents[path] = (Stored(path, body, new, dict(metadata or {})), created)
        self.writes += 1
        for watch in self.watching:
            watch(path, body)
        await self._chaos.step()
        return new

    async def read(self, path: str) -> Stored | None:
        await self._step()
        known = self.documents.get(path)
        return known[0] if known else None

    async def read_if_changed(self, path: str, etag: str) -> Stored | None:
        stored = await self.read(path)
        if stored is None:
            raise Absent(path)
        return None if stored.etag == etag else stored

    async def list(self, prefix: str) -> list[Listed]:
        await self._step()
        return [
            Listed(path, stored.etag, stored.metadata, created, created)
            for path, (stored, created) in sorted(self.documents.items())
            if path.startswith(prefix)
        ]

    async def delete(self, path: str, *, etag: str | None = None) -> None:
        await self._step()
        known = self.documents.get(path)
        if known is not None and etag not in {None, known[0].etag}:
            raise Conflict(path)
        self.documents.pop(path, None)


@dataclass
class Queued:
    queue: str
    text: str
    visible: datetime
    number: int
    tries: int = 0


@dataclass
class MemoryQueues:
    now: Callable[[], datetime]
    chaos: Chaos
    waiting: list[Queued] = field(default_factory=list)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))

    async def send(self, queue: str, message, *, delay: timedelta = timedelta(0)) -> None:
        await self.send_text(queue, message.model_dump_json(), delay=delay)

    async def send_text(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        await self.chaos.step()
        if self.chaos.happens(self.chaos.storage):
            raise StorageDown("Storage does not answer.")
        assert delay <= LONGEST_WAIT or queue == "runs"
        visible = self.now() + min(delay, LONGEST_WAIT)
        self.waiting.append(Queued(queue, text, visible, next(self.numbers)))
        await self.chaos.step()

    async def lengths(self) -> dict[str, int]:
        names = [*QUEUES, *(poison(one) for one in QUEUES)]
        return {name: sum(one.queue == name for one in self.waiting) for name in names}

    def next_at(self) -> datetime | None:
        return min((one.visible for one in self.waiting), default=None)

    def take(self, most: int) -> list[Queued]:
        ready = sorted((one for one in self.waiting if one.visible <= self.now()), key=lambda one: one.number)
        self.chaos.random.shuffle(ready)
        taken = ready[:most]
        for one in taken:
            self.waiting.remove(one)
        return taken
