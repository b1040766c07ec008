"""A worker in a process of its own, so that its memory can be told from that of storage and Azure.

Everything outside of it (records, queues, Azure, mail) stays in the first process and is asked over a pipe.
The worker has every client of the product imported, as after its first hours; not the Functions host's own
worker around it.
"""

import asyncio
import importlib
import multiprocessing
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.rehearsal.azure import Client
from benchmarks.rehearsal.host import STAGES, Host, Mail
from benchmarks.rehearsal.play import Wanted
from benchmarks.rehearsal.scene import START, SUBSCRIPTIONS, Scene, scene
from benchmarks.rehearsal.storage import Waiting
from handlers.intake import hand_over
from handlers.stages import sweep
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from simulator.arm.answers import Reply

CLIENTS = (
    "azure.functions",
    "azure.identity.aio",
    "azure.mgmt.compute.aio",
    "azure.storage.blob.aio",
    "azure.storage.queue.aio",
    "handlers.channels",
    "handlers.render.page",
    "handlers.wire.policy_file",
    "function_app",
)


def measured(wanted: Wanted) -> float:
    """The most memory, in MiB, that a worker takes while a wave of this size is planned, told and begun.

    To be asked before this process has grown: a process begins with the memory of the one that made it.
    """
    ours, theirs = multiprocessing.Pipe()
    apart = multiprocessing.get_context("spawn").Process(target=_worker, args=(theirs,))
    apart.start()
    made = scene(wanted.size.sets, wanted.size.each, wanted.seed, wanted.shares, wanted.regions)
    ours.send(made.policy)
    host = Apart(made, wanted.seed, pace=wanted.pace, worker=ours)
    asyncio.run(_play(host, START + timedelta(days=wanted.days)))
    assert not host.failed, host.failed
    ours.send(None)
    before, most = map(float, ours.recv())
    apart.join()
    print(
        f"A worker apart, {wanted.days:g} days, {wanted.size.instances:,} instances: {most:.0f} MiB at most, "
        f"{before:.0f} MiB before its first message; storage holds {_stored(host):.0f} MiB of documents\n"
    )
    return most


async def _play(host: "Apart", until: datetime) -> None:
    await host.announce()
    await host.until(until)


def _stored(host: Host) -> float:
    return sum(len(stored.body) for stored, _ in host.records.documents.values()) / 2**20


class Apart(Host):
    """The host whose messages the worker at the other end of the pipe handles."""

    def __init__(self, scene: Scene, seed: int, *, pace: timedelta, worker: Connection) -> None:
        super().__init__(scene, seed, pace=pace)
        self._worker = worker

    async def work(self, taken: Sequence[Waiting]) -> None:
        for message in taken:
            self.handled[message.queue] += 1
        await self._let((self.clock(), [(each.queue, each.text) for each in taken]))

    async def sweep(self) -> None:
        await self._let((self.clock(), []))

    async def _let(self, work: Any) -> None:
        """Have it work, answering what it asks, until it is done."""
        self._worker.send(work)
        while True:
            kind, what = self._worker.recv()
            if kind == "done":
                self.failed.update(what)
                return
            name, given, named = what
            try:
                self._worker.send((await self._asked(name, given, named), None))
            except Exception as error:  # noqa: BLE001 - it is the worker's to handle
                self._worker.send((None, error))

    async def _asked(self, name: str, given: Any, named: Any) -> Any:
        thing, _, method = name.partition(".")
        if thing == "azure":
            return self.azure.answer(*given)
        return await getattr({"records": self.records, "queues": self.queues}[thing], method)(*given, **named)


@dataclass(slots=True)
class _Outside:
    """What is outside of the worker, asked over the pipe."""

    pipe: Connection
    now: datetime = START

    def __call__(self, name: str, *given: Any, **named: Any) -> Any:
        self.pipe.send(("ask", (name, given, named)))
        answer, error = self.pipe.recv()
        if error is not None:
            raise error
        return answer

    def answer(self, method: str, url: str, body: bytes = b"") -> Reply:
        reply: Reply = self("azure.answer", method, url, body)
        return reply


class _Remote:
    """Records or queues: every method is asked for outside, and other work goes on meanwhile."""

    def __init__(self, outside: _Outside, name: str) -> None:
        self._outside, self._name = outside, name

    def __getattr__(self, method: str) -> Any:
        async def ask(*given: Any, **named: Any) -> Any:
            await asyncio.sleep(0)
            return self._outside(f"{self._name}.{method}", *given, **named)

        return ask


def _worker(pipe: Connection) -> None:
    for name in CLIENTS:
        importlib.import_module(name)
    outside, settings = _Outside(pipe), Settings(AzureWebJobsStorage="UseDevelopmentStorage=true")
    wiring = Wiring(settings, lambda: outside.now)
    wiring.__dict__.update(
        records=_Remote(outside, "records"), queues=_Remote(outside, "queues"), channels=Mail()
    )
    clients = {name: Client(outside, name, wiring) for name in SUBSCRIPTIONS}
    wiring.compute = lambda subscription: clients[subscription]  # type: ignore[method-assign]
    wiring.policy = lambda: policy  # type: ignore[method-assign]
    before, policy = _most(), pipe.recv()
    asyncio.run(_work(pipe, outside, wiring))
    pipe.send((before, _most()))


async def _work(pipe: Connection, outside: _Outside, wiring: Wiring) -> None:
    while (work := pipe.recv()) is not None:
        outside.now, messages = work
        if not messages:
            await sweep.handle(wiring)
        done = await asyncio.gather(
            *(hand_over(queue, text.encode(), STAGES[queue][1], wiring) for queue, text in messages),
            return_exceptions=True,
        )
        pipe.send(("done", [f"{each!r:.300}" for each in done if isinstance(each, BaseException)]))


def _most() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
