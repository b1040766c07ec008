"""How much the app logs: `python -m benchmarks.logs`.

Plays a small wave through the real parts (simulated Azure over HTTP, Azurite, the app under the local host) and counts
the text of what arrives at the host from INFO on: of a poll, of a message to people, of the sweeps meanwhile, and from
these of a quiet day of a wave of 200 scale sets. Ends with 1 when a poll takes more than `POLL` bytes, or an SDK says
anything at all.
"""

import asyncio
import re
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp

from benchmarks.growth import table
from simulator.fleet import SUBSCRIPTION, Behaviour, Fleet, Wave, Window, uniform
from simulator.host import HostProcess
from simulator.rig import Rig

POLL = 600
"""Bytes of a poll, all its lines together."""

SETS, POLLS_A_DAY = 200, 1
SDKS = "SDKs"
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


EVENT = re.compile(r" [A-Z]+ Function\.\w+\.User: (.*)$")
OURS = re.compile(r"[a-z_]+\.[a-z_]+(?= |$)")


class Heard:
    """Bytes and lines that arrived at the host, by event; what is no event of ours is of an SDK."""

    def __init__(self, log: str) -> None:
        self.bytes: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()
        for line in log.splitlines():
            if (found := EVENT.search(line)) is None:
                continue
            event = OURS.match(found[1])
            who = event[0] if event is not None else SDKS
            self.bytes[who] += len(found[1].encode())
            self.lines[who] += 1


async def main() -> int:
    """Play, count, print, judge."""
    now = datetime.now(UTC).replace(microsecond=0)
    fleet = Fleet(lambda: datetime.now(UTC))
    quick = Behaviour(reboot=timedelta(seconds=1), health_delay=timedelta(seconds=0.3))
    fleet.add(*(uniform(f"web-{number}", 4, update_domains=2, behaviour=quick) for number in range(3)))
    window = Window(now, now + timedelta(hours=1))
    later = Window(now + timedelta(days=1), now + timedelta(days=8))
    where = {"subscriptions": (SUBSCRIPTION,), "regions": ("westeurope",)}
    fleet.plan(Wave(tracking_id=WAVE, self_service=window, scheduled=later, **where))
    async with (
        Rig(fleet, policy=POLICY, settings=SETTINGS, hosts=0) as rig,
        HostProcess(env=rig.environment(), log_level="INFO") as host,
        aiohttp.ClientSession(headers=host.headers) as http,
    ):
        async with http.post(f"{host.url}/api/alerts", json=fleet.alert(WAVE, "Planned")) as answer:
            assert answer.status == 202, await answer.text()
        await _until(http, host.url, _over)
    return _judge(Heard(host.log))


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
        ("the SDKs, all in all", f"{heard.bytes[SDKS]:,} bytes"),
        (f"a quiet day, {SETS} scale sets that wait", f"{day / 1000:,.0f} kB"),
    ]
    print(table(("", "text"), rows))
    print("\nBy event:\n")
    events = ((event, str(heard.lines[event]), f"{size:,}") for event, size in heard.bytes.most_common())
    print(table(("event", "lines", "bytes"), list(events)))
    kept = poll <= POLL and not heard.bytes[SDKS]
    print("\nKept." if kept else f"\nNOT KEPT: a poll may take {POLL} bytes, and the SDKs nothing.")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
