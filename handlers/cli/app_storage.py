"""The deployed app's storage, read with the settings of this shell or the caller's own sign-in."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from handlers.cli.exits import Failed

if TYPE_CHECKING:
    from handlers.wiring import Wiring

RIGHTS = "It takes Storage Blob Data Reader and Storage Queue Data Reader on the account, and az login."


@asynccontextmanager
async def opened() -> "AsyncIterator[Wiring]":
    """The clients, closed at the end. Raises Failed, also for what storage answers meanwhile."""
    from handlers.cloud.records import StorageDown  # noqa: PLC0415
    from handlers.wire.settings import BadSettings, Settings  # noqa: PLC0415
    from handlers.wiring import Wiring  # noqa: PLC0415

    try:
        wiring = Wiring(Settings.from_environment())
    except BadSettings as error:
        raise Failed(str(error)) from error
    try:
        yield wiring
    except StorageDown as error:
        named = wiring.settings.storage_account or wiring.settings.storage_blob_uri
        raise Failed(f"{error} {RIGHTS}" if named else str(error)) from error
    finally:
        await wiring.close()
