"""Somebody who writes a run's record in between, for the tests of what then becomes of it."""

from typing import Any

from handlers.cloud.records import Conflict
from tests.handlers.scene import WEB, Scene


def on_write(scene: Scene, *happenings: Any) -> None:
    """Each happening comes before one write of the run, None lets one pass."""
    waiting = list(happenings)
    write = scene.wiring.records.write

    async def writing(path: str, *args: Any, **options: Any) -> str:
        happening = waiting.pop(0) if path == WEB and waiting else None
        if happening is not None:
            await happening()
        return await write(path, *args, **options)

    scene.wiring.records.write = writing


async def conflict() -> None:
    raise Conflict("Somebody wrote in between.")
