"""A drill through the app under the local host, from a terminal: people are told, and Azure hears nothing."""

import asyncio
import json

from simulator.fleet import uniform
from simulator.rig import Rig
from tests.eventually import eventually
from tests.journeys.play import ALWAYS, POLICY, QUICK, SETTINGS, fleet, mail_about, started
from tests.journeys.terminal import in_pipe


async def test_of_a_drill_nothing_is_read_or_started_in_azure(storage: str) -> None:
    azure = fleet(uniform("web", 2, update_domains=1, behaviour=QUICK, tags=ALWAYS))
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        shell = {"BREAKWATER_PUBLIC_URL": rig.host.url, "BREAKWATER_KEY": rig.key, "BREAKWATER_ACTOR": "Ana"}
        words = ["drill", "--yes", "--scale-set", "rg-breakwater/web"]
        playing = asyncio.create_task(asyncio.to_thread(in_pipe, words, shell))
        asked = await mail_about(rig, "Approve rebooting web", within=40)
        assert str(asked["subject"]).startswith("DRILL: ")

        async def overview() -> dict[str, object]:
            (row,) = json.loads((await rig.get("waves.json"))[1])
            assert row["drill"], row
            return row

        row = await eventually(overview, within=5, why="the overview has the drill")
        ended = await asyncio.to_thread(in_pipe, ["drill", "--end", str(row["tracking_id"])], shell)
        assert ended.code == 0, ended.errors
        played = await playing

        assert played.code == 0, played.errors
        assert "nothing of it reaches Azure" in played.out
        report = await rig.report(str(row["tracking_id"]))
        assert [(run["name"], run["state"], run["drill"]) for run in report["runs"]] == [
            ("web", "cancelled", True)
        ]
        assert rig.arm.calls == {}, "no token, no read, no start"
        assert not [each for each in (played, ended) if rig.key in each.out + each.errors]
    assert started(azure) == []
