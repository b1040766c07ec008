"""`breakwater render`: what people would read of a run, from its record, by the app's own code."""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from handlers.cli import clock
from handlers.cli.exits import ExitCode, Failed
from handlers.cli.files import written
from handlers.cli.policy_source import text_of

if TYPE_CHECKING:
    from handlers.render.forms import Rendered
    from planner.azure.wave import Wave
    from planner.record.run import Run

EXAMPLE = "Example: breakwater render web-prod.json --as page -o web-prod.html"


class Form(StrEnum):
    PAGE = "page"
    MAIL = "mail"
    HTML = "html"
    CARD = "card"
    EVENT = "event"
    CALENDAR = "calendar"
    CSV = "csv"


RecordsArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="RECORD",
        help="A run's record as Storage Explorer or `export` gives it (JSON or JSON lines), a wave's record "
        "beside it; - reads standard input.",
    ),
]
FormOption = Annotated[
    Form,
    typer.Option(
        "--as",
        help="page; mail (text), html (mail), card (Teams) and event (webhook) of a notice; calendar; csv.",
    ),
]
NoticeOption = Annotated[
    int, typer.Option("--notice", metavar="NUMBER", help="Which of the run's notices; the last without it.")
]
WaveOption = Annotated[
    str, typer.Option("--wave", metavar="WAVE", help="As which wave's; the run's first without it.")
]
AtOption = Annotated[str, typer.Option("--at", metavar="TIME", help="As of when, ISO 8601; now without it.")]
FileOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Standard output without it.")
]


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to show: the runs of one wave, its records, the moment it is shown at."""

    tracking_id: str
    runs: "tuple[Run, ...]"
    waves: "tuple[Wave, ...]"
    now: datetime
    notice: int
    public_url: str


def render(
    records: RecordsArgument,
    form: FormOption = Form.PAGE,
    notice: NoticeOption = 0,
    wave: WaveOption = "",
    at: AtOption = "",
    output: FileOption = None,
) -> ExitCode:
    """Render a notice, card, page, calendar or spreadsheet from records. Reads files, sends nothing.

    Several runs are shown as their wave. BREAKWATER_PUBLIC_URL makes the links in it; none of them is signed.
    """
    runs, waves = _records(records)
    tracking_id = wave or next(iter(runs[0].waves), "")
    chosen = tuple(run for run in runs if tracking_id in run.waves)
    if not chosen:
        raise Failed(f"None of these runs belongs to the wave {tracking_id}.")
    mine = tuple(each for each in waves if each.tracking_id == tracking_id)
    url = os.environ.get("BREAKWATER_PUBLIC_URL", "")
    scene = Scene(tracking_id, chosen, mine, _moment(at), notice, url)
    made = FORMS[form](scene)
    with written(output) as file:
        file.write(made if made.endswith("\n") else f"{made}\n")
    return ExitCode.DONE


def _page(scene: Scene) -> str:
    from handlers.render.addresses import OnPage, Place  # noqa: PLC0415
    from handlers.render.page import run_page, wave_page  # noqa: PLC0415
    from handlers.render.report_model import Report  # noqa: PLC0415

    addresses = OnPage(scene.public_url)
    if len(scene.runs) == 1:
        return run_page(scene.tracking_id, scene.runs[0], addresses, scene.now, scene.waves)
    asking = tuple(
        Place(run.target.subscription, run.target.resource_group, run.target.name)
        for run in scene.runs
        if run.needs_person
    )
    report = Report(scene.tracking_id, scene.waves, scene.runs, _seen(scene), (), asking=asking)
    return wave_page(report, addresses, scene.now)


def _message(scene: Scene) -> "Rendered":
    from handlers.render.addresses import Addresses  # noqa: PLC0415
    from handlers.render.compose import compose  # noqa: PLC0415
    from handlers.render.forms import render as forms_of  # noqa: PLC0415
    from handlers.render.letter import Story  # noqa: PLC0415

    items = []
    for run in scene.runs:
        found = [each for each in run.story.notices if scene.notice in {0, each.number}]
        items += [(run, each) for each in found[-1:]]
    if not items:
        numbers = sorted({each.number for run in scene.runs for each in run.story.notices})
        known = f"its notices are {', '.join(map(str, numbers))}" if numbers else "it has none"
        raise Failed(f"There is no such notice on the record: {known}.")
    story = Story(scene.tracking_id, scene.waves, tuple(items), _seen(scene))
    letter = compose(story, Addresses(scene.public_url), scene.now)
    return forms_of(letter, "0" * 32, f"wave-{scene.tracking_id}", scene.now)


def _calendar(scene: Scene) -> str:
    from handlers.render.addresses import Addresses  # noqa: PLC0415
    from handlers.render.appointments import appointments  # noqa: PLC0415
    from handlers.render.calendar import calendar  # noqa: PLC0415
    from planner.notices.feed import Feed, revised  # noqa: PLC0415

    stages = {each.subscription.lower(): each.stage for each in scene.waves}
    due = appointments(scene.tracking_id, "", scene.runs, stages)
    feed = revised(Feed(scene.tracking_id), due, scene.now)
    name = f"Planned maintenance {scene.tracking_id}"
    return calendar(name, (feed,), Addresses(scene.public_url).wave).decode()


def _csv(scene: Scene) -> str:
    from handlers.render.table import table  # noqa: PLC0415

    return table(scene.tracking_id, scene.runs)


def _mail(scene: Scene) -> str:
    made = _message(scene)
    return f"Subject: {made.subject}\n\n{made.text}"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False)


FORMS: Mapping[Form, Callable[[Scene], str]] = {
    Form.PAGE: _page,
    Form.MAIL: _mail,
    Form.HTML: lambda scene: _message(scene).html,
    Form.CARD: lambda scene: _json(_message(scene).card),
    Form.EVENT: lambda scene: _json(_message(scene).payload),
    Form.CALENDAR: _calendar,
    Form.CSV: _csv,
}


def _seen(scene: Scene) -> Any:
    from planner.notices.digest import Row, overview  # noqa: PLC0415

    rows = [
        Row(run.state, run.needs_person, run.times.deadline, run.waits.cause.value if run.waits else "")
        for run in scene.runs
    ]
    going = not scene.waves or any(each.open for each in scene.waves)
    return overview(rows, 0, wave_open=going)


def _moment(text: str) -> datetime:
    if not text:
        return clock.now()
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise Failed(f"{text!r} is not a time like 2026-12-06T01:00:00Z.", ExitCode.USAGE) from error
    if found.tzinfo is None:
        raise Failed(f"Say in which zone {text} is: {text}Z is UTC.", ExitCode.USAGE)
    return found


def _records(files: Sequence[str]) -> "tuple[list[Run], list[Wave]]":
    """The runs and the waves in these files. Raises Failed."""
    from handlers.wire.documents import BadRecord, NewerRecord, decode  # noqa: PLC0415
    from planner.azure.wave import Wave  # noqa: PLC0415
    from planner.record.run import Run  # noqa: PLC0415

    runs: list[Run] = []
    waves: list[Wave] = []
    for file in files:
        for record in _documents(file):
            body = json.dumps(record).encode()
            try:
                if "target" in record:
                    runs.append(decode(Run, body))
                elif "tracking_id" not in record:
                    raise Failed(f"{file} holds neither the record of a run nor that of a wave.")
                else:
                    waves.append(decode(Wave, body))
            except (BadRecord, NewerRecord) as error:
                raise Failed(f"{file}: {error}") from error
    if not runs:
        raise Failed("There is no run among these records: `breakwater export` writes them.")
    return runs, waves


def _documents(file: str) -> list[dict[str, Any]]:
    """The JSON objects of a file: one, or one a line."""
    text = sys.stdin.read() if file == "-" else text_of(Path(file))
    try:
        found = [json.loads(text)]
    except ValueError:
        try:
            found = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise Failed(f"{file} is neither JSON nor JSON lines.") from error
    if not found or not all(isinstance(each, dict) for each in found):
        raise Failed(f"{file} holds no record.")
    return found
