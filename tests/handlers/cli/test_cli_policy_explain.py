"""`breakwater policy explain` and `windows`: what a policy means for one scale set."""

import json
from pathlib import Path

import pytest

from handlers.cli.explained import explained
from planner.policy.keys import PARSERS
from planner.policy.model import Policy
from tests.handlers.cli.conftest import NOW
from tests.handlers.parts import scale_set

POLICY = """
defaults: {self-service: always, windows: 'Sat,Sun 02:00-06:00 Europe/Berlin', soak: 2h, tags-may-loosen: [soak]}
rules:
  - {name: shop, match: {resource-group: rg-shop}, soak: 45m, mode: approve}
freezes: [{from: 2026-12-12, to: 2026-12-13, reason: Christmas sales}]
limits: {by-match: {databases: {match: {name: [db-*]}, scale-sets: 1}}}
receivers: {ops: {email: ops@example.com}}
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(POLICY)
    return path


def values(said: str) -> dict[str, dict]:
    return {each["key"]: each for each in json.loads(said)["values"]}


def test_it_says_which_tag_rule_or_default_gives_a_value_and_what_that_stands_in_place_of(typed, rules):
    code, said, _ = typed(
        "policy", "explain", "rg-shop/web", "--policy", rules, "--tag", "breakwater-soak=10m", "-o", "json"
    )
    found = values(said)
    assert found["soak"] == {
        "key": "soak",
        "value": "10m",
        "source": "tag breakwater-soak",
        "instead_of": [
            {"value": "45m", "source": "rule 1 (shop)"},
            {"value": "2h", "source": "defaults"},
            {"value": "30m", "source": "built in"},
        ],
    }
    assert (found["mode"]["value"], found["mode"]["source"]) == ("approve", "rule 1 (shop)")
    assert (found["lead"]["value"], found["lead"]["instead_of"]) == ("24h", [])
    assert code == 0


def test_a_tag_that_does_not_count_is_told_with_what_to_do(typed, rules):
    _, said, _ = typed("policy", "explain", "rg-shop/web", "--policy", rules, "--tag", "breakwater-mode=auto")
    assert "is looser than what holds here (rule 1 (shop)) and is not followed" in said


def test_what_cannot_be_followed_ends_with_2(typed, rules):
    code, said, _ = typed(
        "policy", "explain", "web", "--policy", rules, "--tag", "breakwater-soak=3 fortnights"
    )
    assert "Problem, nothing starts before it is solved: Tag breakwater-soak" in said
    assert code == 2


def test_freezes_and_limits_that_concern_it_are_named(typed, rules):
    _, said, _ = typed("policy", "explain", "db-1", "--policy", rules, "--location", "westeurope")
    assert "Christmas sales" in said
    assert "Counts in the limits databases." in said


def test_every_key_that_holds_for_a_scale_set_is_explained():
    _, found = explained(Policy(), scale_set("web"))
    assert {each.key for each in found} == set(PARSERS)


def test_the_scale_set_is_looked_up_in_azure_by_name_or_id(azure, typed, rules):
    opened = azure()
    _, said, _ = typed("policy", "explain", "web-prod", "--policy", rules, "-o", "json")
    assert values(said)["after"]["source"] == "tag breakwater-after"
    arm_id = json.loads(said)["scale_set"]
    listed = opened.server.calls["list subscriptions"]
    assert typed("policy", "explain", arm_id, "--policy", rules, "-o", "json")[1] == said
    assert opened.server.calls["list subscriptions"] == listed


def test_it_is_looked_up_in_a_snapshot_without_azure(typed, rules, fleet):
    _, said, _ = typed("policy", "explain", "RG-SHOP/web-prod", "--policy", rules, "--from", fleet)
    assert said.startswith("rg-shop/web-prod in westeurope")
    code, _, noted = typed("policy", "explain", "web-prd", "--policy", rules, "--from", fleet)
    assert "web-prd is not among the 12 scale sets of" in noted
    assert "Did you mean web-prod" in noted
    assert code == 1


def test_a_name_that_several_have_is_refused_with_their_ids(typed, rules, fleet):
    seen = json.loads(fleet.read_text())
    sets = seen["subscriptions"][0]["scale_sets"]
    twin = {**sets[0], "resource_group": "other", "id": sets[0]["id"].replace("rg-shop", "other")}
    sets.append(twin)
    fleet.write_text(json.dumps(seen))
    code, _, noted = typed("policy", "explain", sets[0]["name"], "--policy", rules, "--from", fleet)
    assert "2 scale sets are called" in noted
    assert twin["id"] in noted
    assert code == 1


def test_to_describe_one_and_to_look_it_up_at_once_is_typed_wrong(typed, rules, fleet):
    described = ("--from", fleet, "--tag", "a=b")
    assert typed("policy", "explain", "web-prod", "--policy", rules, *described)[0] == 64
    assert typed("policy", "explain", "web-prod", "--policy", rules, "--tag", "a")[0] == 64
    assert typed("policy", "explain", "/x/y", "--policy", rules, "--tag", "a=b")[0] == 64


def test_the_next_windows_leave_out_freezes_and_say_their_clock(typed, rules, fleet):
    code, said, _ = typed("policy", "windows", "web-prod", "--policy", rules, "--from", fleet, "--next", "3")
    open_ = [line.strip() for line in said.splitlines() if line.endswith(" h ")]
    assert [line.split("   ")[0] for line in open_] == [
        "Sat 5 Dec 02:00-06:00 CET",
        "Sun 6 Dec 02:00-06:00 CET",
        "Sat 19 Dec 02:00-06:00 CET",
    ]
    assert "Sat,Sun 02:00-06:00 Europe/Berlin (by defaults)" in said
    assert "Frozen Sat 12 Dec 01:00 to Mon 14 Dec 01:00 CET: Christmas sales." in said
    assert code == 0


def test_where_nothing_is_ever_open_the_code_is_2(typed, tmp_path, fleet):
    path = tmp_path / "frozen.yaml"
    path.write_text("freezes: [{from: 2026-01-01, to: 2027-12-31, reason: moving house}]\n")
    code, said, _ = typed("policy", "windows", "web-prod", "--policy", path, "--from", fleet)
    assert "Nothing is open within 60 days" in said
    assert "moving house" in said
    assert code == 2


def test_without_windows_it_is_open_at_any_time(typed, tmp_path, fleet):
    path = tmp_path / "open.yaml"
    path.write_text("defaults: {}\n")
    _, said, _ = typed("policy", "windows", "web-prod", "--policy", path, "--from", fleet)
    assert "any time (by built in)" in said
    assert "Open from Tue 1 Dec 20:00 UTC on" in said
    _, plain, _ = typed("policy", "windows", "web-prod", "--policy", path, "--from", fleet, "-o", "plain")
    assert plain == f"{NOW:%Y-%m-%dT%H:%M:%S}Z\t-\n"
