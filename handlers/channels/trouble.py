"""What a channel sends and how it says that it could not."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

from planner.text.phrases import shortened

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://[^\s'\"<>]+")


class Message(Protocol):
    """A rendered message. `message_id` is the same each time it is sent, `thread` for all of a wave.

    `kind`, `about` and `at` (aware UTC) say to machines what it is, about what and of when; `calendar` is
    what a mail brings along (iCalendar), or empty.
    """

    @property
    def message_id(self) -> str: ...
    @property
    def thread(self) -> str: ...
    @property
    def urgency(self) -> str: ...
    @property
    def subject(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def html(self) -> str: ...
    @property
    def card(self) -> Mapping[str, Any]: ...
    @property
    def payload(self) -> Mapping[str, Any]: ...
    @property
    def kind(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def calendar(self) -> bytes: ...


class Sender(Protocol):
    """One channel of one receiver."""

    async def send(self, message: Message) -> str:
        """Send it. Returns a remark on a message that was accepted, or "". Raises ChannelTrouble."""
        ...


class ChannelTrouble(Exception):
    """A message was not accepted.

    `recoverable` says whether trying again can help: always, unless it was this message that was refused.
    `broken` says that it helps once somebody has fixed the channel, and then `sentence` says how.
    `retry_after` is how long the channel asked to wait. `sentence` is what happened; it never holds an
    address, since webhook addresses are secrets.
    """

    def __init__(
        self,
        sentence: str,
        *,
        recoverable: bool = True,
        broken: bool = False,
        retry_after: timedelta | None = None,
    ) -> None:
        self.sentence = shortened(redacted(sentence), 400)
        self.recoverable = recoverable or broken
        self.broken = broken
        self.retry_after = retry_after
        super().__init__(self.sentence)


def redacted(text: str) -> str:
    """The text without the addresses in it: only their hosts."""
    return _ADDRESS.sub(lambda found: f"[address at {_host(found[0])}]", text)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or "an unknown host"
    except ValueError:
        return "an unknown host"


def asked_wait(value: str | None, now: datetime) -> timedelta | None:
    """A Retry-After header: seconds or a date (RFC 9110, 10.2.3); None when it says neither."""
    if not value:
        return None
    try:
        return max(timedelta(seconds=float(value)), timedelta(0))
    except (ValueError, OverflowError):
        pass
    try:
        return max(parsedate_to_datetime(value) - now, timedelta(0))
    except (ValueError, TypeError):
        return None
