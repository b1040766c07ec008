"""`make azure`: the simulated Azure in the foreground, a sample fleet in it and a wave planned.

Times are real: the self-service window opens two hours after the start, unless `--scale` makes all durations
shorter (0.001 turns a day into 86 seconds).
"""

import argparse
import asyncio
import contextlib
import signal
import sys
from datetime import UTC, datetime

from simulator.arm import ArmServer, serve
from simulator.fleet.build import SUBSCRIPTION
from simulator.fleet.sample import sample_fleet, sample_wave
from simulator.lies import Liar, Lies
from simulator.lies.lies import listed

PORT = 7072


def settings(server: ArmServer, subscription: str = SUBSCRIPTION) -> dict[str, str]:
    """What a function app needs in its environment to find this Azure."""
    return {
        "BREAKWATER_ARM_ENDPOINT": server.url,
        "BREAKWATER_SUBSCRIPTIONS": subscription,
        "IDENTITY_ENDPOINT": server.identity_url,
        "IDENTITY_HEADER": server.identity_header,
    }


async def run(host: str, port: int, scale: float, lies: Lies) -> None:
    """Serve until interrupted; raises OSError when the port is taken."""
    fleet = sample_fleet(lambda: datetime.now(UTC), scale=scale)
    wave = sample_wave(fleet, scale=scale)
    server = await serve(fleet, host, port, liar=Liar.over(fleet, lies, pace=scale))
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    form = "%Y-%m-%d %H:%M UTC"
    print(f"Simulated Azure on {server.url}: {len(fleet.scale_sets())} scale sets, wave {wave.tracking_id}")
    print(f"  self-service {wave.self_service.start:{form}} to {wave.self_service.end:{form}}")
    print(f"  scheduled    {wave.scheduled.start:{form}} to {wave.scheduled.end:{form}}")
    if lies.shares:
        print(f"  it lies      {lies} (seed {lies.seed})")
    print("\nTo point the function app here:")
    for key, value in settings(server).items():
        print(f"  export {key}={value}")
    print(f'\nAn alert to post: curl -d \'{{"stage": "Planned"}}\' {server.url}/_simulator/alert')
    print(f"What happened:    curl {server.url}/_simulator/ledger", flush=True)
    await stop.wait()
    await server.close()


def main() -> str | None:
    """Read the command line and serve; what went wrong in words, None when nothing did."""
    parser = argparse.ArgumentParser(prog="python -m simulator.azure", description="The simulated Azure.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on every duration (default 1)")
    parser.add_argument("--lies", default="", help="what it answers wrongly, such as missing-view=0.1,stale")
    parser.add_argument("--seed", type=int, default=1, help="the dice of the lies (default 1)")
    parser.add_argument("--list-lies", action="store_true", help="the lies it knows")
    chosen = parser.parse_args()
    if chosen.list_lies or chosen.lies == "help":
        print(listed())
        return None
    try:
        lies = Lies.parse(chosen.lies, chosen.seed)
    except ValueError as wrong:
        return f"{wrong}\nmake azure LIES=help lists them."
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(run(chosen.host, chosen.port, chosen.scale, lies))
    except OSError as taken:
        return (
            f"Port {chosen.port} cannot be used ({taken.strerror}).\n"
            "Stop what holds it, or choose another: make azure PORT=7073"
        )
    return None


if __name__ == "__main__":
    sys.exit(main())
