"""From an alert to the last plan, over a fleet: `python -m benchmarks.planning [--sets 200] [--instances 20]`.

The simulated Azure (50 ms a call) and Azurite run in processes of their own; the app runs under the local host
in this one, so that its CPU can be booked to Azure's SDK, to storage's, and to Breakwater itself. Then the
same listing is made by the scripts people use today.
"""

import argparse
import asyncio
import compileall
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.accounts import Book
from simulator import azurite
from simulator.host.host import Host

ROOT = Path(__file__).resolve().parent.parent
POLICY = "defaults:\n  self-service: always\n"
OWN, AZURE, STORAGE = "Breakwater", "Azure", "storage"


def main() -> None:
    """Play, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.planning", description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--latency", type=float, default=50, help="milliseconds of each ARM call")
    asked = parser.parse_args()
    for package in ("planner", "handlers", "simulator"):
        # As in a deployment, which ships compiled modules.
        compileall.compile_dir(ROOT / package, quiet=1)
    size = [str(asked.sets), str(asked.instances), str(asked.latency)]
    with (
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.azure", *size],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as azure,
        azurite.start() as storage,
        tempfile.TemporaryDirectory() as folder,
    ):  # fmt: skip
        assert azure.stdout is not None
        assert azure.stdin is not None
        said = json.loads(azure.stdout.readline())
        policy = Path(folder) / "policy.yaml"
        policy.write_text(POLICY, encoding="utf-8")
        os.environ.update(
            AzureWebJobsStorage=storage.connection_string,
            BREAKWATER_ARM_ENDPOINT=said["url"],
            BREAKWATER_POLICY=str(policy),
            BREAKWATER_SWEEP_SCHEDULE="0 0 0 1 1 *",
            IDENTITY_ENDPOINT=said["identity"],
            IDENTITY_HEADER=said["header"],
            ARM=said["url"],
        )
        wall, book = asyncio.run(_play(asked.sets, said["alert"]))
        azure.stdin.write("calls\n")
        azure.stdin.flush()
        calls = json.loads(azure.stdout.readline())
        scripts = {name: _script(name) for name in ("sequential", "concurrent")}
        azure.stdin.close()
    _print(asked, wall, book, calls, scripts)


async def _play(sets: int, alert: dict[str, Any]) -> tuple[float, Book]:
    """Seconds from the alert's answer to the last run written, and the book."""
    host = Host(ROOT, lock=timedelta(minutes=10))
    address = await host.start(0)
    book, done = Book(), asyncio.Event()
    _keep(book, sets, done)
    body = json.dumps(alert).encode()
    async with aiohttp.ClientSession() as http:
        # The queues' listeners are up when health answers with depths.
        while (await http.get(f"{address}/api/health")).status != 200:
            await asyncio.sleep(0.1)
        async with http.post(f"{address}/api/alerts", data=body, params={"code": host.key}) as answer:
            assert answer.status == 202, await answer.text()
        began = time.perf_counter()
        await asyncio.wait_for(done.wait(), 300)
        wall = time.perf_counter() - began
    await host.stop()
    import function_app

    await function_app.wiring().close()
    return wall, book


def _keep(book: Book, sets: int, done: asyncio.Event) -> None:
    """Book the faces of the app in this process, and notice the last run."""
    import function_app
    from handlers.cloud.compute import Compute
    from handlers.cloud.queues import Queues
    from handlers.cloud.records import Records
    from handlers.stages import discover, plan

    planned: set[str] = set()
    write = Records.write

    async def written(records: Records, path: str, body: bytes, **options: Any) -> str:
        etag = await write(records, path, body, **options)
        if path.startswith("runs/"):
            planned.add(path)
            if len(planned) == sets:
                done.set()
        return etag

    function_app.wiring()
    faces: list[tuple[Any, str, str, Any]] = [
        (Records, "write", STORAGE, written),
        (Records, "read", STORAGE, Records.read),
        (Records, "read_if_changed", STORAGE, Records.read_if_changed),
        (Records, "list", STORAGE, Records.list),
        (Queues, "send_text", STORAGE, Queues.send_text),
        (Compute, "_send", AZURE, Compute._send),  # noqa: SLF001 - the one way of reads to Azure
        (plan, "handle", OWN, plan.handle),
        (discover, "handle", OWN, discover.handle),
    ]
    for owner, name, account, function in faces:
        setattr(owner, name, book.booked(account, function))


def _script(name: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scripts", name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return result


def _print(
    asked: argparse.Namespace,
    wall: float,
    book: Book,
    calls: dict[str, int],
    scripts: dict[str, dict[str, float]],
) -> None:
    instances = asked.sets * asked.instances
    print(f"{asked.sets} scale sets of {asked.instances} instances, {asked.latency:g} ms an ARM call\n")
    print(f"Breakwater, alert accepted to last plan stored     {wall:6.2f} s")
    for name in (AZURE, STORAGE):
        print(
            f"  {name:10} {book.calls[name]:5} calls, {book.flight[name]:6.2f} s in flight, all calls together, "
            f"{book.cpu[name]:5.2f} s CPU"
        )
    own = book.cpu[OWN]
    print(f"  own CPU    {own:6.2f} s, {own / instances * 1000:.3f} ms an instance")
    print(f"  ARM calls  {', '.join(f'{kind}: {number}' for kind, number in sorted(calls.items()))}\n")
    for name, what in (("sequential", "one call at a time"), ("concurrent", "sixteen at a time")):
        script = scripts[name]
        print(
            f"SDK script, {what:20} {script['wall']:18.2f} s  ({script['cpu']:.2f} s CPU)   "
            f"Breakwater takes {wall / script['wall']:.2f} of it"
        )


if __name__ == "__main__":
    main()
