"""`breakwater waves` and `breakwater show`: the deployed app's waves, read only."""

import asyncio
from typing import Annotated

import typer

from handlers.cli.app_client import App, Where
from handlers.cli.app_options import (
    WAVES,
    AppOption,
    AudienceOption,
    KeyFileOption,
    SetArgument,
    WaveArgument,
    where_is,
)
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption
from planner.record.states import RunState

AllOption = Annotated[bool, typer.Option("--all", help="The whole table, and the whole history.")]
StateOption = Annotated[
    str,
    typer.Option("--state", metavar="STATE", help=f"Only scale sets in this state: {', '.join(RunState)}."),
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    listing = "Example: breakwater waves --app https://HOST --key-file key.txt"
    app.command("waves", epilog=listing, rich_help_panel=WAVES)(waves)
    example = "Example: breakwater show VM8T-1Q8 rg-shop/web-prod"
    app.command("show", epilog=example, rich_help_panel=WAVES)(show)


def waves(
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """List the waves that the deployed app knows, those that need somebody first. Ends with 2 if one does."""
    return asyncio.run(_waves(where_is(app, key_file, audience), Out(output)))


async def _waves(where: Where, out: Out) -> ExitCode:
    from handlers.cli import app_waves, clock, wave_view  # noqa: PLC0415

    async with App.opened(where) as client:
        found = await app_waves.every_wave(client)
    out.json(found)
    if out.format is not Format.JSON:
        wave_view.overview(out, found, where.typed, clock.now())
    return ExitCode.LOOK if any(each["needs_person"] for each in found) else ExitCode.DONE


def show(
    wave: WaveArgument,
    scale_set: SetArgument = "",
    every: AllOption = False,
    state: StateOption = "",
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Show how a wave stands, what needs an answer and the command to type; or one scale set of it.

    Ends with 2 if somebody is needed.
    """
    if state and state not in set(RunState):
        raise Failed(f"There is no state {state!r}. The states are {', '.join(RunState)}.", ExitCode.USAGE)
    where = where_is(app, key_file, audience)
    return asyncio.run(_show(where, wave, scale_set, Out(output), state, whole=every))


async def _show(
    where: Where, tracking_id: str, scale_set: str, out: Out, state: str, *, whole: bool
) -> ExitCode:
    from handlers.cli import app_waves, clock, run_view, wave_view  # noqa: PLC0415

    async with App.opened(where) as client:
        document = await app_waves.wave(client, tracking_id)
    now, runs = clock.now(), document["runs"]
    if scale_set:
        found = app_waves.find(runs, scale_set)
        out.json(found)
        if out.format is not Format.JSON:
            name = app_waves.short_name(found, runs)
            run_view.run(out, tracking_id, found, name, where.typed, now, whole=whole)
        return ExitCode.LOOK if found["state"] in app_waves.NEEDS else ExitCode.DONE
    out.json({**document, "runs": [run for run in runs if state in {"", run["state"]}]})
    if out.format is not Format.JSON:
        wave_view.wave(out, document, where.typed, now, whole=whole, only=state)
    return ExitCode.LOOK if document["needs_person"] else ExitCode.DONE
