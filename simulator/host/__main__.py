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
from simulator.host.conversation import IndexingError
from simulator.host.host import Host
from simulator.host.metadata import UnsupportedFunctionError
from simulator.host.settings import HostJsonError, Switches

ROOT = Path(__file__).resolve().parents[2]
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# What the deployment's app settings say in Azure, unless the environment says otherwise.
APP_SETTINGS = {
    "AzureWebJobsStorage": connection_string(Ports(10000, 10001, 10002)),
    "AzureWebJobsDisableHomepage": "true",
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
    host = Host(asked.app, switches=_switches(asked))
    try:
        address = await host.start(asked.port)
    except (
        IndexingError,
        UnsupportedFunctionError,
        HostJsonError,
        MissingSettingError,
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
    lost = asyncio.create_task(host.worker_lost())
    await asyncio.wait([asyncio.create_task(stop.wait()), lost], return_when=asyncio.FIRST_COMPLETED)
    if lost.done():
        print(
            "The worker cannot be kept running; the host stops. In Azure another is started.", file=sys.stderr
        )
    await host.stop()
    return 1 if lost.done() else 0


def _switches(asked: argparse.Namespace) -> Switches:
    def seconds(said: float | None) -> timedelta | None:
        return None if said is None else timedelta(seconds=said)

    return Switches(
        lock=timedelta(seconds=asked.lock_seconds),
        timeout=seconds(asked.timeout),
        retry=seconds(asked.retry_seconds),
        level=asked.log_level.upper(),
        wire=asked.wire,
    )


async def _end_with_stdin(stop: asyncio.Event) -> None:
    """Stop when standard input closes: its writer has ended, however it ended."""

    class Leash(asyncio.Protocol):
        def connection_lost(self, _exc: Exception | None) -> None:
            stop.set()

    await asyncio.get_running_loop().connect_read_pipe(Leash, sys.stdin)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="python -m simulator.host",
        description="The function app under a local Functions host. Settings come from the environment.",
    )
    made.add_argument("--port", type=int, default=7071, help="0 takes a free one (default 7071)")
    made.add_argument(
        "--lock-seconds", type=int, default=600, help="how long a taken message stays invisible (default 600)"
    )
    made.add_argument(
        "--timeout", type=float, help="seconds a function may take (default: functionTimeout of host.json)"
    )
    made.add_argument(
        "--retry-seconds",
        type=int,
        help="after how long a failed message is tried again (default: visibilityTimeout of host.json)",
    )
    made.add_argument(
        "--wire", type=Path, help="a file for every message between host and worker, as JSON lines"
    )
    made.add_argument("--app", type=Path, default=ROOT, help="the folder with function_app.py")
    made.add_argument(
        "--log-level",
        default="WARNING",
        type=str.upper,
        choices=LEVELS,
        help="INFO shows all that Azure keeps",
    )
    made.add_argument("--leash", action="store_true", help="stop when standard input closes")
    return made


def main() -> int:
    """Read the command line and serve."""
    command = parser()
    asked = command.parse_args()
    if asked.lock_seconds < 1:
        command.error("--lock-seconds must be at least 1.")
    for name, value in APP_SETTINGS.items():
        os.environ.setdefault(name, value)
    logging.basicConfig(
        stream=sys.stderr, level=asked.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # The host's own calls to storage; the app's are logged by the app's SDKs in the worker.
    logging.getLogger("azure").setLevel(logging.WARNING)
    return asyncio.run(serve(asked))


if __name__ == "__main__":
    sys.exit(main())
