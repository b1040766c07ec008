"""One listing of a subscription's scale sets at a time, whoever asks and on whatever host.

Azure counts requests by subscription. Two announcements that list beside each other make each other wait, and
each that begins again at page 1 makes the other wait longer. So whoever comes first reads, page by page on
record; whoever comes meanwhile waits and takes what was read; and what a 429 or a crash has interrupted is
read on from where it stopped.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.errors import AzureTrouble, BeingListed, NotFound, Refused
from handlers.log import logger
from handlers.repository.listings import Listing
from handlers.wiring import Wiring
from planner.azure.fleet import ScaleSet
from planner.text.backoff import spread

log = logger(__name__)

FRESH = timedelta(minutes=1)
"""A listing begun so long before somebody asks serves as well: alerts of one wave come together."""

READ_ON_WITHIN = timedelta(minutes=30)
"""How old the first page may be when the last one is read: Retry-After can last minutes, and a second listing
comes a quarter of an hour later anyway."""

HELD_FOR = timedelta(minutes=3)
"""A host that has not written a page for so long is gone: a page takes two minutes at the most."""

LOOK_AGAIN = timedelta(seconds=5)
"""How soon whoever waits for another's listing looks for it."""


async def of(subscription: str, wiring: Wiring) -> tuple[ScaleSet, ...]:
    """Every scale set that Azure shows of the subscription, in a listing that is fresh.

    Raises BeingListed while somebody else reads, and AzureTrouble; what was read until then is kept.
    """
    asked = wiring.now()
    # Who asks in the same process waits here, and finds the listing done.
    async with wiring.turn(f"listing/{subscription.lower()}"):
        listing, etag = await wiring.listings.read(subscription)
        now = wiring.now()
        if listing is not None and listing.done_at is not None and listing.begun_at >= asked - FRESH:
            return listing.found
        if listing is not None and listing.held_until is not None and listing.held_until > now:
            raise _being_listed(subscription, now)
        if listing is None or listing.done_at is not None or listing.begun_at < now - READ_ON_WITHIN:
            listing = Listing(subscription, now)
        mine = replace(listing, held_until=now + HELD_FOR)
        etag = await wiring.listings.write(mine, etag)
        if etag is None:
            raise _being_listed(subscription, now)
        return await _Reading(mine, etag, wiring).to_the_end()


async def under_way(subscription: str, wiring: Wiring) -> bool:
    """Whether somebody reads, or has read a page a moment ago: whoever waits for it will ask again."""
    listing, _ = await wiring.listings.read(subscription)
    if listing is None or listing.done_at is not None:
        return False
    return listing.held_until is not None and listing.held_until > wiring.now()


class _Reading:
    """One host's part of a listing. Every page is on record before the next is requested."""

    def __init__(self, listing: Listing, etag: str, wiring: Wiring) -> None:
        self._listing, self._etag, self._wiring = listing, etag, wiring

    async def to_the_end(self) -> tuple[ScaleSet, ...]:
        try:
            try:
                await self._read_on()
            except (NotFound, Refused):
                if not self._listing.following:
                    raise
                # Azure no longer knows the page that comes next: what was read before it is of no use.
                log.info("listing.begun_again", extra={"subscription": self._listing.subscription})
                self._listing = replace(self._listing, found=(), following="", begun_at=self._wiring.now())
                await self._read_on()
        except AzureTrouble:
            await self._keep(replace(self._listing, held_until=None))
            raise
        return self._listing.found

    async def _read_on(self) -> None:
        subscription = self._listing.subscription
        async for page, following in self._wiring.compute(subscription).scale_sets(self._listing.following):
            now = self._wiring.now()
            listing = replace(
                self._listing,
                found=(*self._listing.found, *page),
                following=following,
                done_at=None if following else now,
                held_until=now + HELD_FOR if following else None,
            )
            await self._keep(listing)
            if self._listing is not listing:
                # Taken for gone while a page took its time: the other one reads on.
                raise _being_listed(subscription, now)

    async def _keep(self, listing: Listing) -> None:
        etag = await self._wiring.listings.write(listing, self._etag)
        if etag is not None:
            self._listing, self._etag = listing, etag


def _being_listed(subscription: str, now: datetime) -> BeingListed:
    return BeingListed(spread(LOOK_AGAIN, subscription, now))
