"""Azurite, Microsoft's storage emulator, in memory: `make azurite` in the foreground, `start()` for tests.

The emulator dies with whoever started it: it holds the reading end of a pipe and leaves when the pipe
closes, which the kernel does for us even when the starter is killed.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
NODE = ROOT / ".tools" / "node"
ENTRY = ROOT / "simulator" / "node" / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"

ACCOUNT = "devstoreaccount1"
# Not a secret: the key every storage emulator shares, published in Microsoft's documentation.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_LEASH = "data:text/javascript,process.stdin.on('end',()=>process.exit(0)).resume()"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at http://[^:]+:(\d+)")


class AzuriteNotStartedError(RuntimeError):
    """Azurite ended before it answered; the message carries what it printed and what to do."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the three services listen on 127.0.0.1; 0 lets the system choose when starting."""

    blob: int = 0
    queue: int = 0
    table: int = 0


def connection_string(ports: Ports, account: str = ACCOUNT) -> str:
    """The connection string of one account of an Azurite listening on these ports."""
    endpoints = (
        f"{service}Endpoint=http://127.0.0.1:{port}/{account};"
        for service, port in (("Blob", ports.blob), ("Queue", ports.queue), ("Table", ports.table))
    )
    return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={KEY};{''.join(endpoints)}"


class Azurite:
    """A running emulator; usable as a context manager, stopped at its end."""

    def __init__(self, process: subprocess.Popen[str], ports: Ports) -> None:
        self._process = process
        self.ports = ports

    @property
    def pid(self) -> int:
        """The emulator's process."""
        return self._process.pid

    @property
    def connection_string(self) -> str:
        """The default account's."""
        return connection_string(self.ports)

    def connection_string_of(self, account: str) -> str:
        """The connection string of an account named when starting."""
        return connection_string(self.ports, account)

    def wait(self) -> int:
        """Block until the emulator ends; its exit status."""
        return self._process.wait()

    def stop(self) -> None:
        """End the emulator at once: it keeps everything in memory, so nothing could be saved."""
        self._process.kill()
        self._process.wait()
        if self._process.stdin:
            self._process.stdin.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(wanted: Ports | None = None, *, accounts: Iterable[str] = ()) -> Azurite:
    """Start an emulator and return once all three services answer (about a second).

    Args:
        wanted: the ports; free ones by default.
        accounts: further storage accounts beside the default one, each a world of its own.

    Raises:
        AzuriteNotStartedError: it is not installed, or ended while starting (a port is taken, say).
    """
    wanted = wanted or Ports()
    if not (NODE.exists() and ENTRY.exists()):
        raise AzuriteNotStartedError("Azurite is not installed: run `make setup` first.")
    process = subprocess.Popen(
        [
            NODE, "--import", _LEASH, ENTRY,
            # The storage SDKs speak newer API versions than Azurite knows by name.
            "--silent", "--loose", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry",
            "--blobPort", str(wanted.blob),
            "--queuePort", str(wanted.queue),
            "--tablePort", str(wanted.table),
        ],
        env={**os.environ, "AZURITE_ACCOUNTS": ";".join(f"{name}:{KEY}" for name in (ACCOUNT, *accounts))},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said: list[str] = []
    ports: dict[str, int] = {}
    for line in process.stdout:
        said.append(line)
        if found := _LISTENING.search(line):
            ports[found[1]] = int(found[2])
        if len(ports) == 3:
            # Nobody reads on; unread output would block the emulator one day.
            threading.Thread(target=process.stdout.read, daemon=True).start()
            return Azurite(process, Ports(ports["Blob"], ports["Queue"], ports["Table"]))
    process.wait()
    raise AzuriteNotStartedError(
        f"Azurite ended with status {process.returncode} before it answered:\n{''.join(said).strip()}\n"
        "If a port is taken, stop what holds it or choose others: "
        "make azurite BLOB_PORT= QUEUE_PORT= TABLE_PORT="
    )


def main() -> int:
    """Serve in the foreground until interrupted. The exit status is the process's."""
    parser = argparse.ArgumentParser(prog="python -m simulator.azurite", description="Azurite, in memory.")
    parser.add_argument("--blob-port", type=int, default=10000)
    parser.add_argument("--queue-port", type=int, default=10001)
    parser.add_argument("--table-port", type=int, default=10002)
    asked = parser.parse_args()
    try:
        azurite = start(Ports(asked.blob_port, asked.queue_port, asked.table_port))
    except AzuriteNotStartedError as failed:
        print(failed, file=sys.stderr)
        return 1
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: sys.exit(0))
    with azurite:
        print(azurite.connection_string, flush=True)
        return azurite.wait()


if __name__ == "__main__":
    sys.exit(main())
