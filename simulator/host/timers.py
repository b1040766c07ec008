"""The timer trigger: each occurrence runs once, however many hosts share the storage.

As in the real host, a blob in the container `azure-webjobs-hosts` says when a timer last fired, and a lease
on it makes one host at a time the one that fires. Here the lease is held for one occurrence rather than for
the life of the host, so that a killed host's timers go on elsewhere within the lease's 15 seconds.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import (
    AzureError,
    ResourceExistsError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, BlobServiceClient

from simulator.host.lock import happened
from simulator.host.ncrontab import Schedule
from simulator.host.triggers import TimerStatus, TimerTick

log = logging.getLogger(__name__)

CONTAINER = "azure-webjobs-hosts"
LEASE = 15  # seconds; the shortest storage allows
RETRY = 1.0  # seconds between tries while storage is down
Handler = Callable[[TimerTick], Awaitable[bool]]


class TimerListener:
    """Fires one function by its schedule until told to stop."""

    def __init__(
        self,
        storage: BlobServiceClient,
        path: str,
        schedule: Schedule,
        handle: Handler,
        *,
        at_start: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`path` names the status blob; `at_start` is the trigger's runOnStartup; `clock` says what time it is."""
        self._container = storage.get_container_client(CONTAINER)
        self._blob: BlobClient = self._container.get_blob_client(path)
        self._schedule = schedule
        self._handle = handle
        self._at_start = at_start
        self._clock = clock
        # The real host keeps no status of a schedule of less than a minute: nothing is caught up on, none is told.
        self._monitored = schedule.shortest_pause() >= timedelta(minutes=1)
        self._stopping = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Fire until `stop`; while storage is down an occurrence is tried again and counts as past due."""
        self._loop = asyncio.current_task()
        due = await self.first()
        while not self._stopping.is_set():
            if (wait := (due - self._clock()).total_seconds()) > 0:
                await happened(self._stopping, within=wait)
                continue
            try:
                await self.fire(due)
            except AzureError as failed:
                log.info("Timer %s waits for storage: %s", self._blob.blob_name, type(failed).__name__)
                await happened(self._stopping, within=RETRY)
            else:
                self._at_start = False
                due = self._schedule.after(max(due, self._clock()))

    async def stop(self, grace: float) -> None:
        """Fire no more; a running function gets `grace` seconds and is cancelled then."""
        self._stopping.set()
        if self._loop and not self._loop.done():
            _, late = await asyncio.wait([self._loop], timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def fire(self, due: datetime) -> None:
        """Run the occurrence at `due` unless another host has, then put it on record: a crash repeats it."""
        async with self._lease() as lease:
            if lease is None:
                return
            now = self._clock()
            status = await self._status(lease) or self._begun(now)
            if status.last and status.last >= due and not self._at_start:
                return
            late = self._monitored and (now - due).total_seconds() > 1
            tick = TimerTick(at=now, status=status if self._monitored else None, past_due=late)
            await self._handle(tick)
            await self._put(TimerStatus(last=now, next=self._schedule.after(now), updated=now), lease)

    async def first(self) -> datetime:
        """When to fire first: at once if asked to or if an occurrence was missed, else by the schedule."""
        now = self._clock()
        if self._at_start:
            return now
        status = None
        with suppress(AzureError):
            async with self._lease() as lease:
                status = await self._status(lease)
                if status is None and lease is not None:
                    await self._put(self._begun(now), lease)
        return self._schedule.after(status.updated if status and self._monitored else now)

    def _begun(self, now: datetime) -> TimerStatus:
        return TimerStatus(last=None, next=self._schedule.after(now), updated=now)

    async def _status(self, lease: BlobLeaseClient | None) -> TimerStatus | None:
        try:
            said = json.loads(await (await self._blob.download_blob(lease=lease)).readall())
        except ResourceNotFoundError:
            return None
        return _read(said) if said else None

    async def _put(self, status: TimerStatus, lease: BlobLeaseClient) -> None:
        await self._blob.upload_blob(
            json.dumps({name: moment and moment.isoformat() for name, moment in asdict(status).items()}),
            overwrite=True,
            lease=lease,
        )

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


def _read(said: dict[str, str | None]) -> TimerStatus:
    last, following, updated = (said[name] for name in ("last", "next", "updated"))
    assert following is not None
    assert updated is not None
    return TimerStatus(
        last=datetime.fromisoformat(last) if last else None,
        next=datetime.fromisoformat(following),
        updated=datetime.fromisoformat(updated),
    )
