"""The timer trigger: each occurrence runs once, however many hosts share the storage.

As in the real host, a blob in the container `azure-webjobs-hosts` says when a timer last fired, and a lease
on it makes one host at a time the one that fires. Here the lease is held for one occurrence rather than for
the life of the host, so that a killed host's timers go on elsewhere within the lease's 15 seconds.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient

from simulator.host.lock import happened
from simulator.host.ncrontab import Schedule
from simulator.host.triggers import TimerTick

log = logging.getLogger(__name__)

CONTAINER = "azure-webjobs-hosts"
LEASE = 15  # seconds; the shortest storage allows
RETRY = 1.0  # seconds between tries while storage is down
Handler = Callable[[TimerTick], Awaitable[bool]]


class TimerListener:
    """Fires one function by its schedule until told to stop."""

    def __init__(
        self, storage: BlobServiceClient, path: str, schedule: Schedule, handle: Handler, *, at_start: bool
    ) -> None:
        """`path` names the status blob; `at_start` is the trigger's runOnStartup."""
        self._container = storage.get_container_client(CONTAINER)
        self._blob: BlobClient = self._container.get_blob_client(path)
        self._schedule = schedule
        self._handle = handle
        self._at_start = at_start
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Fire until `stop`; while storage is down an occurrence is tried again and counts as past due."""
        self._loop = asyncio.current_task()
        due = await self._first(datetime.now(UTC))
        while not self._stopping.is_set():
            if (wait := (due - datetime.now(UTC)).total_seconds()) > 0:
                await happened(self._stopping, within=wait)
                continue
            try:
                await self._fire(due)
            except AzureError as failed:
                log.info("Timer %s waits for storage: %s", self._blob.blob_name, type(failed).__name__)
                await happened(self._stopping, within=RETRY)
            else:
                self._at_start = False
                due = self._schedule.after(max(due, datetime.now(UTC)))

    async def stop(self, grace: float) -> None:
        """Fire no more; a running function gets `grace` seconds and is cancelled then."""
        self._stopping.set()
        if self._loop and not self._loop.done():
            _, late = await asyncio.wait([self._loop], timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _first(self, now: datetime) -> datetime:
        """When to fire first: at once if asked to or if an occurrence was missed, else by the schedule."""
        if self._at_start:
            return now
        try:
            last = await self._last()
        except AzureError:
            last = None
        return self._schedule.after(last or now)

    async def _fire(self, due: datetime) -> None:
        async with self._lease() as lease:
            if lease is None:
                return
            last = await self._last()
            if last and last >= due and not self._at_start:
                return
            now = datetime.now(UTC)
            following = self._schedule.after(now)
            status = {"last": due.isoformat(), "next": following.isoformat()}
            await self._blob.upload_blob(json.dumps(status), overwrite=True, lease=lease)
            await self._handle(
                TimerTick(next=following, last=last, past_due=following <= now or _late(due, now))
            )

    async def _last(self) -> datetime | None:
        try:
            said = json.loads(await (await self._blob.download_blob()).readall())
        except ResourceNotFoundError:
            return None
        return datetime.fromisoformat(said["last"]) if "last" in said else None

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[BlobLeaseClient | None]:
        """The lease, renewed while the block runs; None when another host holds it."""
        lease = await self._acquire()
        if lease is None:
            yield None
            return
        done = asyncio.Event()
        renewals = asyncio.create_task(self._renew(lease, done))
        try:
            yield lease
        finally:
            done.set()
            await renewals
            try:
                await lease.release()
            except AzureError as failed:
                log.info("A lease of %s runs out by itself: %s", self._blob.blob_name, type(failed).__name__)

    async def _acquire(self) -> BlobLeaseClient | None:
        try:
            return await self._blob.acquire_lease(lease_duration=LEASE)
        except ResourceNotFoundError:
            await self._create()
        except ResourceExistsError:
            return None
        try:
            return await self._blob.acquire_lease(lease_duration=LEASE)
        except ResourceExistsError:
            return None

    async def _renew(self, lease: BlobLeaseClient, done: asyncio.Event) -> None:
        while not await happened(done, within=LEASE / 3):
            try:
                await lease.renew()
            except AzureError as failed:
                log.warning(
                    "Timer %s could not renew its lease: %s", self._blob.blob_name, type(failed).__name__
                )

    async def _create(self) -> None:
        for make in (
            self._container.create_container,
            lambda: self._blob.upload_blob(b"{}", overwrite=False),
        ):
            try:
                await make()
            except ResourceExistsError:  # another host was faster
                continue


def _late(due: datetime, now: datetime) -> bool:
    return (now - due).total_seconds() > 1
