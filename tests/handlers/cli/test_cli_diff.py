"""`breakwater diff`: what another policy would change, and by which of its values."""

import json
from pathlib import Path

import pytest

OLD = """
defaults: {self-service: always, owner: ops, windows: 'Sat,Sun 02:00-06:00 Europe/Berlin', soak: 1h}
receivers: {ops: {email: ops@example.com}, dba: {email: dba@example.com}}
"""


@pytest.fixture
def diffed(typed, fleet, tmp_path: Path):
    """The comparison of OLD with another policy as data, and the exit code; other formats as text."""

    def diff(new: str, output: str = "json", old: str = OLD):
        files = tmp_path / "old.yaml", tmp_path / "new.yaml"
        for file, text in zip(files, (old, new), strict=True):
            file.write_text(text)
        code, said, _ = typed("diff", "--policy", *files, "--from", fleet, "-o", output)
        return code, json.loads(said) if output == "json" else said

    return diff


def of(data: dict, name: str) -> dict[str, tuple[str, str]]:
    """What changes in the plan of a scale set."""
    (each,) = [each for each in data["changed"] if each["scale_set"].endswith(f"/{name}")]
    return {change["what"]: (change["before"], change["after"]) for change in each["plan"]}


def values_of(data: dict, name: str) -> dict[str, tuple[str, str]]:
    (each,) = [each for each in data["changed"] if each["scale_set"].endswith(f"/{name}")]
    return {change["what"]: (change["before"], change["after"]) for change in each["values"]}


def test_the_same_policy_changes_nothing(diffed):
    code, data = diffed(OLD)
    assert data == {"scale_sets": 12, "counts": [], "whole": [], "changed": []}
    assert code == 0
    assert diffed(OLD, "table")[1] == "Nothing changes for 12 scale sets.\n"


def test_a_rule_that_changes_verdicts_is_named(diffed):
    code, data = diffed(OLD + "rules: [{name: mine, match: {name: [db-*]}, self-service: never}]\n")
    assert of(data, "db-prod")["verdict"] == ("to reboot by us", "left to Azure")
    assert values_of(data, "db-prod") == {"self-service": ("always (defaults)", "never (rule 1 (mine))")}
    assert {"what": "left to Azure", "before": "3", "after": "4"} in data["counts"]
    assert code == 2


def test_times_and_batches_that_change_are_told_with_the_value_that_does_it(diffed):
    _, data = diffed(
        OLD + "rules: [{name: wide, match: {name: [web-*]}, max-unavailable: 2, tags-may-loosen: []}]\n"
    )
    changed = of(data, "web-prod")
    assert changed["batches"][1] == "3 batches of up to 2"
    assert "ends" in changed
    assert values_of(data, "web-prod")["max-unavailable"][1] == "2 (rule 1 (wide))"


def test_another_receiver_is_a_change_too(diffed):
    _, data = diffed(OLD.replace("owner: ops", "owner: dba"))
    assert of(data, "quiet-prod")["receiver"] == ("ops", "dba")


def test_who_only_moves_in_the_queue_is_told_so(diffed):
    _, data = diffed(OLD + "rules: [{name: north, match: {location: northeurope}, self-service: never}]\n")
    assert all(not each["scale_set"].endswith("/web-prod") for each in data["changed"])
    _, said = diffed(OLD + "limits: {scale-sets: 1}\n", "table")
    assert "limit scale-sets: 5 -> 1" in said
    assert "by its place in the queue" in said


def test_a_value_that_changes_no_plan_is_told_apart(diffed):
    code, said = diffed(OLD.replace("soak: 1h", "soak: 1h, stalled-after: 2h"), "table")
    assert "The plans of 12 scale sets stay as they are." in said
    assert "Only a value, the plan stays: stalled-after: 4h (built in) -> 2h (defaults)" in said
    assert code == 2


def test_what_is_of_no_single_scale_set_is_told_once_and_no_address_of_it(diffed):
    new = "stop: true\n" + OLD.replace(
        "dba: {email: dba@example.com}",
        "dba: {email: dba@example.com, webhook: 'https://h.example/?sig=secret'}",
    )
    _, data = diffed(new)
    assert {"what": "stop", "before": "false", "after": "true"} in data["whole"]
    assert {"what": "receiver dba, webhook", "before": "none", "after": "changed"} in data["whole"]
    assert "secret" not in json.dumps(data)


def test_markdown_is_a_comment_that_cannot_be_broken_by_names(diffed):
    evil = "rules: [{name: 'a|b <img src=x>', match: {name: [db-*]}, self-service: never}]\n"
    code, said = diffed(OLD + evil, "markdown")
    assert said.startswith("### Breakwater: new.yaml\n\n7 of 12 plans change.\n")
    assert "| rg-shop/db-prod | verdict: to reboot by us → left to Azure" in said
    assert "<img" not in said.replace("\\<img", "")
    rows = [line for line in said.splitlines() if line.startswith("| rg-shop/")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {4}
    assert code == 2


def test_plain_is_a_line_for_each_change(diffed):
    _, said = diffed(OLD.replace("owner: ops", "owner: dba"), "plain")
    rows = [line.split("\t") for line in said.splitlines()]
    assert {row[0] for row in rows} == {"plan", "value"}
    assert {len(row) for row in rows} == {6}


def test_a_policy_that_is_not_valid_fails_with_its_fault(typed, fleet, tmp_path):
    file = tmp_path / "new.yaml"
    file.write_text("defaults: {soak: 3 fortnights}\n")
    code, said, noted = typed("diff", "--policy", file, file, "--from", fleet)
    assert "3 fortnights" in noted
    assert (code, said) == (1, "")


def test_without_a_snapshot_the_fleet_is_read_and_nothing_is_written(azure, typed, tmp_path):
    opened = azure()
    file = tmp_path / "policy.yaml"
    file.write_text(OLD)
    assert typed("diff", "--policy", file, file)[0] == 0
    assert opened.server.calls["list instances"] > 0
    assert opened.writes() == []
