"""Documents in the blob container, replaced whole under their ETag.

Etags are kept without quotes: a listing has them bare, a read quoted.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ResourceNotModifiedError,
)

from handlers.cloud import storage
from handlers.cloud.names import CONTAINER
from handlers.cloud.put_blob import put_json
from handlers.cloud.storage import Conflict, StorageDown
from handlers.wire.settings import Settings

if TYPE_CHECKING:
    from azure.storage.blob.aio import ContainerClient

__all__ = ["Absent", "Conflict", "Listed", "Records", "StorageDown", "Stored"]


class Absent(LookupError):
    """The document that was read before is gone."""


@dataclass(frozen=True, slots=True)
class Stored:
    path: str
    body: bytes
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a listing; times aware UTC."""

    path: str
    etag: str
    metadata: Mapping[str, str]
    created: datetime
    modified: datetime


class Records:
    """The container `breakwater`, created when first needed. Every method may raise StorageDown."""

    def __init__(self, container: "ContainerClient", credential: Any = None) -> None:
        self._container = container
        self._credential = credential

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        # Imported on first use: see the budget for a cold start.
        from azure.storage.blob.aio import ContainerClient  # noqa: PLC0415

        uri = settings.storage_blob_uri
        return cls(*storage.client(ContainerClient, settings, "blob", uri, container_name=CONTAINER))

    async def create(self, path: str, body: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Write a document that must not exist yet; its etag. Raises Conflict when it does."""
        return await self.write(path, body, etag=None, metadata=metadata)

    async def write(
        self, path: str, body: bytes, *, etag: str | None, metadata: Mapping[str, str] | None = None
    ) -> str:
        """Replace the document that has this etag (None: there must be none yet); the new etag.

        Raises Conflict when somebody wrote in between, also when the document is gone.
        """
        with storage.translated(f"Writing {path}"):
            try:
                return await self._put(path, body, etag, metadata)
            except ResourceNotFoundError as error:
                if etag is not None or storage.code(error) != "ContainerNotFound":
                    raise Conflict(f"Writing {path}: it is gone.") from error
            await self._create_container()
            return await self._put(path, body, etag, metadata)

    async def read(self, path: str) -> Stored | None:
        """The document, None when there is none."""
        with storage.translated(f"Reading {path}"):
            try:
                return await self._download(path, {})
            except ResourceNotFoundError:
                return None

    async def read_if_changed(self, path: str, etag: str) -> Stored | None:
        """The document if its etag has changed, None if not. Raises Absent when it is gone."""
        condition = {"etag": f'"{etag}"', "match_condition": MatchConditions.IfModified}
        with storage.translated(f"Reading {path}"):
            try:
                return await self._download(path, condition)
            except (ResourceNotModifiedError, ResourceModifiedError):
                # The SDK reports 304 by the error it has for 412.
                return None
            except ResourceNotFoundError as error:
                raise Absent(path) from error

    async def list(self, prefix: str) -> list[Listed]:
        """Every document whose path starts with `prefix`, in order of the paths, with its metadata."""
        found: list[Listed] = []
        with storage.translated(f"Listing {prefix}"):
            try:
                async for blob in self._container.list_blobs(name_starts_with=prefix, include=["metadata"]):
                    # The SDK leaves these untyped; storage always sends them.
                    created, modified = blob.creation_time, blob.last_modified
                    assert isinstance(created, datetime)
                    assert isinstance(modified, datetime)
                    metadata = dict(blob.metadata or {})
                    found.append(Listed(blob.name, _bare(blob.etag), metadata, created, modified))
            except ResourceNotFoundError:
                return []
        return found

    async def delete(self, path: str, *, etag: str | None = None) -> None:
        """Remove the document, if there is one. Raises Conflict when its etag has changed."""
        with storage.translated(f"Deleting {path}"), suppress(ResourceNotFoundError):
            await self._container.delete_blob(path, **_unless_changed(etag))

    async def close(self) -> None:
        await self._container.close()
        if self._credential is not None:
            await self._credential.close()

    async def _put(self, path: str, body: bytes, etag: str | None, metadata: Mapping[str, str] | None) -> str:
        quoted = f'"{etag}"' if etag is not None else None
        return _bare(await put_json(self._container, path, body, quoted, metadata or {}))

    async def _download(self, path: str, condition: dict[str, Any]) -> Stored:
        download = await self._container.download_blob(path, **condition)
        body = await download.readall()
        properties = download.properties
        return Stored(path, body, _bare(properties.etag), dict(properties.metadata or {}))

    async def _create_container(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError as error:
            if storage.code(error) != "ContainerAlreadyExists":
                raise


def _unless_changed(etag: str | None) -> dict[str, Any]:
    """The condition that a document still has this etag; none without one."""
    if etag is None:
        return {}
    return {"etag": f'"{etag}"', "match_condition": MatchConditions.IfNotModified}


def _bare(etag: Any) -> str:
    return str(etag or "").strip('"')
