"""`breakwater drill`: a wave that is played through the deployed app, from alert to last message."""

import asyncio
import os
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from handlers.cli.acting import ActorOption, YesOption
from handlers.cli.app_client import Answer, App, Where, path_of, refused
from handlers.cli.app_options import AppOption, AudienceOption, KeyFileOption, where_is
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption
from planner.text.phrases import to_the_minute
from planner.words.drills import PLAYED

EXAMPLE = "Example: breakwater drill --scale-set rg-shop/web-prod --scale-set rg-shop/db-prod"
PATIENCE, EVERY = 60, 2
"""Seconds until the app has the wave on record, and between two looks meanwhile."""

ROLES: tuple[dict[str, Any], ...] = ({"tags": {"breakwater-mode": "approve"}}, {"fails": "1"})
"""What the first scale sets do: ask for approval, and have an instance that does not come back."""

SetsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--scale-set",
        metavar="GROUP/NAME",
        help="Named like this one, so that routes and rules by name are tried; its instances are invented. "
        "The first asks for approval, of the second an instance does not come back.",
    ),
]
TagsOption = Annotated[
    list[str] | None,
    typer.Option("--tag", metavar="KEY=VALUE", help="On each of them, such as breakwater-owner=shop."),
]
MinutesOption = Annotated[
    int, typer.Option("--minutes", min=20, max=50, help="It ends by itself after so many.")
]
EndOption = Annotated[str, typer.Option("--end", metavar="WAVE", help="End this drill now.")]


def drill(
    scale_set: SetsOption = None,
    tag: TagsOption = None,
    minutes: MinutesOption = 50,
    end: EndOption = "",
    actor: ActorOption = "",
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Play a wave through the deployed app: its alert, plans, questions, messages and buttons.

    Nothing of it exists in Azure, and nothing is started. Every message, page and record says that it is a
    drill. It ends by itself within the hour, or with --end.
    """
    where, out = where_is(app, key_file, audience), Out(output)
    if end:
        return asyncio.run(_end(where, end, out))
    asked = {"scale_sets": _named(scale_set or [], tag or []), "minutes": minutes}
    return asyncio.run(_begin(where, asked, actor or os.environ.get("BREAKWATER_ACTOR", ""), out, yes=yes))


async def _begin(where: Where, asked: dict[str, Any], actor: str, out: Out, *, yes: bool) -> ExitCode:
    from handlers.cli.watching import follow  # noqa: PLC0415

    async with App.opened(where) as client:
        health = await client.asked("GET", "health")
        if isinstance(health.body, dict) and health.body.get("stopped"):
            raise Failed(f"Nothing would go on in a drill: {health.body.get('stopped_by')}")
        _agreed(where, actor, out, yes=yes)
        who = actor or ("" if where.audience else str(typer.prompt("Your name, for the history", err=True)))
        begun = _taken(await client.post("drills", {**asked, "actor": who or "signed in"}), where)
        tracking_id = str(begun["tracking_id"])
        _taken(await client.post("alerts", begun["alert"]), where)
        ends = datetime.fromisoformat(str(begun["ends_at"]))
        out.note(f"{tracking_id} has begun and ends by itself at {to_the_minute(ends)}. To end it sooner:")
        out.note(f"  breakwater drill --end {tracking_id}{where.typed}")
        await _on_record(client, tracking_id)
        return await follow(client, tracking_id, EVERY, out)


async def _on_record(client: App, tracking_id: str) -> None:
    """Wait until the app has worked through the alert. Raises Failed."""
    for _ in range(PATIENCE // EVERY):
        answer = await client.asked("GET", f"{path_of('waves', tracking_id)}.json")
        if answer.status == 200 and answer.body["runs"]:
            return
        await asyncio.sleep(EVERY)
    raise Failed(
        f"{tracking_id} was taken, and {PATIENCE} s later the app has planned nothing of it. Type: "
        "breakwater doctor"
    )


async def _end(where: Where, tracking_id: str, out: Out) -> ExitCode:
    async with App.opened(where) as client:
        ended = _taken(await client.post(path_of("drills", tracking_id), {}), where)
    out.json(ended)
    out.say(f"{tracking_id}: {ended['reason']}", "green")
    return ExitCode.DONE


def _agreed(where: Where, actor: str, out: Out, *, yes: bool) -> None:
    """Say what a drill does, and ask. Raises Failed, typer.Abort."""
    aside = out if out.format is Format.TABLE else Out.aside()
    aside.say(PLAYED)
    aside.say(
        "The receivers in the app's policy are told, and paged, by every channel; each message says DRILL."
    )
    if yes:
        if not actor and not where.audience:
            raise Failed("Say who you are: --actor NAME, or set BREAKWATER_ACTOR.", ExitCode.USAGE)
        return
    if not (sys.stdin.isatty() and out.errors.is_terminal):
        raise Failed("Nothing was sent: there is no terminal to ask on. Add --yes.", ExitCode.USAGE)
    typer.confirm("Begin?", default=False, abort=True, err=True)


def _taken(answer: Answer, where: Where) -> dict[str, Any]:
    if answer.status in {200, 201, 202} and isinstance(answer.body, dict):
        return answer.body
    raise refused(answer, where)


def _named(sets: list[str], tags: list[str]) -> list[dict[str, Any]]:
    """The scale sets as the app takes them. Raises Failed."""
    shared = dict(each.split("=", 1) for each in tags if "=" in each)
    if len(shared) < len(tags) or any(each.count("/") != 1 for each in sets):
        raise Failed("Write --scale-set GROUP/NAME and --tag KEY=VALUE.", ExitCode.USAGE)
    if tags and not sets:
        raise Failed("--tag goes with --scale-set: name one.", ExitCode.USAGE)
    made: list[dict[str, Any]] = []
    for number, each in enumerate(sets):
        group, name = each.split("/")
        role = ROLES[number] if number < len(ROLES) else {}
        made.append(
            {"resource_group": group, "name": name, **role, "tags": {**shared, **role.get("tags", {})}}
        )
    return made
