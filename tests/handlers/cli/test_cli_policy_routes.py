"""`breakwater policy routes`: who would be told what, and why."""

from pathlib import Path

import pytest

from handlers.cli.main import main
from handlers.cli.routing import LOUDNESS
from planner.record.notice import Kind, Urgency

POLICY = """
defaults: {owner: ops}
rules:
  - {name: databases, match: {name: [pay*]}, owner: dba}
receivers:
  ops: {teams: env:OPS_TEAMS_URL, email: [ops@example.com]}
  dba: {webhook: env:DBA_URL, from: page, escalate-to: ops, escalate-after: 45m, repeat-every: 10m}
  shop: {email: a@example.com, kinds: [planned, paused, approval, finished], know: daily 08:00 Europe/Berlin, act: hourly}
routes:
  - {match: {resource-group: rg-shop}, receiver: shop}
"""


@pytest.fixture
def policy(tmp_path: Path) -> str:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    return str(path)


def asked(capsys: pytest.CaptureFixture[str], policy: str, name: str, group: str, *tags: str) -> str:
    """What is said of a scale set that is described; the table as lines, one a kind and urgency."""
    typed = ["policy", "routes", name, "--policy", policy, "--resource-group", group]
    typed += [word for tag in tags for word in ("--tag", tag)]
    said = ""
    for form in ("table", "plain"):
        assert main([*typed, "-o", form]) == 0
        said += capsys.readouterr().out
    return said


def row(text: str, kind: str, urgency: str) -> list[str]:
    (line,) = [one for one in text.splitlines() if one.split("\t")[:2] == [kind, urgency]]
    return line.split("\t")[2:]


def test_it_says_whose_notices_they_are_and_by_which_rule_route_or_tag(capsys, policy):
    assert "notices go to dba, by rule 1 (databases)." in asked(capsys, policy, "payments-prod", "rg-x")
    assert "notices go to shop, by route 1." in asked(capsys, policy, "web", "rg-shop")
    assert "notices go to ops, by defaults." in asked(capsys, policy, "web", "rg-x")
    tagged = asked(capsys, policy, "web", "rg-x", "breakwater-owner=shop")
    assert "notices go to shop, by tag breakwater-owner." in tagged


def test_it_says_who_hears_each_kind_how_and_when(capsys, policy):
    text = asked(capsys, policy, "web", "rg-shop")
    assert row(text, "paused", "page") == ["shop", "email", "at once", "a page always goes to its receiver"]
    assert row(text, "paused", "act") == ["shop", "email", "hourly", "from: know, in kinds"]
    assert row(text, "started", "know") == ["nobody", "-", "-", "shop does not want it"]
    assert row(text, "planned", "know") == ["shop", "email", "once a wave", "from: know, in kinds"]
    assert row(text, "missed", "act")[:3] == ["ops", "email, teams", "at once"]
    quiet = asked(capsys, policy, "web", "rg-x")
    assert row(quiet, "started", "know") == ["ops", "email, teams", "few", "from: know"]
    assert row(quiet, "finished", "know")[2] == "once a wave"


def test_it_says_what_becomes_of_a_page_and_what_was_chosen_away(capsys, policy):
    text = asked(capsys, policy, "payments-prod", "rg-x")
    assert (
        "comes again every 10 minutes until it is acknowledged; after 45 minutes ops is paged as well" in text
    )
    assert "Note: The receiver `dba` has chosen not to hear anything but pages" in text
    assert "nobody else is paged" in asked(capsys, policy, "web", "rg-x")


def test_every_kind_stands_there_with_each_urgency_it_can_have(capsys, policy):
    assert set(LOUDNESS) == set(Kind)
    assert {loud for each in LOUDNESS.values() for loud in each} == {urgency.value for urgency in Urgency}
    text = asked(capsys, policy, "web", "rg-x")
    for kind, louds in LOUDNESS.items():
        for loud in louds:
            assert row(text, kind.value, loud)


def test_a_file_that_cannot_be_used_fails_and_says_why(capsys, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("receivers: {ops: {email: a@b.c, from: never}}")
    for file, says in ((path, "receivers.ops.from"), (tmp_path / "none", "cannot be read")):
        assert main(["policy", "routes", "a", "--policy", str(file), "--resource-group", "b"]) == 1
        assert says in capsys.readouterr().err.replace("\n", "")


def test_a_policy_without_receivers_tells_nobody(capsys, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("defaults: {}")
    assert main(["policy", "routes", "a", "--policy", str(path), "--resource-group", "b"]) == 2
    assert "nobody would be told anything" in capsys.readouterr().out
