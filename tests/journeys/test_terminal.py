"""An engineer at a terminal and the deployed app: what she types is done, what she sees is so."""

import asyncio
import json
from collections.abc import Mapping

from simulator.fleet import SUBSCRIPTION, uniform
from simulator.rig import Rig
from tests.journeys.play import ALWAYS, POLICY, QUICK, SETTINGS, TRACKING_ID, alerted, fleet, kept, reaches
from tests.journeys.terminal import Ended, in_pipe, in_terminal


def account_key(storage: str) -> str:
    return storage.partition("AccountKey=")[2].partition(";")[0]


async def the_app_is_looked_at(rig: Rig, shell: Mapping[str, str]) -> list[Ended]:
    """Doctor and export, with the settings of the app."""
    inside = {**rig.environment(), **shell, "BREAKWATER_SUBSCRIPTIONS": SUBSCRIPTION}
    looked, exported = await asyncio.gather(
        asyncio.to_thread(in_pipe, ["doctor", "-o", "json"], inside),
        asyncio.to_thread(in_pipe, ["export"], inside),
    )
    found = json.loads(looked.out)["findings"]
    # The journeys switch the sweep off; everything else is in order.
    assert [each["area"] for each in found if each["verdict"] != "well"] == ["sweep"], looked.out
    assert looked.code == 2
    runs = [json.loads(line) for line in exported.out.splitlines()]
    assert {run["target"]["name"]: run["state"] for run in runs} == {"web": "completed", "api": "completed"}
    return [looked, exported]


async def test_a_wave_is_approved_watched_and_held_from_a_terminal(storage: str) -> None:
    azure = fleet(
        uniform("web", 2, update_domains=2, behaviour=QUICK, tags={**ALWAYS, "breakwater-mode": "approve"}),
        uniform("api", 2, update_domains=2, behaviour=QUICK, tags={**ALWAYS, "breakwater-mode": "approve"}),
    )
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        shell = {"BREAKWATER_PUBLIC_URL": rig.host.url, "BREAKWATER_KEY": rig.key, "COLUMNS": "80"}
        await alerted(rig)
        await reaches(rig, 20, web="awaiting_approval", api="awaiting_approval")

        shown = await asyncio.to_thread(in_terminal, ["show", TRACKING_ID], shell)
        assert shown.code == 2
        assert f"breakwater approve {TRACKING_ID} web" in shown.text
        assert "\x1b[" in shown.out
        assert max(map(len, shown.text.splitlines())) <= 80

        held = await asyncio.to_thread(
            in_pipe, ["hold", TRACKING_ID, "api", "--yes", "--actor", "Ana", "-r", "Not tonight."], shell
        )
        assert held.code == 0, held.errors
        unsure = await asyncio.to_thread(
            in_terminal, ["approve", TRACKING_ID, "web"], shell, [("Your name", "Ana"), ("Approve?", "n")]
        )
        assert unsure.code == 130
        await reaches(rig, 5, web="awaiting_approval", api="paused")

        watching = asyncio.create_task(
            asyncio.to_thread(in_pipe, ["watch", TRACKING_ID, "--every", "1"], shell)
        )
        approved = await asyncio.to_thread(
            in_terminal, ["approve", TRACKING_ID, "web"], shell, [("Your name", "Ana"), ("Approve?", "y")]
        )
        assert approved.code == 0, approved.text
        assert "2 instances will be rebooted" in approved.text
        await reaches(rig, 30, web="completed")
        skipped = await asyncio.to_thread(
            in_pipe, ["skip", TRACKING_ID, "api", "--yes", "--actor", "Ana"], shell
        )
        assert skipped.code == 0, skipped.errors
        report = await reaches(rig, 20, web="completed", api=("completed", "left_to_azure"))
        watched = await watching
        assert watched.code == 0, watched.errors
        assert any("completed" in line and " web " in line for line in watched.out.splitlines())

        rig.fleet.world.alerting.wire(SUBSCRIPTION, rig.host.url, rig.key, "/subscriptions/x/app")
        outputs = [shown, held, unsure, approved, skipped, watched]
        outputs += await the_app_is_looked_at(rig, shell)
        secrets = (rig.key, rig.arm.token, account_key(rig.storage))
        assert not [each for each in outputs for secret in secrets if secret in each.out + each.errors]
    kept(rig, report)
