"""`breakwater export`: every run on record and in the archive, for audits."""

import asyncio
import csv
import json
from collections.abc import AsyncIterator
from enum import StrEnum
from itertools import batched
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from handlers.cli import app_storage
from handlers.cli.exits import ExitCode
from handlers.cli.files import written
from handlers.cli.output import Out
from planner.text.phrases import many

if TYPE_CHECKING:
    from handlers.cloud.records import Listed
    from handlers.wiring import Wiring

EXAMPLE = "Example: breakwater export --format csv -o runs.csv"
AT_ONCE = 32
"""Documents read side by side."""


class Kind(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


FormatOption = Annotated[
    Kind, typer.Option("--format", help="jsonl: each record as it is stored. csv: a row an instance.")
]
FileOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Standard output without it.")
]
WaveOption = Annotated[str, typer.Option("--wave", metavar="WAVE", help="Only the runs of this wave.")]


def export(kind: FormatOption = Kind.JSONL, output: FileOption = None, wave: WaveOption = "") -> ExitCode:
    """Write every run that is on record, those in the archive first. Only reads the storage.

    Needs the app's storage: AzureWebJobsStorage__accountName and a sign-in, or AzureWebJobsStorage. A record
    that cannot be read is named, and the command ends with 3.
    """
    return asyncio.run(_export(kind, output, wave, Out()))


async def _export(kind: Kind, path: Path | None, wave: str, out: Out) -> ExitCode:
    from handlers.wire.documents import waves_of  # noqa: PLC0415

    async with app_storage.opened() as wiring:
        lines = [*await wiring.runs.archived(), *await wiring.runs.listed()]
        chosen = [line for line in lines if not wave or wave in waves_of(line.metadata)]
        with written(path) as file, out.progress("Reading runs", len(chosen)) as doing:
            writes = _Jsonl(file) if kind is Kind.JSONL else _Csv(file)
            unread: list[str] = []
            async for line, body in _bodies(chosen, wiring):
                doing.step()
                # Between listing and reading a run may have gone into the archive: a new line has it.
                if body is not None and (why := writes.one(line.path, body)):
                    unread.append(f"{line.path}: {why}")
    for sentence in unread:
        out.note(sentence)
    if path is not None:
        out.note(f"{many(len(chosen) - len(unread), 'run')} written to {path}.")
    return ExitCode.PARTLY if unread else ExitCode.DONE


async def _bodies(lines: "list[Listed]", wiring: "Wiring") -> "AsyncIterator[tuple[Listed, bytes | None]]":
    from handlers.cloud.side_by_side import side_by_side  # noqa: PLC0415

    async def read(line: "Listed") -> "tuple[Listed, bytes | None]":
        stored = await wiring.records.read(line.path)
        return line, stored.body if stored is not None else None

    for some in batched(lines, AT_ONCE, strict=False):
        for found in await side_by_side(read, some, AT_ONCE):
            yield found


class _Jsonl:
    """A record a line as it is stored, with the path it has."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def one(self, path: str, body: bytes) -> str:
        """Why it cannot be written; empty when it is."""
        try:
            record: Any = json.loads(body)
        except ValueError:
            return "it is not JSON."
        if not isinstance(record, dict):
            return "it is not a record."
        self._file.write(f"{json.dumps({'path': path, **record}, ensure_ascii=False)}\n")
        return ""


class _Csv:
    """The columns of the wave's spreadsheet (docs/report.md)."""

    def __init__(self, file: IO[str]) -> None:
        from handlers.render.table import COLUMNS  # noqa: PLC0415

        self._writer = csv.writer(file)
        self._writer.writerow(COLUMNS)

    def one(self, path: str, body: bytes) -> str:
        """Why it cannot be written; empty when it is."""
        from handlers.render.table import rows  # noqa: PLC0415
        from handlers.wire.documents import BadRecord, NewerRecord, decode  # noqa: PLC0415
        from planner.record.run import Run  # noqa: PLC0415

        del path
        try:
            run = decode(Run, body)
        except (BadRecord, NewerRecord) as error:
            return str(error)
        self._writer.writerows(rows(", ".join(run.waves), run))
        return ""
