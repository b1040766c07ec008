"""The command as a whole: exit codes, help, what goes wrong."""

import subprocess
import sys

import pytest

from handlers.cli.main import main
from handlers.cli.output import Out, clean
from tests.places import ROOT


@pytest.mark.parametrize(
    ("typed", "command"),
    [
        (["polic"], "breakwater"),
        (["policy", "check"], "breakwater policy check"),
        (["policy", "check", "x", "-o", "xml"], "breakwater policy check"),
        (["plan", "--polciy", "x"], "breakwater plan"),
    ],
)
def test_what_is_typed_wrong_ends_with_64_and_the_way_to_the_help_of_that_command(typed, command, capsys):
    assert main(typed) == 64
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(f"See {command} --help.\n")


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


@pytest.mark.parametrize(("columns", "broken"), [(80, False), (60, True)])
def test_a_moment_in_a_table_is_broken_only_where_a_terminal_is_narrower_than_a_pipe(
    columns, broken, capsys, monkeypatch
):
    monkeypatch.setenv("COLUMNS", str(columns))
    row = (
        "a scale set of production",
        "Sat 19 Dec 02:09",
        "Thu 31 Dec 21:00",
        *2 * ("22 h 18 min too early",),
    )
    Out().table(("Name", "Start", "Done", "Said", "Found"), [row], whole=("Start", "Done"))
    said = capsys.readouterr().out
    assert ("Sat 19 Dec 02:09   Thu 31 Dec 21:00" not in said) == broken
    assert "…" not in said
