"""Plays one wave and gathers what it cost."""

import asyncio
import gc
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from benchmarks.growth import Size
from benchmarks.rehearsal.due import Course, Due, due
from benchmarks.rehearsal.host import Host
from benchmarks.rehearsal.looks import watched
from benchmarks.rehearsal.scene import START, Part, Scene, Shares, scene
from benchmarks.rehearsal.storage import STAGE
from handlers.cloud.names import ARCHIVE_PREFIX, RUNS_PREFIX
from handlers.runs import queue
from handlers.wire.documents import decode
from planner.decision.estimate import took
from planner.record.run import Run
from simulator.fleet.ledger import Ended, StartAsked

TOLD = timedelta(minutes=30)
"""After the announcement: by then the digest has been sent."""

LAYING = "of it: laying places"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is rehearsed: `days` of a wave, with a message every `pace`; `regions` in flight at once.

    `left`: Azure throttles by its published buckets, of which others leave us that share.
    """

    size: Size
    seed: int = 1
    days: float = 35
    shares: Shares = field(default_factory=Shares)
    regions: int = 2
    pace: timedelta = timedelta(milliseconds=20)
    left: float | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """A scale set's end as it was told on day 0, and as it came; `as_planned`: its batches took what was planned."""

    name: str
    told: datetime
    came: datetime
    as_planned: bool

    @property
    def off(self) -> timedelta:
        return abs(self.came - self.told)

    @property
    def share(self) -> float:
        """How far off it was, by the time it looked ahead."""
        return self.off / (self.told - START)


@dataclass(slots=True)
class Played:
    """What a wave has cost; `wall` is in seconds."""

    wanted: Wanted
    host: Host
    runs: dict[str, Run]
    dues: dict[str, Due]
    forecasts: list[Forecast]
    untold: int
    wall: float

    @property
    def scene(self) -> Scene:
        return self.host.scene

    @property
    def due(self) -> Due:
        whole = Due()
        for each in self.dues.values():
            whole.add(each)
        return whole

    @property
    def sizes(self) -> list[int]:
        """Bytes of each run's record."""
        found = self.host.records.documents.items()
        return [len(stored.body) for path, (stored, _) in found if path.startswith(RUNS_PREFIX)]

    @property
    def stored(self) -> int:
        """Bytes of all that is on record."""
        return sum(len(stored.body) for stored, _ in self.host.records.documents.values())

    @property
    def transactions(self) -> Counter[str]:
        """Of storage, by kind: each message is sent, received and deleted."""
        found: Counter[str] = Counter()
        for (kind, _), number in self.host.records.used.items():
            found[kind] += number
        found["send a message"] = self.host.queues.sent.total()
        found["receive, delete a message"] = 2 * self.host.handled.total()
        return found


def play(wanted: Wanted) -> Played:
    """The wave from its alert on; raises AssertionError where a message failed."""
    return asyncio.run(_play(wanted))


async def _play(wanted: Wanted) -> Played:
    made = scene(wanted.size.sets, wanted.size.each, wanted.seed, wanted.shares, wanted.regions)
    until = START + timedelta(days=wanted.days)
    host = Host(made, wanted.seed, pace=wanted.pace, left=wanted.left)
    began = time.perf_counter()
    # What a fleet of objects costs the collector is not the product's.
    gc.collect()
    gc.freeze()
    with watched(), _inline(host):
        await host.announce()
        await host.until(START + TOLD)
        assert host.mail.taken, "Nobody has been told of the wave within half an hour."
        told = await _told(host)
        await host.until(until)
    gc.unfreeze()
    wall = time.perf_counter() - began
    assert not host.failed, host.failed
    runs = {path: decode(Run, body) for path, body in _bodies(host, RUNS_PREFIX)}
    dues = _dues(host, runs, until)
    forecasts = [
        _forecast(made.parts[run.target.name], run, told[path])
        for path, run in runs.items()
        if path in told and run.ended_at is not None
    ]
    return Played(wanted, host, runs, dues, forecasts, len(runs) - len(forecasts), wall)


@contextmanager
def _inline(host: Host) -> Iterator[None]:
    """While this lasts work beside the loop is done in it, and the laying of places is booked."""
    thread, lay = asyncio.to_thread, queue.lay  # type: ignore[attr-defined]

    async def at_once(work: Callable[..., Any], *given: Any, **named: Any) -> Any:
        return work(*given, **named)

    def laid(*given: Any, **named: Any) -> Any:
        host.laid[STAGE.get()] += 1
        began = time.thread_time()
        try:
            return lay(*given, **named)
        finally:
            host.cpu[LAYING] += time.thread_time() - began

    asyncio.to_thread, queue.lay = at_once, laid  # type: ignore[assignment,attr-defined]
    try:
        yield
    finally:
        asyncio.to_thread, queue.lay = thread, lay  # type: ignore[attr-defined]


def _bodies(host: Host, prefix: str) -> Iterator[tuple[str, bytes]]:
    for path, (stored, _) in host.records.documents.items():
        if path.startswith(prefix):
            yield path, stored.body


async def _told(host: Host) -> dict[str, datetime]:
    """The forecast end of each run, as digest and pages say it."""
    runs = {path: decode(Run, body) for path, body in _bodies(host, RUNS_PREFIX)}
    placed = await queue.in_place(runs, host.wiring)
    return {path: end for path, run in placed.items() if (end := run.times.forecast_end) is not None}


def _forecast(part: Part, run: Run, told: datetime) -> Forecast:
    lengths = [length for batch in run.batches if (length := took(batch)) is not None]
    poll = timedelta(minutes=1)
    planned = bool(lengths) and all(abs(length - 10 * poll) <= poll for length in lengths)
    assert run.ended_at is not None
    return Forecast(run.target.name, told, run.ended_at, as_planned=planned and not part.sick)


def _dues(host: Host, runs: dict[str, Run], until: datetime) -> dict[str, Due]:
    """What was due, by path of the run."""
    assert not any(True for _ in _bodies(host, ARCHIVE_PREFIX)), "A run was opened again."
    operations = _operations(host, until)
    words: Counter[str] = Counter()
    for (name, _), number in host.people.words.items():
        words[name] += number
    found = {}
    for path, run in runs.items():
        name, written = run.target.name, host.courses.by_path[path]
        # Whose plan waits for a person is planned again with all checks made.
        plans = 2 if host.scene.parts[name].approvals else 1
        pauses = written.paused_until(until)
        course = Course(run, written.created, pauses, operations[run.target.id.lower()], words[name], plans)
        found[path] = due(course, until)
    return found


def _operations(host: Host, until: datetime) -> defaultdict[str, list[timedelta]]:
    """How long each operation of ours took, by the id of its scale set."""
    asked: dict[str, tuple[str, datetime]] = {}
    found: defaultdict[str, list[timedelta]] = defaultdict(list)
    for fact in host.scene.fleet.ledger:
        if isinstance(fact, StartAsked) and fact.accepted and fact.who == "customer":
            asked[fact.operation] = fact.scale_set.lower(), fact.at
        elif isinstance(fact, Ended) and fact.operation in asked:
            owner, at = asked.pop(fact.operation)
            found[owner].append(fact.at - at)
    for owner, at in asked.values():
        found[owner].append(until - at)
    return found


def middle(values: Any) -> float:
    found = list(values)
    return float(median(found)) if found else 0.0
