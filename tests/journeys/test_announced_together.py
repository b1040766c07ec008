"""Announcements of one wave that come together do not stand in each other's way."""

import asyncio

from simulator.arm.faults import Faults
from simulator.fleet import uniform
from simulator.rig import Rig
from tests.eventually import eventually
from tests.journeys.play import ALWAYS, POLICY, SWEPT, TRACKING_ID, fleet

LISTED = "list scale sets"


async def test_two_announcements_at_once_end_with_one_listing_although_azure_throttles() -> None:
    """Twelve scale sets on pages of two, every seventh page refused for a second, two hosts and the sweep."""
    made = fleet(*(uniform(f"web-{number}", 2, tags=ALWAYS) for number in range(12)), opens_in=3600)
    faults = Faults(every={LISTED: (7, 1)})
    async with Rig(made, policy=POLICY, settings=SWEPT, faults=faults, hosts=2, page_size=2) as rig:
        alerts = [made.alert(TRACKING_ID, "Planned", communication=str(number)) for number in (1, 2)]
        answers = await asyncio.gather(*map(rig.post_alert, alerts))
        assert [status for status, _ in answers] == [202, 202]

        async def planned() -> bool:
            return len((await rig.report(TRACKING_ID))["runs"]) == 12

        await eventually(planned, within=15, why="twelve scale sets are six pages")
        pages = rig.arm.calls[LISTED]
        assert pages <= 6 + 2, f"{pages} requests for six pages, of which one or two are refused"
