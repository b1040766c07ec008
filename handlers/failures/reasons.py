"""Why a message failed, kept until it succeeds or is buried: the host counts tries but forgets reasons.

When the host gives up a message without a noted failure, the message is not to blame: each time its process
was killed, or storage was down, or it never came as far as the app.
"""

import hashlib
from contextlib import suppress
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict

from handlers.channels.trouble import redacted
from handlers.cloud.names import failure_path
from handlers.cloud.records import Conflict, StorageDown, Stored
from handlers.log import logger
from handlers.wire.documents import BadRecord, decode
from handlers.wiring import Wiring
from handlers.words.trouble import REASON_UNREADABLE
from planner.text.phrases import shortened

log = logger(__name__)

LONGEST = 1000
"""Characters of an error that are kept."""

FRESH = timedelta(days=1)
"""An older failure is of an earlier message with the same text."""


class Failure(BaseModel):
    """One failure; only the last one of a message is kept. No error: it was tried, no more is known."""

    model_config = ConfigDict(extra="ignore")

    v: int = 1
    at: AwareDatetime
    error: str


async def note(queue: str, body: bytes, error: Exception, wiring: Wiring) -> None:
    """Keep why it failed, if storage allows; the host sees the failure itself."""
    said = shortened(redacted(f"{type(error).__name__}: {error}"), LONGEST)
    failure = Failure(at=wiring.now(), error=said)
    path = _path(queue, body)
    with suppress(StorageDown, Conflict):
        stored = await wiring.records.read(path)
        etag = stored.etag if stored is not None else None
        await wiring.records.write(path, failure.model_dump_json().encode(), etag=etag)


async def reached(queue: str, body: bytes, wiring: Wiring) -> None:
    """Note that a message which is tried again has reached the app, if storage allows and nothing is noted.

    When the host gives up one of which nothing at all is noted, none of its tries came as far as this: there
    was no worker, or it did not answer.
    """
    path = _path(queue, body)
    with suppress(StorageDown, Conflict):
        stored = await wiring.records.read(path)
        if stored is None or _read(stored, wiring) is None:
            mark = Failure(at=wiring.now(), error="")
            etag = stored.etag if stored is not None else None
            await wiring.records.write(path, mark.model_dump_json().encode(), etag=etag)


async def known(queue: str, body: bytes, wiring: Wiring) -> str | None:
    """Why it failed last; empty when it was tried and no failure is noted, None when nothing is.

    Raises StorageDown.
    """
    stored = await wiring.records.read(_path(queue, body))
    return _read(stored, wiring) if stored is not None else None


async def last(queue: str, body: bytes, wiring: Wiring) -> str:
    """Why it failed last, empty when no failure of it is noted. Raises StorageDown."""
    return await known(queue, body, wiring) or ""


async def forget(queue: str, body: bytes, wiring: Wiring) -> None:
    """For a message that succeeded, or is in quarantine with its error. Raises StorageDown."""
    await wiring.records.delete(_path(queue, body))


def _read(stored: Stored, wiring: Wiring) -> str | None:
    """What the document says, None where that is of an earlier message."""
    try:
        failure = decode(Failure, stored.body)
    except BadRecord as error:
        log.warning("failures.unreadable", extra={"path": stored.path, "why": str(error)})
        return REASON_UNREADABLE
    return failure.error if failure.at + FRESH > wiring.now() else None


def _path(queue: str, body: bytes) -> str:
    return failure_path(queue, hashlib.sha256(body).hexdigest()[:32])
