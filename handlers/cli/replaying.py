"""`breakwater replay`: what is in quarantine goes the way it came, once more."""

import asyncio
from typing import Annotated

import typer

from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption

EXAMPLE = "Example: breakwater replay quarantine/2026-12-05/runs-5f1c.json"

PathsArgument = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="As the notice names it: quarantine/<date>/<name>.json")
]


def replay(paths: PathsArgument, output: OutputOption = Format.TABLE) -> ExitCode:
    """Send items of the quarantine again; what is accepted leaves the quarantine.

    Needs the app's storage: AzureWebJobsStorage, or the settings that name it (docs/settings.md).
    """
    return asyncio.run(_replayed(paths, Out(output)))


async def _replayed(paths: list[str], out: Out) -> ExitCode:
    from handlers.cloud.records import StorageDown  # noqa: PLC0415
    from handlers.replay import NotReplayed, replay  # noqa: PLC0415
    from handlers.wire.documents import BadRecord  # noqa: PLC0415
    from handlers.wire.settings import BadSettings, Settings  # noqa: PLC0415
    from handlers.wiring import Wiring  # noqa: PLC0415

    try:
        wiring = Wiring(Settings.from_environment())
    except BadSettings as error:
        raise Failed(str(error)) from error
    answers: list[dict[str, object]] = []
    try:
        for path in paths:
            try:
                said, done = await replay(path, wiring), True
            except (NotReplayed, BadRecord, StorageDown) as error:
                said, done = str(error), False
                out.error(f"{path}: {said}")
            else:
                out.say(f"{path}: {said}")
            answers.append({"path": path, "replayed": done, "sentence": said})
    finally:
        await wiring.close()
    out.json(answers)
    return ExitCode.DONE if all(answer["replayed"] for answer in answers) else ExitCode.FAILED
