"""Reads a fleet ahead of its plan, side by side, and shows how far it is."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from handlers.cli.output import Out
from handlers.cli.seen_azure import SeenAzure
from handlers.cli.snapshot import Snapshot
from handlers.cloud.errors import AzureTrouble
from handlers.cloud.side_by_side import side_by_side
from planner.azure.fleet import ScaleSet

AT_ONCE = 16


async def read_waves(azure: Sequence[SeenAzure], out: Out) -> None:
    """What maintenance Azure plans, of every subscription; what cannot be read is noted where it was seen."""
    with out.progress("Asking for planned maintenance", len(azure)) as doing:

        async def read(seen: SeenAzure) -> None:
            with suppress(AzureTrouble):
                await seen.planned_maintenance()
            doing.step()

        await side_by_side(read, azure, AT_ONCE)


async def read_fleet(azure: Sequence[SeenAzure], at: datetime, out: Out) -> Snapshot:
    """Everything that a plan may need: waves, scale sets, their instances, the extra look-ups."""
    await read_waves(azure, out)
    found: list[tuple[SeenAzure, ScaleSet]] = []

    async def listed(seen: SeenAzure) -> None:
        with suppress(AzureTrouble):
            sets = await seen.listed()
            found.extend((seen, scale_set) for scale_set in sets)
            if sets:
                await seen.look_up(sets, at, sets)

    await side_by_side(listed, azure, AT_ONCE)
    with out.progress("Reading instances", len(found)) as doing:

        async def read(place: tuple[SeenAzure, ScaleSet]) -> None:
            seen, scale_set = place
            with suppress(AzureTrouble):
                for instance in await seen.instances(scale_set):
                    if instance.unreadable:
                        with suppress(AzureTrouble):
                            await seen.instance(scale_set, instance.id)
            doing.step(scale_set.name)

        await side_by_side(read, found, AT_ONCE)
    return Snapshot(at, tuple(seen.seen for seen in azure))
