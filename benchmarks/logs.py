"""How much the app logs: `python -m benchmarks.logs`.

Plays a small wave through the real parts (simulated Azure over HTTP, Azurite, the app under the local host in this
process) and counts the text of every record that arrives at the worker's own level, INFO: a poll, a message to
people, a sweep with nothing to do, and from these a quiet day of a wave of 200 scale sets. Ends with 1 when a poll
takes more than `POLL` bytes, or an SDK says anything at all.
"""

import asyncio
import logging
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from benchmarks.growth import table
from benchmarks.trial import ROOT
from simulator.fleet import SUBSCRIPTION, Behaviour, Fleet, Wave, Window, uniform
from simulator.host import keys
from simulator.host.host import Host
from simulator.rig import Rig

POLL = 600
"""Bytes of a poll, all its lines together."""

SETS, SWEEPS, POLLS_A_DAY, SWEEPS_A_DAY = 200, 6, 1, 288
WAVE = "VM8T-1Q8"
POLICY = """
defaults: {self-service: always, lead: 1s, soak: 1s, max-unavailable: 50%, owner: ops}
receivers:
  ops: {teams: "{teams}", email: [ops@example.org], know: at once}
"""
SETTINGS = {
    "BREAKWATER_POLL_INTERVAL": "1",
    "BREAKWATER_GROUP_WAIT": "1",
    "BREAKWATER_SWEEP_SCHEDULE": "*/2 * * * * *",
}


class Heard(logging.Handler):
    """Bytes and lines, by who spoke: the app by its event, the SDKs by `azure`."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.bytes: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        who = record.name.partition(".")[0]
        if who not in {"handlers", "azure"}:
            return
        text = record.getMessage()
        event = text.partition(" ")[0] if who == "handlers" else who
        self.bytes[event] += len(text.encode())
        self.lines[event] += 1


async def main() -> int:
    """Play, count, print, judge."""
    heard = Heard()
    logging.basicConfig(handlers=[heard], level=logging.INFO)
    now = datetime.now(UTC).replace(microsecond=0)
    fleet = Fleet(lambda: datetime.now(UTC))
    quick = Behaviour(reboot=timedelta(seconds=1), health_delay=timedelta(seconds=0.3))
    fleet.add(*(uniform(f"web-{number}", 4, update_domains=2, behaviour=quick) for number in range(3)))
    window = Window(now, now + timedelta(hours=1))
    later = Window(now + timedelta(days=1), now + timedelta(days=8))
    where = {"subscriptions": (SUBSCRIPTION,), "regions": ("westeurope",)}
    fleet.plan(Wave(tracking_id=WAVE, self_service=window, scheduled=later, **where))
    async with Rig(fleet, policy=POLICY, settings=SETTINGS, hosts=0) as rig:
        os.environ.update(rig.environment())
        host = Host(ROOT, lock=timedelta(minutes=10))
        address = await host.start(0)
        async with aiohttp.ClientSession(headers={keys.HEADER: host.key}) as http:
            while (await http.get(f"{address}/api/health")).status != 200:
                await asyncio.sleep(0.1)
            async with http.post(f"{address}/api/alerts", json=fleet.alert(WAVE, "Planned")) as answer:
                assert answer.status == 202, await answer.text()
            await _until(http, address, _over)
        await host.stop()
        import function_app

        await function_app.wiring().close()
    return _judge(heard)


async def _until(http: aiohttp.ClientSession, address: str, done: Any) -> None:
    async with asyncio.timeout(120):
        while True:
            async with http.get(f"{address}/api/waves/{WAVE}.json") as answer:
                if answer.status == 200 and done(await answer.json()):
                    return
            await asyncio.sleep(0.5)


def _over(report: Any) -> bool:
    return len(report["runs"]) == 3 and all(run["state"] == "completed" for run in report["runs"])


def _judge(heard: Heard) -> int:
    polls, sent = heard.lines["run.advanced"], heard.lines["notify.sent"]
    of_polls = sum(
        size for event, size in heard.bytes.items() if event.startswith(("run.", "queue.", "start."))
    )
    of_notices = sum(size for event, size in heard.bytes.items() if event.startswith("notify."))
    sweeps = sum(size for event, size in heard.bytes.items() if event.startswith(("sweep.", "search.")))
    poll, notice = of_polls / polls, of_notices / sent
    day = SETS * POLLS_A_DAY * poll
    print(f"What the app logs at INFO, a wave of 3 scale sets: {polls} polls, {sent} messages to people\n")
    rows = [
        ("a poll of a run", f"{poll:,.0f} bytes"),
        ("a message to people", f"{notice:,.0f} bytes"),
        ("all sweeps meanwhile", f"{sweeps:,} bytes"),
        ("the SDKs, all in all", f"{heard.bytes['azure']:,} bytes"),
        (f"a quiet day, {SETS} scale sets that wait", f"{day / 1000:,.0f} kB"),
    ]
    print(table(("", "text"), rows))
    print("\nBy event:\n")
    events = ((event, str(heard.lines[event]), f"{size:,}") for event, size in heard.bytes.most_common())
    print(table(("event", "lines", "bytes"), list(events)))
    kept = poll <= POLL and not heard.bytes["azure"]
    print("\nKept." if kept else f"\nNOT KEPT: a poll may take {POLL} bytes, and the SDKs nothing.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
