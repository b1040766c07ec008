"""`breakwater policy`: what is said of a file."""

import json
from pathlib import Path

import pytest

from handlers.cli.main import main
from handlers.wire.policy_file import schema


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.yaml"
    path.write_text("defaults: {owner: ops}\nreceivers:\n  ops: {teams: env:OPS_TEAMS_URL}\n")
    return path


def test_a_valid_file_passes_although_the_settings_it_names_are_not_here(policy, capsys):
    assert main(["policy", "check", str(policy)]) == 0
    assert "is valid" in capsys.readouterr().out


def test_a_fault_is_told_with_its_line_and_the_command_fails(policy, capsys):
    policy.write_text("defaults:\n  soak: 3 fortnights\n")
    assert main(["policy", "check", str(policy)]) == 1
    said = capsys.readouterr()
    assert "line 2" in said.err
    assert said.out == ""


def test_the_faults_are_data_too(policy, capsys):
    policy.write_text("defaults:\n  soak: 3 fortnights\n  hurry: yes\n")
    assert main(["policy", "check", str(policy), "-o", "json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["valid"] is False
    assert len(answer["problems"]) == 2


@pytest.mark.parametrize(
    ("written", "says"), [(None, "cannot be read"), (b"\xff\xfe\x00", "not text in UTF-8")]
)
def test_a_file_that_cannot_be_read_is_named(policy, capsys, written, says):
    policy.unlink() if written is None else policy.write_bytes(written)
    assert main(["policy", "check", str(policy)]) == 1
    said = capsys.readouterr().err
    assert policy.name in said.replace("\n", "")
    assert says in said


def test_the_schema_is_the_published_one(capsys):
    assert main(["policy", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
