"""Reading a wave: one listing, then only the documents that changed since they were last read."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable
from datetime import datetime
from weakref import WeakKeyDictionary

from handlers.cloud.names import RUNS_PREFIX, run_path, wave_prefix
from handlers.cloud.records import Listed
from handlers.wire.documents import BadRecord, NewerRecord, decode_run, waves_of
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.notices.digest import Row
from planner.record.run import Run
from planner.record.states import RunState

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Documents read side by side: storage answers in parallel, decoding does not."""

KEPT_BYTES = 16 * 1024 * 1024
"""How much JSON stays decoded; a worker must stay under 512 MiB with everything else."""


class _Kept:
    def __init__(self) -> None:
        self.runs: OrderedDict[str, tuple[str, Run, int]] = OrderedDict()
        self.size = 0

    def get(self, path: str, etag: str) -> Run | None:
        known = self.runs.get(path)
        if known is None or known[0] != etag:
            return None
        self.runs.move_to_end(path)
        return known[1]

    def put(self, path: str, etag: str, run: Run, size: int) -> None:
        old = self.runs.pop(path, None)
        self.size += size - (old[2] if old else 0)
        self.runs[path] = (etag, run, size)
        while self.size > KEPT_BYTES and len(self.runs) > 1:
            self.size -= self.runs.popitem(last=False)[1][2]


_kept: WeakKeyDictionary[Wiring, _Kept] = WeakKeyDictionary()


async def listed_runs(wiring: Wiring, prefix: str = RUNS_PREFIX) -> list[Listed]:
    """Every run of the listing that belongs to some wave."""
    return [one for one in await wiring.records.list(prefix) if waves_of(one.metadata)]


async def runs(wiring: Wiring, listed: Iterable[Listed]) -> dict[str, Run]:
    """The runs by path. What is gone meanwhile, or cannot be read by this version, is left out and logged."""
    kept = _kept.setdefault(wiring, _Kept())
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(line: Listed) -> tuple[str, Run | None]:
        known = kept.get(line.path, line.etag)
        if known is not None:
            return line.path, known
        async with gate:
            stored = await wiring.records.read(line.path)
        if stored is None:
            return line.path, None
        try:
            run = decode_run(stored.body)
        except (NewerRecord, BadRecord) as error:
            log.warning("run.unreadable", extra={"path": line.path, "reason": str(error)})
            return line.path, None
        kept.put(line.path, stored.etag, run, len(stored.body))
        return line.path, run

    found = await asyncio.gather(*(one(line) for line in listed))
    return {path: run for path, run in found if run is not None}


async def waves(wiring: Wiring, tracking_id: str) -> tuple[Wave, ...]:
    """The wave's records, one per subscription; ValueError when it is no tracking id."""
    found = []
    for line in await wiring.records.list(wave_prefix(tracking_id)):
        subscription = line.path.rpartition("/")[2].removesuffix(".json")
        wave = await wiring.wave(tracking_id, subscription)
        if wave is not None and wave.announcements:
            found.append(wave)
    return tuple(found)


def row(line: Listed, key: str = "") -> Row:
    """A run as its metadata shows it; `key` for one that is not in its place any more."""
    deadline = line.metadata.get("deadline")
    return Row(
        key=key or line.path,
        state=RunState(line.metadata.get("state", RunState.SCHEDULED.value)),
        needs_person=line.metadata.get("needs_person") == "true",
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        waits=line.metadata.get("waits", ""),
    )


def roster(found: Iterable[Wave]) -> tuple[str, ...]:
    """The keys of every scale set on the wave's rosters: the paths of their runs."""
    sets = [member.scale_set for wave in found for member in wave.roster]
    return tuple(
        run_path(scale_set.subscription, scale_set.resource_group, scale_set.name) for scale_set in sets
    )
