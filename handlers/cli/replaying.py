"""`breakwater replay`: what is in quarantine, or a saved alert, goes the way it came, once more."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from handlers.cli import app_storage
from handlers.cli.app_client import App, refused
from handlers.cli.app_options import AppOption, AudienceOption, KeyFileOption, where_is
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.output import Format, Out, OutputOption

EXAMPLE = "Example: breakwater replay quarantine/2026-12-05/runs-5f1c.json"
QUARANTINE = "quarantine/"

PathsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="As the notice names it, quarantine/<date>/<name>.json, or the file of a saved alert.",
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before an alert is posted.")]


def replay(
    paths: PathsArgument,
    yes: YesOption = False,
    app: AppOption = "",
    key_file: KeyFileOption = "",
    audience: AudienceOption = "",
    output: OutputOption = Format.TABLE,
) -> ExitCode:
    """Send items of the quarantine again, or post a saved alert to the app.

    What is accepted leaves the quarantine. Its items need the app's storage: AzureWebJobsStorage, or the
    settings that name it (docs/settings.md). An alert needs the app's address and key.
    """
    out = Out(output)
    kept = [path for path in paths if path.startswith(QUARANTINE)]
    alerts = [path for path in paths if not path.startswith(QUARANTINE)]
    answers: list[dict[str, object]] = []
    if alerts:
        where = where_is(app, key_file, audience)
        bodies = {path: _alert(path) for path in alerts}
        _agreed(bodies, where.host, out, yes=yes)
        answers += asyncio.run(_posted(bodies, where, out))
    if kept:
        answers += asyncio.run(_replayed(kept, out))
    out.json(answers)
    return ExitCode.DONE if all(answer["replayed"] for answer in answers) else ExitCode.FAILED


async def _replayed(paths: list[str], out: Out) -> list[dict[str, object]]:
    from handlers.cloud.records import StorageDown  # noqa: PLC0415
    from handlers.replay import NotReplayed, replay  # noqa: PLC0415
    from handlers.wire.documents import BadRecord  # noqa: PLC0415

    answers: list[dict[str, object]] = []
    async with app_storage.opened() as wiring:
        for path in paths:
            try:
                said, done = await replay(path, wiring), True
            except (NotReplayed, BadRecord, StorageDown) as error:
                said, done = str(error), False
            answers.append(_told(path, said, out, done=done))
    return answers


def _alert(path: str) -> bytes:
    """The alert's body in a file: as an action group sent it, or inside an item of the quarantine."""
    from handlers.cli.policy_source import text_of  # noqa: PLC0415

    text = text_of(Path(path))
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise Failed(f"{path} is not JSON, so it is not an alert. Nothing was sent.") from error
    if isinstance(found, dict) and found.get("source") == "alert" and isinstance(found.get("message"), str):
        return str(found["message"]).encode()
    return text.encode()


def _agreed(bodies: dict[str, bytes], host: str, out: Out, *, yes: bool) -> None:
    """Say what each alert is, and ask. Raises Failed, typer.Abort."""
    from handlers.cli import clock  # noqa: PLC0415
    from handlers.wire.alerts import NotAnAlert, NotForUs, read_alert  # noqa: PLC0415

    aside = out if out.format is Format.TABLE else Out.aside()
    for path, body in bodies.items():
        try:
            alert = read_alert(body, clock.now())
        except NotAnAlert as error:
            raise Failed(f"{path}: {error.sentence} Nothing was sent.") from error
        if isinstance(alert, NotForUs):
            aside.say(f"{path}: {alert.reason}")
        else:
            aside.say(
                f"{path}: wave {alert.tracking_id}, stage {alert.stage.value}, "
                f"subscription {alert.subscription}."
            )
    aside.say(f"{host} works through it as if Azure had sent it: it plans, tells people, and may start.")
    if yes:
        return
    if not (sys.stdin.isatty() and out.errors.is_terminal):
        raise Failed("Nothing was sent: there is no terminal to ask on. Add --yes.", ExitCode.USAGE)
    typer.confirm("Post it?", default=False, abort=True, err=True)


async def _posted(bodies: dict[str, bytes], where: Any, out: Out) -> list[dict[str, object]]:
    answers: list[dict[str, object]] = []
    async with App.opened(where) as client:
        for path, body in bodies.items():
            answer = await client.asked("POST", "alerts", body)
            if answer.status not in {200, 202, 400, 413}:
                raise refused(answer, where)
            status = answer.body["status"] if isinstance(answer.body, dict) else "refused"
            said = f"The alert was {status}: {answer.sentence}"
            answers.append(_told(path, said, out, done=answer.status < 300))
    return answers


def _told(path: str, said: str, out: Out, *, done: bool) -> dict[str, object]:
    if done:
        out.say(f"{path}: {said}")
    else:
        out.error(f"{path}: {said}")
    return {"path": path, "replayed": done, "sentence": said}
