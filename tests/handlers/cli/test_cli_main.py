"""The command as a whole: exit codes, help, what goes wrong."""

import pytest

from handlers.cli.main import main
from handlers.cli.output import clean


@pytest.mark.parametrize("typed", [["polic"], ["policy", "check"], ["policy", "check", "x", "-o", "xml"]])
def test_what_is_typed_wrong_ends_with_64_and_the_way_to_the_help(typed, capsys):
    assert main(typed) == 64
    said = capsys.readouterr()
    assert said.out == ""
    assert "breakwater --help" in said.err


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 64
    assert "policy" in capsys.readouterr().out


def test_text_from_outside_cannot_drive_the_terminal():
    assert clean("web\x1b[2J\r\n\u202eprod") == "web [2J   prod"
