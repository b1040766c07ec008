"""The simulated Azure of a benchmark, in a process of its own: `python -m benchmarks.azure SETS INSTANCES MS`."""

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta

from simulator.arm import serve
from simulator.arm.faults import Faults
from simulator.fleet import Fleet
from simulator.fleet.build import SUBSCRIPTION, uniform
from simulator.fleet.waves import Wave, Window

TRACKING_ID = "VM8T-1Q8"


def fleet(sets: int, instances: int) -> Fleet:
    """So many Uniform scale sets of so many instances, all in one wave that is open."""
    made = Fleet(lambda: datetime.now(UTC))
    made.add(*(uniform(f"set{number:04}", instances) for number in range(sets)))
    now = datetime.now(UTC)
    made.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(now - timedelta(days=1), now + timedelta(days=34)),
            scheduled=Window(now + timedelta(days=36), now + timedelta(days=44)),
        )
    )
    return made


async def main(sets: int, instances: int, milliseconds: float) -> None:
    """Serve until standard input closes; the first line printed says where and what to post."""
    made = fleet(sets, instances)
    server = await serve(made, faults=Faults(latency=milliseconds / 1000), page_size=1000)
    said = {
        "url": server.url,
        "identity": server.identity_url,
        "header": server.identity_header,
        "alert": made.alert(TRACKING_ID),
    }
    print(json.dumps(said), flush=True)
    while command := await asyncio.to_thread(sys.stdin.readline):
        if command.strip() == "calls":
            print(json.dumps(server.calls), flush=True)
            server.calls.clear()
    await server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
