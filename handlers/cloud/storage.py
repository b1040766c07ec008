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

from handlers.cloud.errors import short
from handlers.cloud.patience import environment_settings
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
"""Seconds and counts for the clients. The SDK's own would take a minute; an action group must get its 503
before it stops waiting, and then calls again by itself."""


class Conflict(Exception):
    """The document was written in between: it exists already, or is not the one that was read."""


class StorageDown(Exception):
    """Storage cannot be reached, refuses us or throttles; a later try can help."""


def client(kind: Any, settings: Settings, service: str, uri: str, **options: str) -> tuple[Any, Any]:
    """A client of the `blob` or `queue` service, and the credential to close with it, if any.

    By connection string where there is one, else by the app's identity at `uri` or at the account's own
    address. Raises StorageDown when the settings name no account, or with a connection string that is wrong,
    without repeating it.
    """
    known = {**PATIENCE, **options}
    connection = settings.storage.get_secret_value()
    if connection:
        try:
            return kind.from_connection_string(connection, **known), None
        except ValueError:
            raise StorageDown(
                "AzureWebJobsStorage is not a connection string that can be read; "
                "it looks like `DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...`."
            ) from None
    if not uri and not settings.storage_account:
        raise StorageDown(
            "No storage account is configured. Set AzureWebJobsStorage to a connection string, "
            "or AzureWebJobsStorage__accountName to the account's name."
        )
    from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential  # noqa: PLC0415

    given = settings.storage_client_id
    credential = ManagedIdentityCredential(client_id=given) if given else DefaultAzureCredential()
    address = uri or f"https://{settings.storage_account}.{service}.{settings.hosts.storage}"
    return kind(address, credential=credential, **known), credential


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
    return (code(error) if isinstance(error, HttpResponseError) else "") or short(error)
