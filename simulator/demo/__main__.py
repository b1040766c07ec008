"""Play the wave, show it, leave `.demo/`, and say whether every promise was kept."""

import asyncio
import os
import shutil
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.demo.fleet import TRACKING_ID, fleet
from simulator.demo.view import View, table
from simulator.fleet.build import SUBSCRIPTION
from simulator.oracle import accounted, violations
from simulator.rig import Rig

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".demo"
PATIENCE = 240  # seconds; on two quiet cores it takes about one minute
SETTLED = {"completed", "left_to_azure", "not_impacted", "paused"}
BLOCKED = ("batch-dev", "fabric-prod", "aks-pool1-vmss", "reports-dev", "quiet-prod")
SETTINGS = {
    "BREAKWATER_LOOK_AGAIN": "1",
    "BREAKWATER_GROUP_WAIT": "3",
    "BREAKWATER_SWEEP_SCHEDULE": "*/15 * * * * *",
}


async def main() -> int:
    """Exit status: 0 when the wave came to its end and no promise was broken."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    azure = fleet()
    policy = (Path(__file__).parent / "policy.yaml").read_text(encoding="utf-8")
    print("Starting Azurite, the simulated Azure and the app under the local Functions host.", flush=True)
    port = int(os.environ.get("PORT") or 0)
    async with Rig(azure, policy=policy, settings=SETTINGS, folder=FOLDER, port=port) as rig:
        status, answer = await rig.post_alert(azure.alert(TRACKING_ID))
        print(f"The alert was posted to {rig.host.url}/api/alerts and answered {status}: {answer['reason']}")
        report = await _watch(rig)
        ended = _ended(report["runs"])
        await _told(rig)
        (FOLDER / "report.html").write_text((await rig.get(f"waves/{TRACKING_ID}"))[1], encoding="utf-8")
        problems = violations(azure, blocked=BLOCKED, grace=timedelta(seconds=5)) + accounted(azure, report)
        if not ended:
            problems.append(f"The wave had not come to its end after {PATIENCE} s.")
        _summary(rig, report, problems)
        if os.environ.get("KEEP"):
            print(f"Serving on: {rig.host.url}/api/waves/{TRACKING_ID} (Ctrl-C ends it)", flush=True)
            await asyncio.Event().wait()
    return 1 if problems else 0


async def _watch(rig: Rig) -> dict[str, Any]:
    """Follow the report over HTTP as anybody would, and approve what asks for approval."""
    until = time.monotonic() + PATIENCE
    approved = False
    with View() as view:
        while True:
            report = await rig.report(TRACKING_ID)
            view.show(report["runs"])
            if not approved:
                approved = await _approve(rig, report["runs"])
            if _ended(report["runs"]) or time.monotonic() > until:
                return report
            await asyncio.sleep(0.5)


def _ended(runs: list[dict[str, Any]]) -> bool:
    return len(runs) == 12 and all(run["state"] in SETTLED for run in runs)


async def _approve(rig: Rig, runs: list[dict[str, Any]]) -> bool:
    waiting = next((run for run in runs if run["state"] == "awaiting_approval"), None)
    if waiting is None:
        return False
    place = f"{SUBSCRIPTION}/{waiting['resource_group']}/{waiting['name']}"
    address = f"{rig.host.url}/api/waves/{TRACKING_ID}/{place}/approve"
    async with rig.http.post(address, json={"actor": "ana@example.org", "comment": "go"}) as answer:
        return answer.status == 202


async def _told(rig: Rig) -> None:
    """Wait, within reason, for the notices about what happened last."""
    wanted = ("Announced", "Paused", "Completed")

    def arrived(_: Any = None) -> bool:
        return all(any(word in str(mail["subject"]) for mail in rig.mail.messages) for word in wanted)

    until = time.monotonic() + 30
    while not arrived() and time.monotonic() < until:
        await asyncio.sleep(0.5)


def _summary(rig: Rig, report: dict[str, Any], problems: list[str]) -> None:
    view = View()
    view.console.print(table(report["runs"]))
    calls = ", ".join(f"{kind}: {number}" for kind, number in sorted(rig.arm.calls.items()))
    print(f"ARM calls by kind: {calls}")
    print(f"Notices: {len(rig.mail.messages)} mails, {len(rig.teams.messages)} Teams cards")
    for problem in problems:
        print(f"BROKEN: {problem}")
    if not problems:
        print(
            "Every promise was kept: one domain at a time, in the window, nothing twice, all accounted for."
        )
    print(f"Report: {FOLDER}/report.html   Mails: {FOLDER}/mail/   Cards: {FOLDER}/teams/", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except KeyboardInterrupt:
        sys.exit(0)
