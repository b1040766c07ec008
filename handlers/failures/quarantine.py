"""What could not be processed is kept with its error, for people to see and replay.

One document per source, body and day.
"""

import base64
import hashlib
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from pydantic_core import from_json

from handlers.cloud.names import quarantine_path
from handlers.cloud.records import Conflict, Stored
from handlers.wire.outside_json import faults
from handlers.wire.versions import BadRecord
from handlers.wiring import Wiring

ALERT = "alert"
"""The source of a body that was posted as an alert but is not one."""


class Kept(BaseModel):
    """One item in quarantine: `source` is the queue it came from, or ALERT; `at` when it was given up.

    `message` is what came if that is text, else `binary` has it in base64; `decoded` shows the same as JSON,
    for people only.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = 1
    source: str
    error: str
    at: AwareDatetime
    message: str = ""
    binary: str = ""
    decoded: Any = None

    @property
    def body(self) -> bytes:
        return base64.b64decode(self.binary) if self.binary else self.message.encode()


async def keep(
    source: str,
    body: bytes,
    error: str,
    wiring: Wiring,
    *,
    tell: Callable[[str], Awaitable[None]] | None = None,
) -> str:
    """Keep an item; its path. Raises StorageDown.

    `tell` is called with the path once a day for the same item, before it is written: after a crash in
    between people are told twice rather than never.
    """
    now = wiring.now()
    path = quarantine_path(now, source, hashlib.sha256(body).hexdigest()[:32])
    if await wiring.records.read(path) is not None:
        return path
    if tell is not None:
        await tell(path)
    text, binary = "", ""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        binary = base64.b64encode(body).decode()
    kept = Kept(source=source, error=error, at=now, message=text, binary=binary, decoded=_decoded(text))
    with suppress(Conflict):
        await wiring.records.create(path, kept.model_dump_json(indent=1).encode(), {"v": "1"})
    return path


def read(stored: Stored) -> Kept:
    """What a document of the quarantine holds; raises BadRecord."""
    try:
        return Kept.model_validate_json(stored.body)
    except ValidationError as error:
        raise BadRecord(f"{stored.path} is not a quarantined item: {faults(error)[0]}.") from None


def _decoded(text: str) -> Any:
    try:
        return from_json(text, allow_inf_nan=False) if text else None
    except ValueError:
        return None
