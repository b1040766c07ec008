"""`make host`: run the app in the foreground until interrupted."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from simulator.azurite import Ports, connection_string
from simulator.host import keys
from simulator.host.app_settings import MissingSettingError
from simulator.host.host import Host
from simulator.host.log import Detailed
from simulator.host.metadata import UnsupportedFunctionError
from simulator.host.ncrontab import ScheduleError
from simulator.host.settings import HostJsonError
from simulator.host.worker import IndexingError

ROOT = Path(__file__).resolve().parents[2]
# What the deployment's app settings say in Azure, unless the environment says otherwise.
APP_SETTINGS = {
    "AzureWebJobsStorage": connection_string(Ports(10000, 10001, 10002)),
    "BREAKWATER_SWEEP_SCHEDULE": "0 */5 * * * *",
}


async def serve(asked: argparse.Namespace) -> int:
    """Run until told to stop. The exit status is the process's: 1 when the app cannot run."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    if asked.leash:
        await _end_with_stdin(stop)
    host = Host(asked.app, lock=timedelta(seconds=asked.lock_seconds))
    try:
        address = await host.start(asked.port)
    except (
        IndexingError,
        UnsupportedFunctionError,
        HostJsonError,
        MissingSettingError,
        ScheduleError,
    ) as wrong:
        print(f"The app in {asked.app} cannot run.\n{wrong}", file=sys.stderr)
        return 1
    except OSError as taken:
        print(
            f"Port {asked.port} cannot be used ({taken.strerror}).\n"
            "Stop what holds it, or choose another: make host PORT=7072",
            file=sys.stderr,
        )
        return 1
    print(address, flush=True)
    print(f"Running {', '.join(host.functions)}. Stop with Ctrl-C.", file=sys.stderr, flush=True)
    if not os.environ.get(keys.SETTING):
        print(
            f"Callers need this key, as {keys.HEADER} or ?code= (another: {keys.SETTING}=): {host.key}",
            file=sys.stderr,
            flush=True,
        )
    await stop.wait()
    await host.stop()
    # An app keeps its clients as long as its worker lives; asyncio's complaints about them are no news.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    return 0


async def _end_with_stdin(stop: asyncio.Event) -> None:
    """Stop when standard input closes: its writer has ended, however it ended."""

    class Leash(asyncio.Protocol):
        def connection_lost(self, _exc: Exception | None) -> None:
            stop.set()

    await asyncio.get_running_loop().connect_read_pipe(Leash, sys.stdin)


def main() -> int:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(
        prog="python -m simulator.host",
        description="The function app under a local Functions host. Settings come from the environment.",
    )
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free one (default 7071)")
    parser.add_argument(
        "--lock-seconds", type=int, default=600, help="how long a taken message stays invisible (default 600)"
    )
    parser.add_argument("--app", type=Path, default=ROOT, help="the folder with function_app.py")
    parser.add_argument("--log-level", default="WARNING", help="INFO shows each function's start and end")
    parser.add_argument("--leash", action="store_true", help="stop when standard input closes")
    asked = parser.parse_args()
    if asked.lock_seconds < 1:
        parser.error("--lock-seconds must be at least 1.")
    for name, value in APP_SETTINGS.items():
        os.environ.setdefault(name, value)
    shown = logging.StreamHandler(sys.stderr)
    shown.setFormatter(Detailed("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(handlers=[shown], level=asked.log_level.upper())
    for noisy in ("azure.core", "azure.functions", "azure.identity"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return asyncio.run(serve(asked))


if __name__ == "__main__":
    sys.exit(main())
