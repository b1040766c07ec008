"""How an answer is printed: as tables for people, as lines for pipes, as JSON for programs.

Answers go to standard output, whatever else is said to standard error. Colour and progress are for terminals
only; `NO_COLOR` is respected.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 80
"""Columns of a table where no terminal says how wide it is; COLUMNS says otherwise."""


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    PLAIN = "plain"


OutputOption = Annotated[
    Format,
    typer.Option(
        "--output",
        "-o",
        help="table: for people. json: for programs. plain: one line an entry, cells separated by tabs.",
    ),
]


class Out:
    """Prints one command's answer in the format asked for."""

    def __init__(self, output: Format = Format.TABLE) -> None:
        self.format = output
        # rich takes NO_COLOR to leave bold and underlined: whoever sets it wants text without escapes.
        colours: Literal["auto"] | None = None if os.environ.get("NO_COLOR") else "auto"
        self.console = Console(
            soft_wrap=False,
            highlight=False,
            width=None if sys.stdout.isatty() else _width(),
            color_system=colours,
        )
        self.errors = Console(stderr=True, soft_wrap=True, highlight=False, color_system=colours)

    @classmethod
    def aside(cls) -> "Out":
        """For people, on standard error: what a script's standard output must not have."""
        made = cls()
        made.console = made.errors
        return made

    def say(self, sentence: str, style: str = "", *, indent: int = 0, mark: str = "") -> None:
        """A sentence of the answer; JSON leaves it out, since its data says the same.

        `mark` stands before its first line, and its other lines are as far in.
        """
        if self.format is Format.TABLE and self.console.is_terminal:
            text = Text(clean(sentence), style=style)
            inside = indent + len(mark)
            for number, line in enumerate(text.wrap(self.console, self.console.width - inside)):
                before = " " * inside if number else " " * indent + mark
                self.console.print(Text(before, style=style) + line, soft_wrap=True)
        elif self.format is Format.TABLE:
            # A sentence is searched for: in a pipe it stays one line.
            self.console.print(Text(f"{' ' * indent}{mark}{clean(sentence)}", style=style), soft_wrap=True)
        elif self.format is Format.PLAIN:
            self._line(clean(sentence))

    def typed(self, command: str) -> None:
        """A command to copy: never wrapped, since a line break inside would cut it in two."""
        if self.format is Format.TABLE:
            self.console.print(Text(f"  {clean(command)}", style="cyan"), soft_wrap=True)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[object]],
        styles: Mapping[str, str] | None = None,
        title: str = "",
        cut: Sequence[str] = (),
        whole: Sequence[str] = (),
    ) -> None:
        """Rows under their columns; `styles` colours cells by their text. JSON leaves it out.

        The columns named in `cut` share the room that is left and are cut to one line. Those named in `whole`
        (moments, mostly) are not broken, unless the terminal is narrower than a pipe.
        """
        cells = [[clean(str(cell)) for cell in row] for row in rows]
        if self.format is Format.PLAIN:
            for row in cells:
                self._line("\t".join(row))
        elif self.format is Format.TABLE:
            table = Table(
                box=box.SIMPLE_HEAD if any(columns) else box.SIMPLE,
                title=title or None,
                title_justify="left",
                pad_edge=False,
                show_header=any(columns),
                expand=bool(cut),
            )
            roomy = self.console.width >= PIPE_WIDTH
            for column in columns:
                if column in cut:
                    table.add_column(column, overflow="ellipsis", no_wrap=True, ratio=1)
                else:
                    table.add_column(column, overflow="fold", no_wrap=column in whole and roomy)
            for row in cells:
                table.add_row(*(Text(cell, style=(styles or {}).get(cell, "")) for cell in row))
            self.console.print(table)

    def json(self, data: Any) -> None:
        """The whole answer as one JSON document; the other formats leave it out."""
        if self.format is Format.JSON:
            self._line(json.dumps(data, indent=2, ensure_ascii=False, default=str))

    def raw(self, text: str) -> None:
        """Text that is a format of its own (a schema, a page, Markdown), as it is."""
        sys.stdout.write(text if text.endswith("\n") else f"{text}\n")

    def note(self, sentence: str) -> None:
        """Something beside the answer, to standard error, in every format."""
        self.errors.print(Text(clean(sentence), style="yellow"))

    def error(self, sentence: str) -> None:
        """Why the command cannot go on, to standard error."""
        self.errors.print(Text(f"Error: {clean(sentence)}", style="bold red"))

    @contextmanager
    def progress(self, doing: str, total: int | None = None) -> "Iterator[Doing]":
        """Progress of long work, on standard error and only where that is a terminal."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        hidden = not self.errors.is_terminal
        with Progress(*columns, console=self.errors, transient=True, disable=hidden) as shown:
            yield Doing(shown, shown.add_task(doing, total=total))

    def _line(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")


class Doing:
    """One long piece of work, and how far it is."""

    def __init__(self, shown: Progress, task: Any) -> None:
        self._shown, self._task = shown, task

    def step(self, doing: str = "", total: int | None = None) -> None:
        """One more is done; say what is done now, or how many there are, where that has become known."""
        self._shown.update(self._task, advance=1, total=total, description=doing or None)


def clean(text: str) -> str:
    """Text from outside without what a terminal would obey: control characters, escapes, line breaks."""
    return "".join(char if char.isprintable() else " " for char in text)


def _width() -> int:
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) >= 20 else PIPE_WIDTH
