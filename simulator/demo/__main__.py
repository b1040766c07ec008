"""Play the wave, show it, leave `.demo/`, and say whether every promise was kept."""

import argparse
import asyncio
import contextlib
import os
import shutil
import socket
import sys
from io import TextIOWrapper
from pathlib import Path

import aiohttp

from simulator.demo.fleet import TRACKING_ID, demo_fleet
from simulator.demo.platform import Struck, plan
from simulator.demo.play import IN_DOUBT, PACE, SETTINGS, Play, kinds
from simulator.demo.view import View, legend, summary
from simulator.lies import Liar, Lies
from simulator.lies.lies import listed
from simulator.rig import Rig

FOLDER = Path(__file__).resolve().parents[2] / ".demo"
HOSTS = 2
"""Hosts on a rough platform."""

LOCK_SECONDS = 20
"""How long the messages of a host that died stay taken; ten minutes in Azure, which the demo does not have."""


async def main(lies: Lies, blows: tuple[Struck, ...] = ()) -> int:
    """Exit status: 0 when the wave came to its end, everybody was told, and no promise was broken."""
    await asyncio.to_thread(_empty, FOLDER)
    fleet = demo_fleet()
    policy = (Path(__file__).parent / "policy.yaml").read_text(encoding="utf-8")
    port = int(os.environ.get("PORT") or 0) or _free_port()
    settings = {**SETTINGS, "BREAKWATER_PUBLIC_URL": f"http://127.0.0.1:{port}"}
    if blows:
        settings["BREAKWATER_IN_DOUBT"] = str(round(IN_DOUBT.total_seconds()))
    view = View(kinds(fleet))
    view.say("Starting Azurite, a simulated Azure, inboxes, and the app under the local Functions host ...")
    liar = Liar.over(fleet, lies, pace=PACE) if lies.shares else None
    async with Rig(
        fleet,
        policy=policy,
        settings=settings,
        folder=FOLDER,
        port=port,
        lock_seconds=LOCK_SECONDS,
        liar=liar,
        hosts=HOSTS if blows else 1,
    ) as rig:
        view.say(f"A wave is announced for {len(fleet.scale_sets())} scale sets in two regions. {legend()}")
        if liar is not None:
            view.say(f"This Azure lies: {lies} (seed {lies.seed}); how the wave ends is up to it.")
        if blows:
            view.say(f"This platform is rough: {HOSTS} hosts, {len(blows)} blows (seed {lies.seed}).")
        play = Play(rig, view, lies, blows)
        try:
            with view:
                await play.perform()
            await play.save(FOLDER)
        except aiohttp.ClientError as error:
            play.problems.append(f"The app stopped answering: {error}")
        finally:
            written = "\n".join(host.log for host in rig.hosts)
            await asyncio.to_thread((FOLDER / "host.log").write_text, written, encoding="utf-8")
        _conclude(view, rig, play)
        if liar is not None:
            told = ", ".join(f"{name} {times}" for name, times in liar.told.most_common())
            view.say(f"Lies told: {told or 'none'}")
        if os.environ.get("KEEP"):
            await _keep(view, rig)
    return 1 if play.problems else 0


def _conclude(view: View, rig: Rig, play: Play) -> None:
    view.console.print()
    view.console.print(summary(play.report["runs"], kinds(rig.fleet), view.console.width))
    view.say("ARM calls by kind:")
    for kind, number in sorted(rig.arm.calls.items()):
        view.say(f"  {number:4}  {kind}")
    view.say(f"Messages: {len(rig.mail.messages)} mails, {len(rig.teams.messages)} Teams cards")
    view.say(f"Report:   {FOLDER / 'report.html'}")
    view.say(f"Mails:    {FOLDER / 'mail'}{os.sep}*.eml")
    view.say(f"Cards:    {FOLDER / 'teams'}{os.sep}*.json")
    for problem in play.problems:
        view.say(f"BROKEN: {problem}", "bold red")
    if play.problems:
        view.say(f"What the app wrote is in {FOLDER / 'host.log'}.")
    else:
        view.say(
            "Every promise was kept: one domain at a time, inside the window, beside healthy neighbours, "
            "nothing twice, nothing blocked, every instance accounted for, everybody told.",
            "bold green",
        )


async def _keep(view: View, rig: Rig) -> None:
    """Serve until Ctrl-C."""
    view.say("Still serving, Ctrl-C ends it. The links of the mails open as they are; the wave with the key:")
    view.say(f"  {rig.host.url}/api/waves/{TRACKING_ID}?code={rig.key}")
    view.say(f"  all waves: {rig.host.url}/api/waves?code={rig.key}")
    view.say(f"  health: {rig.host.url}/api/health")
    view.say(f"  simulated Azure: {rig.arm.url}")
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.Event().wait()


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()


def chosen() -> tuple[Lies, tuple[Struck, ...]]:
    """What the command line, or else the environment (LIES, PLATFORM, SEED), says of lies and blows.

    Leaves with the list of lies where that is asked for.
    """
    parser = argparse.ArgumentParser(prog="python -m simulator.demo", description="A wave on real parts.")
    parser.add_argument("--lies", default=os.environ.get("LIES", ""), help="such as missing-view=0.1,stale")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED") or 1))
    parser.add_argument("--platform", choices=("calm", "rough"), default=os.environ.get("PLATFORM") or "calm")
    parser.add_argument("--list-lies", action="store_true", help="the lies this Azure knows")
    said = parser.parse_args()
    if said.list_lies or said.lies == "help":
        print(listed())
        sys.exit(0)
    try:
        lies = Lies.parse(said.lies, said.seed)
    except ValueError as wrong:
        parser.error(str(wrong))
    return lies, plan(said.seed, HOSTS) if said.platform == "rough" else ()


def _free_port() -> int:
    """Links in messages name the port, so it is chosen before the host starts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    try:
        sys.exit(asyncio.run(main(*chosen())))
    except KeyboardInterrupt:
        sys.exit(130)
