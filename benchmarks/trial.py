"""One wave planned by Breakwater, in a process of its own: `python -m benchmarks.trial`, its task as JSON.

The app runs under the local host in this process, so that its CPU can be booked to Azure's SDK, to storage's,
to the host that stands in for Azure's, and to Breakwater itself. Prints what was measured as JSON. Imports are
not part of it, as they are not part of a script's time.
"""

import asyncio
import importlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.accounts import Book, cpu_of, machine, starved
from simulator.host import keys, worker
from simulator.host.host import Host
from simulator.host.queues import QueueListener

ROOT = Path(__file__).resolve().parent.parent
POLICY = "defaults:\n  self-service: always\n"
OWN, AZURE, STORAGE, HOST, REST = (
    "Breakwater",
    "Azure's SDK",
    "storage's SDK",
    "local host",
    "HTTP, event loop",
)


@dataclass(frozen=True, slots=True)
class Task:
    """`others` are processes whose CPU is measured along, by what they are."""

    sets: int
    alert: dict[str, Any]
    environment: dict[str, str]
    others: dict[str, int]


@dataclass(slots=True)
class Measured:
    """Seconds from the accepted alert to the last run on record, and of CPU by who spent them until then.

    `queued` is how long the host took to fetch the alert and then the first scale sets; `starved` how long the
    app was ready and waited for a processor; `elsewhere` how many processors something else kept busy, which has
    nothing to do with this. `storage` are the calls until each run's first poll was asked
    for, too, by what they do.
    """

    wall: float = 0.0
    queued: float = 0.0
    starved: float = 0.0
    elsewhere: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    storage: dict[str, int] = field(default_factory=dict)
    arm: int = 0


class _Watch:
    """Sees every write and every message, and knows when the last run is on record and to be polled."""

    def __init__(self, sets: int) -> None:
        self.calls: Counter[str] = Counter()
        self.planned, self.asked_for = asyncio.Event(), asyncio.Event()
        self.moments: dict[str, float] = {}
        self._sets = sets
        self._runs: set[str] = set()
        self._polls = 0

    def note(self, moment: str) -> None:
        """When something happens for the first time."""
        self.moments.setdefault(moment, time.perf_counter())

    def between(self, earlier: str, later: str) -> float:
        return self.moments[later] - self.moments[earlier]

    def wrote(self, path: str) -> None:
        self.calls[f"write {path.partition('/')[0]}"] += 1
        if path.startswith("runs/"):
            self._runs.add(path)
            if len(self._runs) == self._sets:
                self.note("planned")
                self.planned.set()

    def sent(self, queue: str, text: str) -> None:
        from handlers.wire.bundles import texts_in

        self.calls[f"send {queue}"] += 1
        self.note(f"sent {queue}")
        if queue == "runs":
            self._polls += len(texts_in(queue, text)) or 1
            if self._polls == self._sets:
                self.asked_for.set()


async def main(task: Task) -> Measured:
    """Play the task."""
    book, watch = Book(), _Watch(task.sets)
    with tempfile.TemporaryDirectory() as folder:
        policy = Path(folder) / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        os.environ.update(
            task.environment, BREAKWATER_POLICY=str(policy), BREAKWATER_SWEEP_SCHEDULE="0 0 0 1 1 *"
        )
        host = Host(ROOT, worker=worker.InProcess(ROOT))
        address = await host.start(0)
        _keep(book, watch)
        async with aiohttp.ClientSession() as http:
            # The queues' listeners are up when health answers with depths.
            while (await http.get(f"{address}/api/health")).status != 200:
                await asyncio.sleep(0.1)
            book.clear()
            watch.calls.clear()
            watch.moments.clear()
            others = {name: cpu_of(pid) for name, pid in task.others.items()}
            posted = json.dumps(task.alert).encode()
            async with http.post(
                f"{address}/api/alerts", data=posted, headers={keys.HEADER: host.key}
            ) as answer:
                assert answer.status == 202, await answer.text()
            watch.note("accepted")
            cpu, waited, busy = time.process_time(), starved(), machine()
            await asyncio.wait_for(watch.planned.wait(), 300)
            measured = Measured(wall=watch.between("accepted", "planned"), arm=book.calls[AZURE])
            measured.queued = watch.between("accepted", "discover") + watch.between("sent scale-sets", "plan")
            measured.starved = starved() - waited
            busy = machine() - busy
            measured.cpu = dict(book.cpu)
            measured.cpu[REST] = time.process_time() - cpu - sum(book.cpu.values())
            measured.cpu |= {name: cpu_of(pid) - others[name] for name, pid in task.others.items()}
            measured.elsewhere = max(0.0, busy - sum(measured.cpu.values())) / measured.wall
            await asyncio.wait_for(watch.asked_for.wait(), 60)
            measured.storage = dict(watch.calls)
        await host.stop()
    import function_app

    await function_app.wiring().close()
    return measured


def _keep(book: Book, watch: _Watch) -> None:
    """Book the faces of the app in this process, and notice the last run."""
    for module in ("azure.identity.aio", "azure.mgmt.compute.aio", "handlers.wire.policy_file"):
        # Scripts are measured without their imports, too.
        importlib.import_module(module)
    from handlers.cloud.compute import Compute
    from handlers.cloud.queues import Queues
    from handlers.cloud.records import Records
    from handlers.stages import discover, plan

    write, send = Records.write, Queues.send_text

    async def written(records: Records, path: str, body: bytes, **options: Any) -> str:
        etag = await write(records, path, body, **options)
        watch.wrote(path)
        return etag

    async def sent(queues: Queues, queue: str, text: str, **options: Any) -> None:
        await send(queues, queue, text, **options)
        watch.sent(queue, text)

    def counted(name: str) -> Any:
        original = getattr(Records, name)

        async def call(records: Records, path: str, *args: Any, **options: Any) -> Any:
            watch.calls[f"{name} {path.partition('/')[0]}"] += 1
            return await original(records, path, *args, **options)

        return call

    def begun(stage: str, handle: Any) -> Any:
        async def call(*args: Any) -> None:
            watch.note(stage)
            await handle(*args)

        return call

    faces: list[tuple[Any, str, str, Any]] = [
        (Records, "write", STORAGE, written),
        *((Records, name, STORAGE, counted(name)) for name in ("read", "read_if_changed", "list", "delete")),
        (Queues, "send_text", STORAGE, sent),
        (Compute, "_send", AZURE, Compute._send),  # noqa: SLF001 - the one way of reads to Azure
        (plan, "_plan", OWN, plan._plan),  # noqa: SLF001 - one scale set, in a task of its own
        (plan, "handle", OWN, begun("plan", plan.handle)),
        (discover, "handle", OWN, begun("discover", discover.handle)),
        (QueueListener, "_take", HOST, QueueListener._take),  # noqa: SLF001
        (QueueListener, "_settle", HOST, QueueListener._settle),  # noqa: SLF001
        (worker, "invoke", HOST, worker.invoke),
    ]
    for owner, name, account, function in faces:
        setattr(owner, name, book.booked(account, function))


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(main(Task(**json.load(sys.stdin)))))))
