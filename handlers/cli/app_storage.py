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
    from handlers.cli.settings import settings_of  # noqa: PLC0415
    from handlers.cloud.records import StorageDown  # noqa: PLC0415
    from handlers.wiring import Wiring  # noqa: PLC0415

    wiring = Wiring(settings_of())
    try:
        yield wiring
    except StorageDown as error:
        named = wiring.settings.storage_account or wiring.settings.storage_blob_uri
        raise Failed(f"{error} {RIGHTS}" if named else str(error)) from error
    finally:
        await wiring.close()
