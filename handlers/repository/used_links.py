"""Links that have acted on a whole wave: written down before anything is done, so that each acts once.

A link for one run needs no such document: the run itself takes each command once.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from handlers.cloud.names import used_link_path
from handlers.cloud.records import Conflict, Records
from handlers.wire.documents import decode, encode


@dataclass(frozen=True, slots=True)
class UsedLink:
    """Who used a link, why and for which runs (their paths), since `at` (aware UTC).

    `done` says what came of it; empty while it is not known to have reached every one of them.
    """

    id: str
    actor: str
    comment: str
    paths: tuple[str, ...]
    at: datetime
    done: str = ""
    v: int = 1


class UsedLinks:
    """Every method may raise StorageDown, BadRecord and NewerRecord."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    async def get(self, link_id: str) -> UsedLink | None:
        """What is on record of a link; None while nobody has used it."""
        stored = await self._records().read(used_link_path(link_id))
        return decode(UsedLink, stored.body) if stored is not None else None

    async def begin(self, mine: UsedLink) -> UsedLink:
        """Write it down before anything is done; of several at once the first one's is on record for all."""
        try:
            await self._records().create(used_link_path(mine.id), encode(mine))
        except Conflict:
            first = await self.get(mine.id)
            if first is None:
                raise
            return first
        return mine

    async def finish(self, used: UsedLink, done: str) -> None:
        """Write down what came of it; whoever comes second finds it done."""
        path = used_link_path(used.id)
        stored = await self._records().read(path)
        if stored is not None and not decode(UsedLink, stored.body).done:
            await self._records().write(path, encode(replace(used, done=done)), etag=stored.etag)
