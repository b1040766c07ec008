"""Records and queues in memory, with the semantics of the real ones that the protocols rely on."""

import itertools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from handlers.cloud import memory
from handlers.cloud.queues import LONGEST_WAIT
from handlers.cloud.records import Listed, StorageDown, Stored
from handlers.wire.bundles import bundled, texts_in
from handlers.wire.ids import QUEUES, poison
from simulator.lies import Liar
from tests.world.chaos import Chaos

BEARS_A_WORD: ContextVar[bool] = ContextVar("bears a word", default=False)
"""Whether what is being done is for a person's word: the message that is handled has one, or it is being said."""


SENDER: ContextVar[str] = ContextVar("sender", default="")
"""Whose work is done: the queue whose message is handled, or `sweep`."""


class MemoryRecords(memory.MemoryRecords):
    """The product's own, with what goes wrong in storage; `watching` is told each write."""

    def __init__(self, now: Callable[[], datetime], chaos: Chaos, liar: Liar | None = None) -> None:
        super().__init__(now)
        self.writes = 0
        self.watching: list[Callable[[str, bytes], None]] = []
        self.overtaken: list[Callable[[str], None]] = []
        """Told the path of each document that a lie has written a moment before."""
        self._chaos, self._liar = chaos, liar

    def _lied(self, name: str) -> bool:
        return self._liar is not None and self._liar.happens(name)

    def _overtaken(self, path: str) -> None:
        """Another host writes the same document a moment before, with nothing in it changed but the etag."""
        known = self.documents.get(path)
        if known is None or not self._lied("word-conflict" if BEARS_A_WORD.get() else "record-conflict"):
            return
        stored, created = known
        self.documents[path] = (replace(stored, etag=f"e{next(self._etags)}"), created)
        for tell in self.overtaken:
            tell(path)

    async def _step(self) -> None:
        await self._chaos.step()
        if self._chaos.happens(self._chaos.storage):
            raise StorageDown("Storage does not answer.")

    async def write(
        self, path: str, body: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        await self._step()
        self._overtaken(path)
        new = await super().write(path, body, etag=etag, metadata=metadata)
        self.writes += 1
        for watch in self.watching:
            watch(path, body)
        await self._chaos.step()
        if self._lied("lost-record"):
            raise StorageDown("The answer to the write is lost.")
        return new

    async def read(self, path: str) -> Stored | None:
        await self._step()
        return await super().read(path)

    async def list(self, prefix: str) -> list[Listed]:
        await self._step()
        # So that no sweep is held back by a write: it is to find what was lost at the first try.
        return [replace(line, modified=line.created) for line in await super().list(prefix)]

    async def delete(self, path: str, *, etag: str | None = None) -> None:
        await self._step()
        await super().delete(path, etag=etag)


def one_by_one(queue: str, text: str) -> tuple[str, ...]:
    """The messages that travel under a text: those of a bundle, else itself."""
    return texts_in(queue, text) or (text,)


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
    liar: Liar | None = None
    waiting: list[Queued] = field(default_factory=list)
    numbers: itertools.count = field(default_factory=lambda: itertools.count(1))
    watching: list[Callable[[str, str, str], None]] = field(default_factory=list)

    async def send(self, queue: str, message, *, delay: timedelta = timedelta(0)) -> None:
        await self.send_text(queue, message.model_dump_json(), delay=delay)

    async def send_together(self, queue: str, messages, *, delay: timedelta = timedelta(0)) -> None:
        for text in bundled(messages):
            await self.send_text(queue, text, delay=delay)

    async def send_text(self, queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
        await self.chaos.step()
        if self.chaos.happens(self.chaos.storage):
            raise StorageDown("Storage does not answer.")
        assert delay <= LONGEST_WAIT or queue == "runs"
        visible = self.now() + min(delay, LONGEST_WAIT)
        self.waiting.append(Queued(queue, text, visible, next(self.numbers)))
        for watch in self.watching:
            for alone in one_by_one(queue, text):
                watch(queue, alone, SENDER.get())
        await self.chaos.step()
        if self.liar is not None and self.liar.happens("lost-send"):
            raise StorageDown("The answer to the message is lost.")

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
