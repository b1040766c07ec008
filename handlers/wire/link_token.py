"""What a link lets its holder do, signed so that nobody else can make one or change it.

Whoever has the link may do what it says, and nothing more: it proves who it was sent to, not who opens it.
Tokens are short, because they stand in mails and on cards. Anybody can read them: they hold no secret.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from itsdangerous import BadData, URLSafeSerializer

VIEW: Final = "view"
"""The action of a link that only shows something."""

FEED: Final = "feed"
"""The action of a link to a receiver's own calendar, of all waves."""

READABLE = timedelta(days=90)
"""How long a link shows its wave at least; while the wave is open it does so however old it is."""

SUBSCRIBED = timedelta(days=400)
"""How long a receiver's own calendar can be read by one link: it is for waves to come as well."""

ACTS_FOR = timedelta(days=14)
"""How long a link acts. Reminders and pages bring newer ones."""

LONGEST = 4000
"""Characters of a token; no link of ours comes near."""

FORGED = (
    "Breakwater has not signed this link, or a part of it is missing: mail programs cut long lines. "
    "Open it from the message once more. A link signed with a key that is no longer in BREAKWATER_LINK_KEY "
    "counts as foreign, too."
)


class Forged(ValueError):
    """The token was not signed with any of the keys; the text is for whoever opened the link."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link says.

    `place` is the wave it is about, or wave, subscription, resource group and scale set, or nothing: then it
    is for all waves. `receiver` is who it was sent to, empty for one on a page that was opened with the
    app's key. An `action` that is neither `view` nor `feed` is a person's command for the plan with this
    `checksum`, `to` the fields that go with it. `expires` is aware UTC, to the second.
    """

    place: tuple[str, ...]
    receiver: str
    expires: datetime
    action: str = VIEW
    checksum: str = ""
    to: Mapping[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The id of the command that this link gives, always the same: a run takes each id once."""
        said = json.dumps(_payload(self), sort_keys=True).encode()
        return f"link-{hashlib.sha256(said).hexdigest()[:32]}"

    @property
    def acts(self) -> bool:
        return self.action not in {VIEW, FEED}

    @property
    def via(self) -> str:
        """How the command came, for the history: who the link was sent to, which is not who opened it."""
        return f"a link sent to {self.receiver}" if self.receiver else "a link on a page of the app's key"

    def expired(self, now: datetime) -> bool:
        return now >= self.expires


def expiry(action: str, now: datetime) -> datetime:
    """When a link made now ends; at midnight (UTC) if it only shows something: those of a day are equal."""
    if action not in {VIEW, FEED}:
        return now.replace(microsecond=0) + ACTS_FOR
    lasts = READABLE if action == VIEW else SUBSCRIBED
    return (now + lasts).replace(hour=0, minute=0, second=0, microsecond=0)


def signed(link: Link, keys: Sequence[str]) -> str:
    """The token of a link, signed with the first key; URL-safe."""
    return str(_serializer(tuple(keys)).dumps(_payload(link)))


def signer(
    keys: Sequence[str], receiver: str, now: datetime
) -> Callable[[tuple[str, ...], str, str, Mapping[str, str]], str]:
    """What makes the tokens of one message or page, from place, action, plan's checksum and more fields."""

    def sign(place: tuple[str, ...], action: str, checksum: str, to: Mapping[str, str]) -> str:
        return signed(Link(place, receiver, expiry(action, now), action, checksum, to), keys)

    return sign


def read(token: str, keys: Sequence[str]) -> Link:
    """What a token says, whether it has expired or not; Forged when none of the keys signed it."""
    if not keys:
        raise Forged("Links are switched off: the app has no BREAKWATER_LINK_KEY to check this one with.")
    if len(token) > LONGEST:
        raise Forged(FORGED)
    try:
        place, receiver, expires, *more = _serializer(tuple(keys)).loads(token)
        action, checksum, to = more if len(more) == 3 else (VIEW, "", {})
        return Link(tuple(place), receiver, datetime.fromtimestamp(expires, UTC), action, checksum, to)
    except (BadData, ValueError, TypeError) as error:
        raise Forged(FORGED) from error


def _payload(link: Link) -> list[object]:
    shown: list[object] = [list(link.place), link.receiver, int(link.expires.timestamp())]
    return [*shown, link.action, link.checksum, dict(link.to)] if link.action != VIEW else shown


@cache
def _serializer(keys: tuple[str, ...]) -> URLSafeSerializer:
    # itsdangerous signs with the last of its keys and takes any of them.
    return URLSafeSerializer(
        list(reversed(keys)),
        salt="breakwater link 1",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
