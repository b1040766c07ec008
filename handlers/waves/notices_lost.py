"""Which notices of a wave nobody is about to tell: what would have had them told was lost."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from planner.notices.delivery import Delivery, behind

SOON = timedelta(minutes=15)
"""A receiver that is told something by then hears what asks, too; a channel that is down is tried sooner."""


@dataclass(frozen=True, slots=True)
class Line:
    """A listed run: its receiver, its last notice, the last one that asks, whether it pages."""

    path: str
    receiver: str
    last: int
    asks: int
    pages: bool


def line(path: str, metadata: Mapping[str, str]) -> Line:
    """The line as metadata has it; raises ValueError for what no version of this app has written."""
    return Line(
        path,
        unquote(metadata.get("receiver", "nobody")).lower(),
        int(metadata.get("last_notice", "0")),
        int(metadata.get("asks", "0")),
        "page" in metadata,
    )


def some_lost(lines: Sequence[Line], deliveries: Iterable[Delivery], now: datetime, grace: timedelta) -> bool:
    """Whether somebody has not been told of something, and no message is on its way that would do it.

    What pages is asked for again and again, since a lost repeat leaves no trace. What only informs may be
    gathered for hours; what asks may not be kept back by that.
    """
    if any(each.pages for each in lines):
        return True
    known = {delivery.receiver.lower(): delivery for delivery in deliveries}
    late = {*behind(known.values(), {each.path: each.last for each in lines})}
    asked = {*behind(known.values(), {each.path: each.asks for each in lines})}

    def comes(each: Line) -> bool:
        mine = known.get(each.receiver)
        coming = mine.follow_up if mine is not None else None
        if coming is None or coming + grace <= now:
            return False
        return each.path not in asked or coming <= now + SOON

    return any(not comes(each) for each in lines if each.path in late)
