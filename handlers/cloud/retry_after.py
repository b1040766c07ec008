"""What one host has learned of a subscription's Retry-After, shared with all hosts in a small record.

Azure counts requests by subscription, not by host, and up to 40 hosts share no memory. A host reads the
record at most once in `POLL_EVERY`, however many requests it makes, and writes it only when the quiet time
grows.
"""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from handlers.cloud.names import throttled_path
from handlers.cloud.records import Conflict, Records, StorageDown
from handlers.log import logger
from handlers.wire.documents import BadRecord, NewerRecord, decode

log = logger(__name__)

POLL_EVERY = timedelta(seconds=5)
"""How old a host's knowledge of the others may be: two hundred plans cost a handful of reads."""

LONGEST = timedelta(days=1)
"""Azure's requests count for a day at most; a record that says more was written by a wrong clock."""

REDOS = 3


class Quiet(BaseModel):
    """Nothing is requested of the subscription before `until`; `by` is the host that Azure told so."""

    model_config = ConfigDict(extra="ignore")

    v: int = 1
    until: AwareDatetime
    learned_at: AwareDatetime
    by: str = ""


class RetryAfter:
    """One subscription's quiet time, shared by all hosts. Raises nothing.

    Without storage each host knows only what Azure told it.
    """

    def __init__(
        self, subscription: str, records: Callable[[], Records], now: Callable[[], datetime]
    ) -> None:
        self._path = throttled_path(subscription)
        self._records = records
        self._now = now
        self._until: datetime | None = None
        self._etag: str | None = None
        self._polled: datetime | None = None
        self._turn = asyncio.Lock()

    async def until(self) -> datetime | None:
        """Until when (aware UTC) nothing may be requested, as far as any host knows; None for now."""
        until = await self.last()
        return until if until is not None and until > self._now() else None

    async def last(self) -> datetime | None:
        """The end of the last quiet time that any host knows of, over or not; None before the first."""
        async with self._turn:
            now = self._now()
            if self._polled is None or not now - POLL_EVERY < self._polled <= now:
                await self._poll()
        return self._until

    async def learned(self, until: datetime) -> None:
        """Tell the other hosts that nothing may be requested before `until` (aware UTC)."""
        async with self._turn:
            for _ in range(REDOS):
                now = self._now()
                if self._until is not None and now < self._until and until <= self._until + POLL_EVERY:
                    return
                if await self._written(until, now):
                    self._until = until
                    return
                await self._poll()

    async def _written(self, until: datetime, now: datetime) -> bool:
        """Whether it is on record, or cannot be put there."""
        quiet = Quiet(until=until, learned_at=now, by=socket.gethostname()[:100])
        try:
            body = quiet.model_dump_json().encode()
            self._etag = await self._records().write(self._path, body, etag=self._etag)
        except Conflict:
            return False
        except StorageDown as error:
            log.warning("throttled.not_recorded", extra={"path": self._path, "why": str(error)})
        return True

    async def _poll(self) -> None:
        self._polled = self._now()
        try:
            stored = await self._records().read(self._path)
            self._etag = stored.etag if stored is not None else None
            known = decode(Quiet, stored.body).until if stored is not None else None
        except StorageDown as error:
            log.warning("throttled.not_read", extra={"path": self._path, "why": str(error)})
            return
        except (BadRecord, NewerRecord) as error:
            log.warning("throttled.unreadable", extra={"path": self._path, "why": str(error)})
            known = None
        self._until = known if known is not None and known <= self._now() + LONGEST else None
