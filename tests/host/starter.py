"""Starts an Azurite and a host, prints their addresses, and waits to be killed."""

import asyncio
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from simulator import azurite as emulator
from simulator.host import HostProcess


async def main(app: Path, folder: Path) -> None:
    azurite = emulator.start()
    env = {
        "AzureWebJobsStorage": azurite.connection_string,
        "RECORD": str(folder / "record"),
        "GATE": str(folder / "gate"),
        "TICK": "0 0 0 1 1 *",
    }
    async with HostProcess(app=app, env=env) as host:
        print(json.dumps([f"http://127.0.0.1:{azurite.ports.queue}", host.url]), flush=True)  # noqa: T201
        await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
