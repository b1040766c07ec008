"""Calendar feeds on record: what each has said, so that a program takes what it says next."""

from collections.abc import Callable

from handlers.cloud.names import calendar_path
from handlers.cloud.records import Conflict, Records
from handlers.log import logger
from handlers.wire.documents import BadRecord, decode, encode
from handlers.words.trouble import gave_up
from planner.notices.feed import Feed

log = logger(__name__)

TRIES = 5


class Calendars:
    """Every method may raise StorageDown, Conflict after some tries, and NewerRecord."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._records = records

    async def revise(self, tracking_id: str, receiver: str, change: Callable[[Feed], Feed]) -> Feed:
        """The feed after `change`, on record before anybody sees it; written only where that changes it.

        `change` is called again on what somebody else wrote in between.
        """
        path = calendar_path(tracking_id, receiver)
        for _ in range(TRIES):
            stored = await self._records().read(path)
            before = Feed(tracking_id, receiver)
            if stored is not None:
                try:
                    before = decode(Feed, stored.body)
                except BadRecord as error:
                    # Said anew: sequences go by the clock, so programs take it all the same.
                    log.warning("calendar.unreadable", extra={"path": path, "why": str(error)})
            after = change(before)
            if after == before:
                return after
            try:
                await self._records().write(path, encode(after), etag=stored.etag if stored else None)
            except Conflict:
                continue
            return after
        raise Conflict(gave_up(path, TRIES))
