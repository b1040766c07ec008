"""How many messages people get: `python -m benchmarks.notices [--sets 200] [--days 9]`.

The product's stages in virtual time: a quiet wave over so many scale sets of one owner, and the demo's fleet,
both with what is built in. Each receiver's messages are counted, in all and in the busiest 24 hours. Ends with 1
when an owner gets more than ten in any 24 hours; of the demo, where things go wrong, pages are counted apart.
"""

import argparse
import asyncio
import json
import logging
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from benchmarks.growth import table
from benchmarks.rehearsal.host import Host
from benchmarks.rehearsal.scene import CALM, START, TRACKING_ID, Part, Scene, scene
from handlers.channels import Message, Sender
from handlers.stages import receive
from handlers.wire.http import Request
from handlers.wire.policy_file import load
from planner.policy.model import Receiver
from simulator.demo import fleet as demo
from simulator.fleet.build import SUBSCRIPTION
from simulator.fleet.clock import VirtualClock

MOST = 10
"""Messages in 24 hours to one owner, in a quiet wave."""

DAY = timedelta(hours=24)
PACE = timedelta(milliseconds=20)
DEMO_POLICY = Path(demo.__file__).parent / "policy.yaml"


@dataclass(frozen=True, slots=True)
class Told:
    """A message that a channel took."""

    at: datetime
    urgency: str
    subject: str


class Counting:
    """The channels of every receiver: one each, which takes everything."""

    def __init__(self, clock: VirtualClock) -> None:
        self.told: defaultdict[str, list[Told]] = defaultdict(list)
        self._clock = clock

    def of(self, receiver: Receiver) -> dict[str, Sender]:
        told, clock = self.told[receiver.name], self._clock

        class Box:
            async def send(self, message: Message) -> str:
                told.append(Told(clock(), message.urgency, message.subject))
                return ""

        return {"email": Box()}


def quiet(
    sets: int, days: float, seed: int, *, instances: int = 4, windows: float = CALM.windows
) -> Mapping[str, list[Told]]:
    """A wave in which nothing goes wrong, over the scale sets of one owner."""
    made = scene(sets, instances, seed, replace(CALM, windows=windows), regions=2)
    return asyncio.run(_played(made, days, seed))


def of_the_demo(days: float, seed: int) -> Mapping[str, list[Told]]:
    """The demo's fleet, with a day where the demo has seconds, and receivers as they are built in."""
    clock = VirtualClock(START)
    fleet = demo.demo_fleet(clock)
    policy = load(DEMO_POLICY.read_text("utf-8").replace("{teams}", "https://teams.invalid"), environment={})
    receivers = tuple(Receiver(one.name, email=("people@example.org",)) for one in policy.receivers)
    policy = replace(policy, receivers=receivers, defaults={**policy.defaults, "lead": "24h", "soak": "30m"})
    parts = {
        one.name: Part(one, as_learned=True, windows=False, approvals="approve" in one.tags.values())
        for one in fleet.world.scale_sets.values()
    }
    return asyncio.run(_played(Scene(clock, fleet, policy, parts), days, seed, (SUBSCRIPTION,)))


async def _played(
    made: Scene, days: float, seed: int, subscriptions: Sequence[str] = ()
) -> Mapping[str, list[Told]]:
    host = Host(made, seed, pace=PACE)
    counting = Counting(made.clock)
    host.wiring.__dict__["channels"] = counting
    if subscriptions:
        alert = made.fleet.alert(TRACKING_ID, subscription=subscriptions[0])
        answer = await receive.handle(Request("POST", body=json.dumps(alert).encode()), host.wiring)
        assert answer.status == 202, answer.body
    else:
        await host.announce()
    await host.until(START + timedelta(days=days))
    assert not host.failed, host.failed
    return counting.told


def busiest(told: Sequence[Told]) -> int:
    """The most messages in any 24 hours."""
    times = sorted(one.at for one in told)
    return max((sum(at <= later < at + DAY for later in times) for at in times), default=0)


def shown(title: str, found: Mapping[str, list[Told]]) -> None:
    """Print a table: a line for each receiver."""
    rows = []
    for name, told in sorted(found.items()):
        pages = [one for one in told if one.urgency == "page"]
        asks = [one for one in told if one.urgency == "act"]
        days = (max(one.at for one in told) - START) / DAY if told else 0
        numbers = (len(told), len(told) - len(pages) - len(asks), len(asks), len(pages), busiest(told))
        rows.append([name, *map(str, numbers), f"{days:.1f}"])
    heads = ("receiver", "messages", "know", "act", "page", "busiest 24 h", "last on day")
    print(f"{title}\n{table(heads, rows)}\n")


def judged(quiet_wave: Mapping[str, list[Told]], demo_wave: Mapping[str, list[Told]]) -> int:
    """Print each target; the exit status."""
    found = [
        ("quiet wave", max((busiest(told) for told in quiet_wave.values()), default=0)),
        (
            "demo, pages apart",
            max(
                (busiest([one for one in told if one.urgency != "page"]) for told in demo_wave.values()),
                default=0,
            ),
        ),
    ]
    for what, most in found:
        verdict = "kept  " if most <= MOST else "MISSED"
        print(f"{verdict}  messages to one owner in any 24 hours, {what}: {most}, at most {MOST}")
    told = all(any(wave.values()) for wave in (quiet_wave, demo_wave))
    if not told:
        print("MISSED  nobody was told anything")
    return 0 if told and all(most <= MOST for _, most in found) else 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print, judge; 1 when a target is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.notices", description=__doc__)
    parser.add_argument("--sets", type=int, default=200)
    parser.add_argument("--days", type=float, default=9)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    logging.getLogger("handlers").setLevel(logging.ERROR)
    wave = quiet(asked.sets, asked.days, asked.seed)
    shown(f"A quiet wave over {asked.sets:,} scale sets of one owner, {asked.days:g} days", wave)
    story = of_the_demo(min(asked.days, 4), asked.seed)
    shown("The demo's fleet", story)
    return judged(wave, story)


if __name__ == "__main__":
    sys.exit(main())
