"""Listings of a subscription's scale sets on record: how far each is, and who reads on."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from handlers.cloud.names import listing_path
from handlers.cloud.records import Conflict, Records
from handlers.log import logger
from handlers.wire.documents import BadRecord, decode, encode
from planner.azure.fleet import ScaleSet

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """The pages of one listing that have been read, begun at `begun_at`; times are aware UTC.

    `following` is the address of the next page, empty before the first and after the last. `done_at` is when
    the last one was read; before that, whoever wrote it last reads on until `held_until` at the latest.
    """

    subscription: str
    begun_at: datetime
    found: tuple[ScaleSet, ...] = ()
    following: str = ""
    done_at: datetime | None = None
    held_until: datetime | None = None
    v: int = 1


class Listings:
    """Every method may raise StorageDown and NewerRecord."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    async def read(self, subscription: str) -> tuple[Listing | None, str | None]:
        """The last listing with its ETag; None where there is none, or none that can be read."""
        stored = await self._records().read(listing_path(subscription))
        if stored is None:
            return None, None
        try:
            return decode(Listing, stored.body), stored.etag
        except BadRecord as error:
            # Read anew: a listing is nothing that could be lost.
            log.warning("listing.unreadable", extra={"path": stored.path, "why": str(error)})
            return None, stored.etag

    async def write(self, listing: Listing, etag: str | None) -> str | None:
        """The new ETag; None when somebody wrote in between."""
        path = listing_path(listing.subscription)
        try:
            return await self._records().write(path, encode(listing), etag=etag)
        except Conflict:
            return None
