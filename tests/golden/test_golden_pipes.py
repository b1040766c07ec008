"""A pipe, a terminal and NO_COLOR get the same answer: only colour, line breaks and progress differ."""

import os
import re
from collections.abc import Callable, Iterator, Sequence

import pytest

from tests.golden.cli_help import split
from tests.golden.files import COMMANDS_FOLDER, kept
from tests.golden.shell import COLUMNS, ESCAPES, Printed, in_a_terminal, kept_as, piped
from tests.golden.typed import TYPED

MOVES = (("watch",), ("drill",))
"""Commands that show a moving picture in a terminal, and lines in a pipe, as their help says."""


def form_of(name: str) -> str:
    """The format that a golden file is in, by its name; empty for the one that people get."""
    return next((form for form in ("json", "plain", "csv", "markdown") if name.endswith(f"-{form}")), "")


def first_of_each() -> Iterator[str]:
    """A golden file of each command and format: of those in one format the first."""
    seen: set[tuple[object, ...]] = set()
    for name in TYPED:
        path, _ = split(name.split("-"))
        moves = not form_of(name) and path[:1] in MOVES
        if path and not moves and (path, form_of(name)) not in seen:
            seen.add((path, form_of(name)))
            yield name


def typed(name: str, to: Callable[[Sequence[str]], Printed], *, no_color: bool = False) -> str:
    """What its golden file would have if it were typed so."""
    with TYPED[name].world():
        os.environ |= {"NO_COLOR": "1"} if no_color else {}
        words = TYPED[name].words()
        return kept_as(words, to(words))


def unbroken(text: str) -> str:
    """Without what breaks lines."""
    return "".join(text.split())


@pytest.mark.parametrize("name", [name for name in first_of_each() if form_of(name)])
def test_a_terminal_gets_what_programs_read_byte_for_byte(name):
    assert typed(name, in_a_terminal) == kept(COMMANDS_FOLDER, f"{name}.txt")


@pytest.mark.parametrize("name", [name for name in first_of_each() if not form_of(name)])
def test_only_colour_and_line_breaks_differ_from_a_pipe_to_a_terminal(name):
    pipe = kept(COMMANDS_FOLDER, f"{name}.txt")
    terminal = typed(name, in_a_terminal, no_color=True)
    assert typed(name, piped, no_color=True) == pipe
    assert "\x1b[" not in terminal
    assert unbroken(terminal) == unbroken(pipe)
    assert ESCAPES.sub("", typed(name, in_a_terminal)) == terminal


@pytest.mark.parametrize("name", ["help", "help-policy", "help-show"])
def test_the_help_differs_in_its_styles_alone(name):
    pipe = kept(COMMANDS_FOLDER, f"{name}.txt")
    assert ESCAPES.sub("", typed(name, in_a_terminal)) == pipe
    assert typed(name, piped, no_color=True) == pipe


def test_the_moving_picture_names_each_scale_set_that_a_pipe_names_within_80_columns():
    pipe = kept(COMMANDS_FOLDER, "watch-finished-plain.txt").splitlines()[1:-1]
    terminal = typed("watch-finished", in_a_terminal, no_color=True)
    lines = ESCAPES.sub("", terminal).replace("\r", "\n").splitlines()
    assert all(any(line.startswith(row.split("\t")[1]) for line in lines) for row in pipe)
    assert max(map(len, lines)) <= COLUMNS
    assert not re.search(r"\x1b\[[0-9;]*m", terminal)
