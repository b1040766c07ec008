"""Runs on record: read, written, archived and listed; and the message that has a run polled."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.names import ARCHIVE_PREFIX, RUNS_PREFIX, archive_path, run_path
from handlers.cloud.queues import Queues
from handlers.cloud.records import Conflict, Listed, Records
from handlers.cloud.side_by_side import side_by_side
from handlers.log import logger
from handlers.wire.documents import BadRecord, NewerRecord, decode, encode, run_metadata, waves_of
from handlers.wire.ids import NOTICES, RUNS
from handlers.wire.messages import NoticeMessage, PersonEvent, RunMessage
from planner.azure.fleet import ScaleSet
from planner.record.run import Run

log = logger(__name__)

AT_ONCE = 16
"""Documents read side by side: storage answers in parallel, decoding does not."""

KEPT_BYTES = 16 * 1024 * 1024
"""How much JSON stays decoded; a worker must stay under 512 MiB in all."""

TOGETHER = timedelta(seconds=5)
"""How far apart first polls may be due that share a message; none comes early, some so much late."""

FRESH = timedelta(seconds=20)
"""How long a listing is reused: hundreds of runs may wait for the same limit."""


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as it stands on record at `path` under `etag`."""

    path: str
    run: Run
    etag: str


def path_of(scale_set: ScaleSet) -> str:
    """Where the run of a scale set is on record."""
    return run_path(scale_set.subscription, scale_set.resource_group, scale_set.name)


def current_path(archived: str) -> str:
    """Where an archived run was on record before a later one took its place."""
    return f"{RUNS_PREFIX}{archived.removeprefix(ARCHIVE_PREFIX).rpartition('/')[0]}.json"


def place_of(line: Listed) -> tuple[str, str, str]:
    """Subscription, resource group and name of a listed run, in Azure's spelling."""
    subscription, group, name = line.path.removeprefix(RUNS_PREFIX).removesuffix(".json").split("/")
    return (
        subscription,
        unquote(line.metadata.get("resource_group", group)),
        unquote(line.metadata.get("name", name)),
    )


class Runs:
    """One worker's way to the runs. Every method may raise StorageDown.

    Decoded runs are kept, up to `KEPT_BYTES`, and reused while their ETag is the same.
    """

    def __init__(
        self, records: Callable[[], Records], queues: Callable[[], Queues], now: Callable[[], datetime]
    ) -> None:
        self._records, self._queues, self._now = records, queues, now
        self._decoded = _Decoded()
        self._listings: dict[str, tuple[datetime, list[Listed]]] = {}

    async def read(self, path: str) -> StoredRun | None:
        """The run, None when there is none. Raises BadRecord and NewerRecord."""
        stored = await self._records().read(path)
        return StoredRun(path, decode(Run, stored.body), stored.etag) if stored is not None else None

    async def read_if_changed(self, known: StoredRun) -> StoredRun | None:
        """The run as somebody else has written it since, None while it is as known.

        Raises Absent when it is gone, BadRecord and NewerRecord.
        """
        stored = await self._records().read_if_changed(known.path, known.etag)
        if stored is None:
            return None
        return StoredRun(known.path, decode(Run, stored.body), stored.etag)

    async def write(self, path: str, run: Run, etag: str | None) -> str:
        """Replace the run that has this ETag (None: there must be none yet); the new ETag.

        Raises Conflict when somebody wrote in between.
        """
        return await self._records().write(path, encode(run), etag=etag, metadata=run_metadata(run))

    async def archive(self, run: Run) -> None:
        """Keep a run that is over beside the one that takes its place, once."""
        target = run.target
        path = archive_path(
            target.subscription, target.resource_group, target.name, run.ended_at or self._now()
        )
        try:
            await self._records().create(path, encode(run), run_metadata(run))
        except Conflict:
            log.info("run.archived_already", extra={"path": path})

    async def listed(self, prefix: str = RUNS_PREFIX) -> list[Listed]:
        """Every listed run that belongs to a wave."""
        return [line for line in await self._records().list(prefix) if waves_of(line.metadata)]

    async def listed_at(self, path: str) -> Listed | None:
        """One run's line of the listing, None when there is no run."""
        return next((line for line in await self.listed(path) if line.path == path), None)

    async def archived(self, path: str = "") -> list[Listed]:
        """The listing of the runs that later ones have replaced, at `path` or everywhere; oldest first."""
        place = f"{path.removeprefix(RUNS_PREFIX).removesuffix('.json')}/" if path else ""
        return await self.listed(f"{ARCHIVE_PREFIX}{place}")

    async def of_subscription(self, subscription: str, *, fresh: bool = False) -> Sequence[Listed]:
        """The listing of a subscription's runs, shared by all calls within `FRESH` unless it is read anew."""
        key = subscription.lower()
        known = self._listings.get(key)
        if fresh or known is None or known[0] + FRESH <= self._now():
            lines = await self._records().list(f"{RUNS_PREFIX}{key}/")
            known = self._listings[key] = (self._now(), lines)
        return known[1]

    async def read_listed(self, listed: Iterable[Listed]) -> dict[str, Run]:
        """The runs by path, without those that are gone by now or that cannot be read, which are logged."""

        async def read(line: Listed) -> tuple[str, Run | None]:
            known = self._decoded.get(line.path, line.etag)
            if known is not None:
                return line.path, known
            stored = await self._records().read(line.path)
            if stored is None:
                return line.path, None
            try:
                run = decode(Run, stored.body)
            except (NewerRecord, BadRecord) as error:
                log.warning("run.unreadable", extra={"path": line.path, "why": str(error)})
                return line.path, None
            self._decoded.put(line.path, stored.etag, run, len(stored.body))
            return line.path, run

        found = await side_by_side(read, listed, AT_ONCE)
        return {path: run for path, run in found if run is not None}

    async def send_poll(
        self, run: Run, *, at: datetime | None = None, event: PersonEvent | None = None, traceparent: str = ""
    ) -> None:
        """Have the run polled at `at` (None: at once), in the generation it has now."""
        target = run.target
        place = (target.subscription, target.resource_group, target.name)
        await self.send_poll_of(place, run.generation, at=at, event=event, traceparent=traceparent)

    async def send_first_polls(self, runs: Iterable[Run]) -> None:
        """Have new runs polled when they are due, those that are due at about the same time together."""
        rest = sorted(runs, key=lambda run: run.due)
        while rest:
            group = [run for run in rest if run.due <= rest[0].due + TOGETHER]
            rest = rest[len(group) :]
            messages = [
                RunMessage(
                    subscription=run.target.subscription,
                    resource_group=run.target.resource_group,
                    name=run.target.name,
                    generation=run.generation,
                )
                for run in group
            ]
            delay = max(group[-1].due - self._now(), timedelta(0))
            await self._queues().send_together(RUNS, messages, delay=delay)

    async def send_notify(self, run: Run) -> None:
        """Have the untold notices of the run's wave sent."""
        await self._queues().send(NOTICES, NoticeMessage(tracking_id=run.waves[0], kind="wave"))

    async def send_poll_of(
        self,
        place: tuple[str, str, str],
        generation: int,
        *,
        at: datetime | None = None,
        event: PersonEvent | None = None,
        traceparent: str = "",
        wake: bool = False,
    ) -> None:
        """The same by subscription, resource group and name."""
        subscription, group, name = place
        message = RunMessage(
            subscription=subscription,
            resource_group=group,
            name=name,
            generation=generation,
            event=event,
            traceparent=traceparent[:200],
            wake=wake,
        )
        delay = max(at - self._now(), timedelta(0)) if at is not None else timedelta(0)
        await self._queues().send(RUNS, message, delay=delay)


class _Decoded:
    """Runs by path with their ETags, the longest unused dropped first."""

    def __init__(self) -> None:
        self._runs: OrderedDict[str, tuple[str, Run, int]] = OrderedDict()
        self._size = 0

    def get(self, path: str, etag: str) -> Run | None:
        known = self._runs.get(path)
        if known is None or known[0] != etag:
            return None
        self._runs.move_to_end(path)
        return known[1]

    def put(self, path: str, etag: str, run: Run, size: int) -> None:
        old = self._runs.pop(path, None)
        self._size += size - (old[2] if old else 0)
        self._runs[path] = (etag, run, size)
        while self._size > KEPT_BYTES and len(self._runs) > 1:
            self._size -= self._runs.popitem(last=False)[1][2]
