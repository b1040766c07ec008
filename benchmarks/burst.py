"""500 alerts at once, and the first one on an idle app: `python -m benchmarks.burst [--alerts 500] [--rounds 7]`.

An action group posts 500 different alerts on 500 connections at the same moment; each answer's time is taken
where it arrives. In turn the same is done to a second process (`benchmarks.serving`): the same web server, the
same SDK with the same options, the same bodies; but what it does for each is one blob written if there is none
yet and one message sent, and nothing else: no worker, no alert read, no check. So a ratio is of two bursts of
one minute, on one machine, against one Azurite; and the bare side has what no app could leave out.

Ends with 1 when an alert is lost (answered 202, and its record or its message is missing), when one is answered
otherwise, or when the p99 is more than 1.5 times the bare one by more than the noise: the middle of the rounds'
ratios less half of what lies between their quartiles. The webhook says 503 after eight seconds, before an action
group hangs up, and is then sent the alert again: a round in which the bare side alone is so slow that the target
leaves no room below these is not judged, the machine is busy with something else. Another one is played; where
twice as many tell nothing, it ends with 1. Beside it, without a target: the first alert of a fresh process.
"""

import argparse
import asyncio
import base64
import compileall
import hashlib
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import aiohttp
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from benchmarks.azure import TRACKING_ID, fleet
from benchmarks.growth import noise_of, table
from handlers.cloud.names import CONTAINER, alert_path
from handlers.stages import receive
from handlers.wire.ids import ALERTS
from simulator import azurite
from simulator.host import keys

ROOT = Path(__file__).resolve().parent.parent
TIMES_BARE = 1.5
SLOWEST = receive.LONGEST_SECONDS / TIMES_BARE
"""Seconds of the bare side's p99 beyond which a round tells nothing."""

COLD_ROUNDS, WARM = 3, 20
KEY = keys.host_key()
TEXT = "<p>We will update the hosts of your Virtual Machine Scale Sets, and reboot them.</p>" * 20


@dataclass(frozen=True, slots=True)
class Burst:
    """Seconds until each answer, how many had which status, and the names of the alerts that were taken."""

    seconds: tuple[float, ...]
    statuses: Counter[int]
    taken: frozenset[str] = frozenset()

    def at(self, percent: int) -> float:
        """The percentile."""
        return quantiles(self.seconds, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True, slots=True)
class Cold:
    """Seconds: from the start of the process until it answers at all, the first alert, the median after it."""

    ready: float
    first: float
    warm: float


class Alerts:
    """Bodies of alerts, each another communication of one wave."""

    def __init__(self) -> None:
        self._raw: dict[str, Any] = fleet(1, 1).alert(TRACKING_ID, communication=TEXT)
        self.made = 0

    def take(self, number: int) -> list[bytes]:
        return [self._next() for _ in range(number)]

    def _next(self) -> bytes:
        self.made += 1
        self._raw["data"]["alertContext"]["properties"]["communicationId"] = f"burst-{self.made}"
        return json.dumps(self._raw).encode()


def main(arguments: Sequence[str] | None = None) -> int:
    """Burst, measure, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.burst", description=__doc__)
    parser.add_argument("--alerts", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--times", type=float, default=TIMES_BARE, help="the p99 allowed, in bare ones")
    asked = parser.parse_args(arguments)
    for package in ("planner", "handlers", "simulator", "benchmarks"):
        # As in a deployment, which ships compiled modules.
        compileall.compile_dir(ROOT / package, quiet=1)
    with azurite.start() as storage:
        return asyncio.run(_play(storage.connection_string, asked))


async def _play(storage: str, asked: argparse.Namespace) -> int:
    alerts, rounds = Alerts(), list[dict[str, Burst]]()
    with _serving("app", storage) as app, _serving("bare", storage) as bare:
        at = {"app": app, "bare": bare}
        for address in at.values():
            await _burst(address, alerts.take(WARM))
        while sum(map(_tells, rounds)) < asked.rounds and len(rounds) < 2 * asked.rounds:
            made = {name: await _burst(address, alerts.take(asked.alerts)) for name, address in at.items()}
            rounds.append(made)
    lost = await _lost(storage, {name for each in rounds for name in each["app"].taken})
    cold = [await _cold(storage, alerts) for _ in range(COLD_ROUNDS)]
    return judged(rounds, lost, cold, asked.times)


def _tells(each: Mapping[str, Burst]) -> bool:
    """Whether the machine had time enough for a round to say something."""
    return each["bare"].at(99) <= SLOWEST


@contextmanager
def _serving(what: str, storage: str) -> Iterator[str]:
    """The process that takes alerts, while it is used; its address."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving", what],
        cwd=ROOT,
        env={**os.environ, "AzureWebJobsStorage": storage, "STORAGE": storage, keys.SETTING: KEY},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


async def _burst(address: str, bodies: Sequence[bytes]) -> Burst:
    """Post all at once, each on a connection of its own."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0, force_close=True)) as http:

        async def post(body: bytes) -> tuple[float, int, str]:
            began = time.perf_counter()
            async with http.post(f"{address}/api/alerts", data=body, headers={keys.HEADER: KEY}) as answer:
                await answer.read()
            return time.perf_counter() - began, answer.status, hashlib.sha256(body).hexdigest()

        answers = await asyncio.gather(*map(post, bodies))
    return Burst(
        tuple(spent for spent, _, _ in answers),
        Counter(status for _, status, _ in answers),
        frozenset(name for _, status, name in answers if status == 202),
    )


async def _lost(storage: str, names: set[str]) -> dict[str, int]:
    """How many of these alerts have no record, and how many no message."""
    async with ContainerClient.from_connection_string(storage, CONTAINER) as container:
        stored = {blob.name async for blob in container.list_blobs(name_starts_with="alerts/")}
    queued = set()
    async with QueueClient.from_connection_string(storage, ALERTS) as queue:
        async for message in queue.receive_messages(messages_per_page=32, visibility_timeout=3600):
            queued.add(json.loads(base64.b64decode(message.content))["alert"])
    return {
        "records": sum(alert_path(name) not in stored for name in names),
        "messages": len(names - queued),
    }


async def _cold(storage: str, alerts: Alerts) -> Cold:
    began = time.perf_counter()
    with _serving("app", storage) as address:
        ready = time.perf_counter() - began
        (first, *warm) = [await _burst(address, [body]) for body in alerts.take(1 + WARM)]
    return Cold(ready, first.seconds[0], median(one.seconds[0] for one in warm))


def judged(
    rounds: Sequence[Mapping[str, Burst]], lost: Mapping[str, int], cold: Sequence[Cold], times: float
) -> int:
    """Print the table; 1 when an alert is lost or refused, or all of them are late, else 0."""
    number = len(rounds[0]["app"].seconds)
    print(f"{number} alerts at once, {len(rounds)} rounds in turn; seconds until the answer\n")
    rows, ratios, statuses = [], [], Counter[int]()
    for place, each in enumerate(rounds, 1):
        app, bare = each["app"], each["bare"]
        ratio = app.at(99) / bare.at(99)
        if _tells(each):
            ratios.append(ratio)
            statuses += app.statuses
        said = f"{ratio:.2f}" if _tells(each) else "too busy"
        figures = (f"{one.at(percent):.2f}" for one in (app, bare) for percent in (50, 99))
        rows.append((f"round {place}", *figures, said))
    print(table(("", "p50", "p99", "bare p50", "bare p99", "p99 / bare p99"), rows))
    if not ratios:
        print("\nThe machine is too busy to tell anything.")
        return 1
    middle, noise = median(ratios), noise_of(ratios)
    print(f"\nAnswers: {', '.join(f'{count} x {status}' for status, count in sorted(statuses.items()))}")
    print(f"Lost: {lost['records']} records, {lost['messages']} messages")
    print(
        f"An idle app, the middle of {len(cold)}: it answers {_middle(cold, 'ready'):.2f} s after its process "
        f"has started, the first alert in {_middle(cold, 'first') * 1000:.0f} ms, later ones in "
        f"{_middle(cold, 'warm') * 1000:.0f} ms."
    )
    late = middle - noise > times
    missed = late or set(statuses) != {202} or any(lost.values())
    print(
        f"\nTarget: none lost, all answered 202, p99 at most {times:g} times the bare one; "
        f"{'MISSED' if missed else 'kept'} with {middle:.2f} (noise {noise:.2f})."
    )
    return 1 if missed else 0


def _middle(cold: Sequence[Cold], what: str) -> float:
    return float(median(getattr(one, what) for one in cold))


if __name__ == "__main__":
    raise SystemExit(main())
