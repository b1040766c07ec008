"""Waves on record: read, kept while they are unchanged, written under their ETag."""

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from handlers.cloud.names import wave_path, wave_prefix
from handlers.cloud.records import Absent, Conflict, Records
from handlers.wire.documents import decode, encode, wave_metadata
from planner.azure.wave import Announcement, Wave


class Waves:
    """One worker's way to the waves, each kept as long as this lives. Every method may raise StorageDown."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records
        self._kept: dict[str, tuple[Wave, str]] = {}
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def get(self, tracking_id: str, subscription: str, generation: int = 0) -> Wave | None:
        """The wave, at least as new as `generation`; unchanged documents are not read again."""
        path = wave_path(tracking_id, subscription)
        # Sixteen plans begin at once: the first reads a large roster, the others find it kept.
        async with self._turns.setdefault(path, asyncio.Lock()):
            wave, etag = self._kept.get(path, (None, ""))
            if wave is not None and 0 < generation <= wave.generation:
                return wave
            try:
                records = self._records()
                stored = await (records.read_if_changed(path, etag) if wave else records.read(path))
            except Absent:
                self._kept.pop(path, None)
                return None
            if stored is None:
                return wave
            wave = decode(Wave, stored.body)
            self._kept[path] = (wave, stored.etag)
            return wave

    async def of(self, tracking_id: str) -> tuple[Wave, ...]:
        """The wave's records, one per subscription; ValueError when it is not a tracking id."""
        found = []
        for line in await self._records().list(wave_prefix(tracking_id)):
            subscription = line.path.rpartition("/")[2].removesuffix(".json")
            wave = await self.get(tracking_id, subscription)
            if wave is not None and wave.announcements:
                found.append(wave)
        return tuple(found)

    async def read(self, announcement: Announcement) -> tuple[Wave, str | None]:
        """The announcement's wave and its ETag, to be written; a new wave without ETag when there is none."""
        stored = await self._records().read(wave_path(announcement.tracking_id, announcement.subscription))
        if stored is None:
            return Wave(announcement.tracking_id, announcement.subscription), None
        return decode(Wave, stored.body), stored.etag

    async def write(self, wave: Wave, etag: str | None) -> str | None:
        """The new ETag, None when somebody wrote in between. Keeps what was written."""
        path = wave_path(wave.tracking_id, wave.subscription)
        try:
            new = await self._records().write(path, encode(wave), etag=etag, metadata=wave_metadata(wave))
        except Conflict:
            return None
        self._kept[path] = (wave, new)
        return new
