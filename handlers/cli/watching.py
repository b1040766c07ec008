"""`breakwater watch`: a wave as it goes, on a terminal as a picture that moves, in a pipe a line a change."""

import asyncio
import json
from typing import Annotated

import typer

from handlers.cli.app_client import App, Where
from handlers.cli.app_options import WAVES, AppOption, AudienceOption, KeyFileOption, WaveArgument, where_is
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption

EveryOption = Annotated[
    float, typer.Option("--every", metavar="SECONDS", min=1, help="How often the app is asked.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    example = "Example: breakwater watch VM8T-1Q8 | tee wave.log"
    app.command("watch", epilog=example, rich_help_panel=WAVES)(watch)


def watch(
    wave: WaveArgument,
    every: EveryOption = 5,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Follow a wave until nothing of it is active. Ends with 2 if a scale set missed its window."""
    where = where_is(app, key_file, audience)
    return asyncio.run(_watch(where, wave, every, Out(output)))


async def _watch(where: Where, tracking_id: str, every: float, out: Out) -> ExitCode:
    async with App.opened(where) as client:
        return await follow(client, tracking_id, every, out)


async def follow(client: App, tracking_id: str, every: float, out: Out) -> ExitCode:
    """Show the wave until nothing of it is active. Raises Failed where it cannot be read at first."""
    from handlers.cli import app_waves  # noqa: PLC0415
    from handlers.cli.changes import Changes  # noqa: PLC0415
    from handlers.cli.moving import Picture  # noqa: PLC0415

    changes, trouble = Changes(), ""
    # What is wrong at the first look (address, key, wave) will not get right by waiting.
    document = await app_waves.wave(client, tracking_id)
    with Picture(out, client.where.typed) as picture:
        while True:
            new = changes.since_last(document["runs"])
            if out.format is Format.JSON:
                for change in new:
                    out.raw(json.dumps(change.data, ensure_ascii=False))
            picture.show(document, new, trouble)
            if app_waves.over(document):
                break
            await asyncio.sleep(every)
            try:
                document, trouble = await app_waves.wave(client, tracking_id), ""
            except Failed as failed:
                if failed.sentence != trouble and not picture.moves:
                    out.note(f"{failed.sentence} Trying on.")
                trouble = failed.sentence
    missed = any(run["state"] == "missed" for run in document["runs"])
    return ExitCode.LOOK if missed else ExitCode.DONE
