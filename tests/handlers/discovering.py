"""A stored alert and what discovery makes of it, for the tests of discovery and of later listings."""

from collections import Counter

from handlers.cloud.names import alert_path, wave_path
from handlers.stages import discover
from handlers.wire.alerts import alert_metadata, read_alert
from handlers.wire.documents import decode
from handlers.wire.ids import SCALE_SETS
from handlers.wire.messages import AlertMessage
from planner.azure.wave import Wave
from tests.handlers.parts import (
    SUBSCRIPTION,
    body,
    digest,
    scale_set,
)

WAVE = wave_path("VM12-3AB", SUBSCRIPTION)


FLEET = [
    scale_set("api"),
    scale_set("web", "East US 2"),
    scale_set("far", "uksouth"),
    scale_set("eu", "westeurope"),
]


async def stored(wiring, raw) -> AlertMessage:
    content = body(raw)
    metadata = alert_metadata(read_alert(content, wiring.now()))
    await wiring.records.create(alert_path(digest(content)), content, metadata)
    return AlertMessage(alert=digest(content), traceparent="00-trace")


async def discovered(wiring, raw) -> AlertMessage:
    message = await stored(wiring, raw)
    await discover.handle(message, wiring)
    return message


async def the_wave(wiring) -> Wave:
    return decode(Wave, (await wiring.records.read(WAVE)).body)


def told(wiring):
    return Counter(message.scale_set.rpartition("/")[2] for message in wiring.spy.of(SCALE_SETS))


def hit(*regions: str) -> list:
    named = [{"RegionName": one} for one in regions]
    return [{"ServiceName": "Virtual Machine Scale Sets", "ImpactedRegions": named}]
