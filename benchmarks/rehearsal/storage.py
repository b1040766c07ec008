"""Records and queues in memory, quick for thousands of documents, every transaction counted.

Other work goes on at each of them, as it does while storage answers.
"""

import asyncio
import heapq
import itertools
from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from handlers.cloud.names import RUNS_PREFIX
from handlers.cloud.queues import LONGEST_WAIT
from handlers.cloud.records import Listed, Stored
from handlers.wire.bundles import bundled
from handlers.wire.ids import QUEUES, poison
from tests.world.chaos import Chaos
from tests.world.storage import MemoryRecords

STAGE: ContextVar[str] = ContextVar("stage", default="")
"""Whose work is done."""

SUBJECT: ContextVar[str] = ContextVar("subject", default="")
"""The scale set it is done for, by name; empty for what is done for all of them."""

A_PAGE = 5000
"""Documents that one page of a listing holds."""


class CountedRecords(MemoryRecords):
    """`used` counts transactions by kind and stage, `of` by scale set; `watch` is told each write of a run."""

    def __init__(self, now: Callable[[], datetime], watch: Callable[[str, Mapping[str, str]], None]) -> None:
        super().__init__(now, Chaos())
        self.used: Counter[tuple[str, str]] = Counter()
        self.of: Counter[str] = Counter()
        self._watch = watch
        self._order: list[str] = []

    async def _counted(self, kind: str, times: int = 1) -> None:
        self.used[kind, STAGE.get()] += times
        self.of[SUBJECT.get()] += times
        await asyncio.sleep(0)

    async def write(
        self, path: str, body: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        await self._counted("write")
        first = path not in self.documents
        new = await super().write(path, body, etag=etag, metadata=metadata)
        if first:
            insort(self._order, path)
        if path.startswith(RUNS_PREFIX):
            self._watch(path, metadata or {})
        return new

    async def read(self, path: str) -> Stored | None:
        await self._counted("read")
        return await super().read(path)

    async def list(self, prefix: str) -> list[Listed]:
        found = []
        for path in itertools.islice(self._order, bisect_left(self._order, prefix), None):
            if not path.startswith(prefix):
                break
            stored, created = self.documents[path]
            found.append(Listed(path, stored.etag, stored.metadata, created, self._modified[path]))
        await self._counted("list", max(1, ceil(len(found) / A_PAGE)))
        return found

    async def delete(self, path: str, *, etag: str | None = None) -> None:
        await self._counted("delete")
        there = path in self.documents
        await super().delete(path, etag=etag)
        if there and path not in self.documents:
            del self._order[bisect_left(self._order, path)]


@dataclass(slots=True, order=True)
class Waiting:
    """A message; `by` is the stage that sent it."""

    visible: datetime
    number: int
    queue: str
    text: str
    by: str
    tries: int = 0


class CountedQueues:
    """All queues in one, in the order in which their messages become visible."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.sent: Counter[tuple[str, str]] = Counter()
        self._now = now
        self._waiting: list[Waiting] = []
        self._numbers = itertools.count()

    async def send(self, queue: str, message: Any, *, delay: timedelta = timedelta(0)) -> None:
        await self.send_text(queue, message.model_dump_json(), delay=delay)

    async def send_together(
        self, queue: str, messages: Sequence[Any], *, delay: timedelta = timedelta(0)
    ) -> None:
        for text in bundled(messages):
            await self.send_text(queue, text, delay=delay)

    async def send_text(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        self.sent[queue, STAGE.get()] += 1
        # Storage takes whole seconds.
        wait = timedelta(seconds=ceil(max(timedelta(0), min(delay, LONGEST_WAIT)).total_seconds()))
        self.put(Waiting(self._now() + wait, next(self._numbers), queue, text, STAGE.get()))
        await asyncio.sleep(0)

    async def lengths(self) -> dict[str, int]:
        names = [*QUEUES, *(poison(one) for one in QUEUES)]
        return {name: sum(one.queue == name for one in self._waiting) for name in names}

    def put(self, message: Waiting) -> None:
        heapq.heappush(self._waiting, message)

    def next_at(self) -> datetime | None:
        return self._waiting[0].visible if self._waiting else None

    def take(self, most: int) -> list[Waiting]:
        taken: list[Waiting] = []
        while self._waiting and len(taken) < most and self._waiting[0].visible <= self._now():
            taken.append(heapq.heappop(self._waiting))
        return taken
