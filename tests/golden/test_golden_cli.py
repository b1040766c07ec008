"""What the commands print is what was looked at last; `python -m tests.golden` writes it anew."""

import pytest

from tests.golden import cli_doctor
from tests.golden.cli_waves import COMMANDS, printed
from tests.golden.files import APP_COMMANDS_FOLDER
from tests.handlers.cli.stand_in import KEY


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_prints_what_was_looked_at(name):
    kept = (APP_COMMANDS_FOLDER / name).read_text(encoding="utf-8")
    assert kept == printed(name), "python -m tests.golden writes it anew: look at it"
    assert KEY not in kept


def test_there_is_no_golden_output_of_a_command_that_is_none():
    assert {path.name for path in APP_COMMANDS_FOLDER.iterdir()} == {*COMMANDS, *cli_doctor.DOCTOR}


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.endswith(".txt")])
def test_a_table_fits_into_80_columns(name):
    kept = (APP_COMMANDS_FOLDER / name).read_text(encoding="utf-8")
    rows = kept.partition("─")[2].splitlines()
    assert all(len(line) <= 80 for line in rows if line.startswith(" ") and not line.startswith("  breakw"))


def test_what_comes_from_outside_does_not_drive_the_terminal():
    kept = (APP_COMMANDS_FOLDER / "show-hostile.txt").read_text(encoding="utf-8")
    assert "evil.example" in kept
    assert all(char.isprintable() or char == "\n" for char in kept)


@pytest.fixture(scope="module")
def azure():
    with cli_doctor.azure_beside() as running:
        yield running


@pytest.mark.parametrize("name", cli_doctor.DOCTOR)
def test_the_doctor_prints_what_was_looked_at(name, azure):
    kept = (APP_COMMANDS_FOLDER / name).read_text(encoding="utf-8")
    assert kept == cli_doctor.printed(name, azure), "python -m tests.golden writes it anew: look at it"
    assert KEY not in kept
    assert "a-key" not in kept
