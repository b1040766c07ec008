"""How to reach the storage account, and which of its errors means what."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ResourceNotModifiedError,
)

from handlers.cloud.transport import environment_settings
from handlers.wire.settings import Settings

PATIENCE: dict[str, Any] = {
    "connection_timeout": 4,
    "read_timeout": 20,
    "retry_total": 2,
    "initial_backoff": 0.2,
    "increment_base": 0.3,
    "random_jitter_range": 0.1,
    **environment_settings(),
}
"""Seconds and counts for the clients. The SDK's own patience is a minute; an action group wants to hear 503
while it still listens, and it calls again by itself."""


class Conflict(Exception):
    """Somebody wrote in between: the document exists already, or is not the one that was read."""


class StorageDown(Exception):
    """Storage cannot be reached, refuses us or throttles; trying again later can help."""


def credential(settings: Settings) -> Any:
    """The identity for storage where no connection string is given."""
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

    if settings.storage_client_id:
        return ManagedIdentityCredential(client_id=settings.storage_client_id)
    return DefaultAzureCredential()


def service_uri(settings: Settings, service: str, given: str) -> str:
    """The address of the `blob` or `queue` service; raises StorageDown when no setting names an account."""
    if given:
        return given
    if settings.storage_account:
        return f"https://{settings.storage_account}.{service}.core.windows.net"
    raise StorageDown(
        "No storage account is configured. Set AzureWebJobsStorage to a connection string, "
        "or AzureWebJobsStorage__accountName to the account's name."
    )


@contextmanager
def readable_connection() -> Iterator[None]:
    """A connection string that cannot be read is a setting to correct, said without the string itself."""
    try:
        yield
    except ValueError:
        raise StorageDown(
            "AzureWebJobsStorage is not a connection string that can be read; "
            "it looks like `DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...`."
        ) from None


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Azure's storage errors as Conflict and StorageDown; absent and unchanged documents pass as they are."""
    try:
        yield
    except (ResourceNotFoundError, ResourceNotModifiedError):
        raise
    except ResourceModifiedError as error:
        raise Conflict(f"{doing}: somebody wrote in between.") from error
    except ResourceExistsError as error:
        if code(error) == "BlobAlreadyExists":
            raise Conflict(f"{doing}: it exists already.") from error
        raise StorageDown(f"{doing}: {_said(error)}") from error
    except HttpResponseError as error:
        hint = (
            " The app needs the roles Storage Blob Data Owner and Storage Queue Data Contributor."
            if error.status_code in {401, 403}
            else ""
        )
        raise StorageDown(f"{doing}: storage answered {error.status_code} ({_said(error)}).{hint}") from error
    except (AzureError, OSError) as error:
        raise StorageDown(f"{doing}: storage cannot be reached ({_said(error)}).") from error


def code(error: HttpResponseError) -> str:
    """Storage's own name for an error."""
    found = getattr(error, "error_code", "") or ""
    return str(getattr(found, "value", found))


def _said(error: Exception) -> str:
    if isinstance(error, HttpResponseError) and code(error):
        return code(error)
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
