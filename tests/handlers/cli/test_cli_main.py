"""The command as a whole: exit codes, help, what goes wrong."""

import subprocess
import sys

import pytest

from handlers.cli.main import main
from handlers.cli.output import clean
from tests.places import ROOT


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


def test_the_help_waits_for_no_sdk():
    heavy = "import sys, handlers.cli.main; print([m for m in ('azure', 'pydantic', 'aiohttp', 'yaml') if m in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", heavy], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
