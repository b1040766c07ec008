"""Waves on record: read, kept while they are unchanged, written under their ETag."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from weakref import WeakValueDictionary

from handlers.cloud.names import WAVES_PREFIX, wave_path, wave_prefix
from handlers.cloud.records import Absent, Conflict, Listed, Records
from handlers.cloud.side_by_side import side_by_side
from handlers.log import logger
from handlers.wire.documents import BadRecord, NewerRecord, decode, encode, wave_metadata
from handlers.words.trouble import gave_up
from planner.azure.wave import Announcement, Wave

log = logger(__name__)

AT_ONCE = 16
"""Records read side by side."""

TRIES = 8
"""How often a wave is changed again because somebody else wrote it in between."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a listing shows of a wave in one subscription.

    `announced` orders its latest announcement among those of other subscriptions; aware UTC. `members` is
    how many scale sets are on its roster.
    """

    tracking_id: str
    subscription: str
    stage: str
    open: bool
    announced: tuple[datetime, ...]
    members: int


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

    async def listed(self, prefix: str = WAVES_PREFIX) -> list[tuple[str, str, Listed]]:
        """Every wave record of the listing: tracking id, subscription and line."""
        lines = await self._records().list(prefix)
        places = [line.path.removeprefix(WAVES_PREFIX).removesuffix(".json").partition("/") for line in lines]
        return [(place[0], place[2], line) for place, line in zip(places, lines, strict=True)]

    async def heads(self) -> list[Head]:
        """Every wave from one listing; only what an older version wrote is read for it, if it can be."""
        found = await side_by_side(self._head, await self.listed(), AT_ONCE)
        return [head for head in found if head is not None]

    async def _head(self, place: tuple[str, str, Listed]) -> Head | None:
        tracking_id, subscription, line = place
        known: Mapping[str, str] = line.metadata
        if "announced" not in known:
            try:
                wave = await self.get(tracking_id, subscription)
            except (NewerRecord, BadRecord) as error:
                log.warning("wave.unreadable", extra={"path": line.path, "why": str(error)})
                return None
            if wave is None or not wave.announcements:
                return None
            known = wave_metadata(wave)
        announced = tuple(map(datetime.fromisoformat, known["announced"].split(",")))
        return Head(
            tracking_id,
            subscription,
            known["stage"],
            known["open"] == "true",
            announced,
            int(known["members"]),
        )

    async def of(self, tracking_id: str) -> tuple[Wave, ...]:
        """The wave's records, one per subscription; ValueError when it is not a tracking id."""
        found = []
        for _, subscription, _ in await self.listed(wave_prefix(tracking_id)):
            wave = await self.get(tracking_id, subscription)
            if wave is not None and wave.announcements:
                found.append(wave)
        return tuple(found)

    async def update(
        self, announcement: Announcement, change: Callable[[Wave], Awaitable[Wave]]
    ) -> tuple[Wave, Wave]:
        """The announcement's wave before and after `change`, on record in its next generation.

        `change` is called again on the new record when somebody wrote in between. A wave that it returns as
        it was is not written. Raises Conflict when others wrote `TRIES` times.
        """
        for _ in range(TRIES):
            before, etag = await self.read(announcement)
            after = await change(before)
            if after == before:
                return before, before
            after = replace(after, generation=before.generation + 1)
            if await self.write(after, etag) is not None:
                return before, after
        raise Conflict(gave_up(announcement.tracking_id, TRIES))

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
