"""Deliveries on record: what each receiver has been told of a wave, under its ETag."""

from collections.abc import AsyncIterator, Callable

from handlers.cloud.names import delivery_path, delivery_prefix
from handlers.cloud.records import Records
from handlers.wire.documents import BadRecord, NewerRecord, decode, encode
from planner.notices.delivery import Delivery


class Deliveries:
    """Every method may raise StorageDown, the reading ones BadRecord and NewerRecord."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    async def read(self, tracking_id: str, receiver: str) -> tuple[Delivery, str | None]:
        """The record and its ETag, an empty one when there is none yet."""
        stored = await self._records().read(delivery_path(tracking_id, receiver))
        if stored is None:
            return Delivery(tracking_id, receiver), None
        return decode(Delivery, stored.body), stored.etag

    async def write(self, delivery: Delivery, etag: str | None) -> str:
        """The new ETag. Raises Conflict when somebody wrote in between."""
        path = delivery_path(delivery.tracking_id, delivery.receiver)
        return await self._records().write(path, encode(delivery), etag=etag)

    async def of_wave(
        self, tracking_id: str, *, all_or_nothing: bool = True
    ) -> AsyncIterator[tuple[Delivery, str]]:
        """Every delivery of a wave with its ETag; without `all_or_nothing` unreadable ones are left out."""
        for line in await self._records().list(delivery_prefix(tracking_id)):
            stored = await self._records().read(line.path)
            if stored is None:
                continue
            try:
                yield decode(Delivery, stored.body), stored.etag
            except (NewerRecord, BadRecord):
                if all_or_nothing:
                    raise
