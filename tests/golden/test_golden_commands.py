"""What every command prints is what was looked at last; `python -m tests.golden` writes it anew."""

import re

import pytest

from tests.golden.files import COMMANDS_FOLDER, kept, names
from tests.golden.shell import COLUMNS, ESCAPES
from tests.golden.typed import NAMES, output
from tests.handlers.cli.stand_in import KEY

LOOK = "python -m tests.golden writes it anew: look at it"
ROW = re.compile(r" \S")
"""How a line of a table begins; a command to copy is two spaces in."""


@pytest.mark.parametrize("name", NAMES)
def test_a_command_prints_what_was_looked_at(name):
    text = kept(COMMANDS_FOLDER, name)
    assert text == output(name), LOOK
    assert KEY not in text
    assert "a-key" not in text


def test_there_is_no_file_of_a_command_that_is_none():
    assert names(COMMANDS_FOLDER) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_only_a_terminal_gets_colours(name):
    assert ("\x1b[" in output(name)) == name.endswith(".ansi")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".ansi")])
def test_nothing_but_a_command_to_copy_is_wider_than_the_terminal(name):
    lines = ESCAPES.sub("", output(name)).splitlines()[1:]
    assert max(len(line) for line in lines if not re.match(r"  (breakwater|az) ", line)) <= COLUMNS


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".txt")])
def test_a_table_fits_into_80_columns(name):
    rows = output(name).partition("─")[2].splitlines()
    assert all(len(line) <= COLUMNS for line in rows if ROW.match(line))


def test_what_comes_from_outside_does_not_drive_the_terminal():
    text = kept(COMMANDS_FOLDER, "show-hostile.txt")
    assert "evil.example" in text
    assert all(char.isprintable() or char == "\n" for char in text)
