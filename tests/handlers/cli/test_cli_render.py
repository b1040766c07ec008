"""`breakwater render`: from a record to what people read, as the app itself makes it."""

import json
from pathlib import Path

import pytest
from icalendar import Calendar

from handlers.cli.main import main
from handlers.render.addresses import OnPage
from handlers.render.page import run_page
from handlers.wire.documents import encode
from tests.golden.cli_waves import ORDINARY, TRACKING, WRONG
from tests.golden.pages import at, runs_at, waves_at

LATER = at(WRONG).at
AT = ["--at", LATER.isoformat()]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """The wave in which everything went wrong, as `export` writes it."""
    file = tmp_path / "runs.jsonl"
    lines = [json.dumps({"path": "runs/x.json", **json.loads(encode(run))}) for run in runs_at(WRONG)]
    file.write_text("\n".join(lines))
    return file


@pytest.fixture
def one(tmp_path: Path) -> Path:
    file = tmp_path / "run.json"
    file.write_bytes(encode(runs_at(WRONG)[0]))
    return file


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["render", *words, "--wave", TRACKING, *AT]) == 0
    return capsys.readouterr().out


def test_the_page_of_a_run_is_the_apps_own_byte_for_byte(one, tmp_path):
    said = tmp_path / "wave.json"
    said.write_bytes(encode(waves_at(WRONG)[0]))
    page = tmp_path / "run.html"
    run, waves = runs_at(WRONG)[0], waves_at(WRONG)
    words = [str(one), str(said), "--wave", TRACKING, "-o", str(page)]
    assert main(["render", *words, *AT]) == 0
    assert page.read_text().rstrip() == run_page(TRACKING, run, OnPage(), LATER, waves).rstrip()


def test_several_runs_are_shown_as_their_wave(records, capsys):
    page = printed(capsys, str(records))
    assert all(run.target.name in page for run in runs_at(WRONG))
    assert "need your action" in page


def test_a_notice_is_rendered_as_mail_card_and_event(one, capsys):
    mail = printed(capsys, str(one), "--as", "mail")
    assert mail.startswith("Subject: search-prod: ")
    assert "<table" in printed(capsys, str(one), "--as", "html")
    assert json.loads(printed(capsys, str(one), "--as", "card"))["type"] == "AdaptiveCard"
    event = json.loads(printed(capsys, str(one), "--as", "event"))
    assert "search-prod" in json.dumps(event)


def test_the_notice_is_the_one_that_is_named(one, capsys):
    first = runs_at(WRONG)[0].story.notices[0]
    assert printed(capsys, str(one), "--as", "mail", "--notice", str(first.number)) != printed(
        capsys, str(one), "--as", "mail"
    )
    assert main(["render", str(one), "--as", "mail", "--notice", "999"]) == 1
    assert "its notices are" in capsys.readouterr().err


def test_calendar_and_spreadsheet_are_made_too(tmp_path, capsys):
    file = tmp_path / "runs.jsonl"
    file.write_bytes(b"\n".join(encode(run) for run in runs_at(ORDINARY)))
    events = Calendar.from_ical(printed(capsys, str(file), "--as", "calendar")).walk("VEVENT")
    assert len(events) > 3
    assert printed(capsys, str(file), "--as", "csv").startswith("tracking_id,")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "neither JSON nor JSON lines"),
        ("", "holds no record"),
        ("[1]", "holds no record"),
        ('{"target": {}}', "cannot be read"),
        ('{"target": {}, "v": 99}', "version 99"),
    ],
)
def test_a_file_that_is_no_record_is_named(tmp_path, capsys, text, says):
    file = tmp_path / "x.json"
    file.write_text(text)
    assert main(["render", str(file)]) == 1
    assert says in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--at", "tomorrow"], "is not a time"), (["--at", "2026-12-06T01:00:00"], "in which zone"), (["--wave", "NO"], "belongs to")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(one, capsys, words, says):
    assert main(["render", str(one), *words]) != 0
    assert says in capsys.readouterr().err
