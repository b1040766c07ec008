"""What every command prints is what was looked at last; `python -m tests.golden` writes it anew."""

import re

import pytest

from tests.golden.commands import IN_A_TERMINAL, TYPED, outputs
from tests.golden.files import COMMANDS_FOLDER

NAMES = ["snapshot.txt", *(f"{name}.txt" for name in TYPED), *(f"{name}.ansi" for name in IN_A_TERMINAL)]
LOOK = "python -m tests.golden writes it anew: look at it"


@pytest.mark.parametrize("name", NAMES)
def test_a_command_prints_what_was_looked_at(name):
    assert (COMMANDS_FOLDER / name).read_text(encoding="utf-8") == outputs()[name], LOOK


def test_there_is_no_file_of_a_command_that_is_none():
    assert {path.name for path in COMMANDS_FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_only_a_terminal_gets_colours(name):
    assert ("\x1b[" in outputs()[name]) == name.endswith(".ansi")


@pytest.mark.parametrize("name", [name for name in NAMES if name.endswith(".ansi")])
def test_nothing_is_wider_than_the_terminal(name):
    lines = re.sub(r"\x1b\[[0-9;]*m", "", outputs()[name]).splitlines()[1:]
    assert max(map(len, lines)) <= 80
