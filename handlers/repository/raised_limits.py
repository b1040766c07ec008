"""What people have raised of the limits, on record: one document for each wave and subscription."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cloud.names import limits_path, limits_prefix
from handlers.cloud.records import Conflict, Records, Stored
from handlers.log import logger
from handlers.repository.waves import Waves
from handlers.wire.documents import BadRecord, NewerRecord, decode, encode
from handlers.words.trouble import gave_up
from planner.policy.limits import RaisedLimits

log = logger(__name__)

FRESH = timedelta(seconds=20)
"""How long another host's raise may stay unseen here: every poll of a waiting run asks."""

TRIES = 5


class RaisedLimitsOnRecord:
    """One worker's way to what was raised. Every method may raise StorageDown."""

    def __init__(
        self, records: Callable[[], Records], waves: Callable[[], Waves], now: Callable[[], datetime]
    ) -> None:
        self._records = records
        self._waves = waves
        self._now = now
        self._kept: dict[str, tuple[datetime, tuple[RaisedLimits, ...]]] = {}

    async def of(self, subscription: str) -> tuple[RaisedLimits, ...]:
        """What was raised in a subscription for waves that are open; the rest is removed."""
        key = subscription.lower()
        read_at, known = self._kept.get(key, (None, ()))
        if read_at is not None and self._now() - read_at < FRESH:
            return known
        found = []
        for line in await self._records().list(limits_prefix(subscription)):
            stored = await self._records().read(line.path)
            try:
                found += await self._in_force(stored) if stored is not None else []
            except (BadRecord, NewerRecord) as error:
                # Without it the policy file's limits hold, which are tighter.
                log.warning("limits.unreadable", extra={"path": line.path, "why": str(error)})
        self._kept[key] = self._now(), tuple(found)
        return tuple(found)

    async def add(self, new: RaisedLimits) -> None:
        """Write it down beside what was raised for the wave before. Raises Conflict after some tries."""
        path = limits_path(new.tracking_id, new.subscription)
        for _ in range(TRIES):
            stored = await self._records().read(path)
            before: Mapping[str, int] = (
                decode(RaisedLimits, stored.body).numbers if stored is not None else {}
            )
            both = replace(new, numbers={**before, **new.numbers})
            try:
                await self._records().write(path, encode(both), etag=stored.etag if stored else None)
            except Conflict:
                continue
            self._kept.pop(new.subscription.lower(), None)
            return
        raise Conflict(gave_up(path, TRIES))

    async def _in_force(self, stored: Stored) -> list[RaisedLimits]:
        raised = decode(RaisedLimits, stored.body)
        wave = await self._waves().get(raised.tracking_id, raised.subscription)
        if wave is not None and wave.open:
            return [raised]
        await self._records().delete(stored.path)
        return []
