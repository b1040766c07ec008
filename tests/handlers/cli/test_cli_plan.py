"""`breakwater plan` at a simulated Azure, over HTTP with the real SDKs."""

import json

import pytest

from simulator.arm.faults import Faults
from simulator.demo.fleet import demo_fleet
from simulator.fleet import Fleet
from simulator.fleet.build import SUBSCRIPTION, uniform
from tests.handlers.cli.conftest import NOW

OTHER = "bbbb0a0a-bb1b-cc2c-dd3d-eeeeee4e4e4e"


@pytest.fixture
def quiet_fleet(monkeypatch) -> Fleet:
    """The demo's fleet, and nothing is planned for it."""
    monkeypatch.setattr(Fleet, "plan", lambda *_: None)
    return demo_fleet(lambda: NOW)


def test_the_counts_come_first_and_each_scale_set_says_when_and_why(azure, typed, policy_file):
    azure()
    code, said, noted = typed("plan", "--policy", policy_file)
    counts = said.index("6 to reboot by us, 4 left to Azure, 1 not affected, 1 needs you.")
    assert counts < said.index("! rg-shop-north/payments-prod") < said.index("+ rg-shop/db-prod")
    assert "Starts Sat 5 Dec 02:00 CET (its window), done Sun 6 Dec 02:10 CET. Deadline " in said
    assert "Asks you to approve it by" in said
    assert "Self-service is `never` (rule 1 (dev))." in said
    assert noted == ""
    assert code == 2


def test_a_scale_set_that_goes_after_another_says_so(azure, typed, policy_file):
    azure()
    _, said, _ = typed("plan", "--policy", policy_file, "--scale-set", "web-*")
    assert "(after db-prod)" in said
    assert "db-prod  3 instances" not in said


@pytest.mark.parametrize("name", ["db-prod", "RG-SHOP/db-prod", "*/virtualMachineScaleSets/db-prod"])
def test_a_scale_set_is_chosen_by_its_name_with_its_group_or_by_its_id(azure, typed, policy_file, name):
    azure()
    code, said, _ = typed("plan", "--policy", policy_file, "--scale-set", name, "-o", "json")
    (only,) = json.loads(said)["scale_sets"]
    assert only["name"] == "db-prod"
    assert code == 0


def test_without_a_policy_file_it_says_that_only_tags_count(azure, typed):
    azure()
    code, said, noted = typed("plan")
    assert "2 to reboot by us, 9 left to Azure, 1 not affected." in said
    assert "to allow it, list self-service under tags-may-loosen" in said
    assert "No policy file" in noted
    assert code == 0


def test_plain_is_a_line_for_each_scale_set_and_json_has_the_same(azure, typed, policy_file):
    azure()
    _, lines, _ = typed("plan", "--policy", policy_file, "-o", "plain")
    _, text, _ = typed("plan", "--policy", policy_file, "-o", "json")
    data = json.loads(text)
    rows = [line.split("\t") for line in lines.splitlines()]
    assert [row[3] for row in rows] == [each["name"] for each in data["scale_sets"]]
    assert data["counts"] == {
        "needs_you": 1,
        "too_late": 0,
        "by_us": 6,
        "observed": 0,
        "left_to_azure": 4,
        "not_affected": 1,
    }
    assert {len(row) for row in rows} == {8}


def test_it_reads_every_subscription_of_the_sign_in_or_those_that_are_named(azure, typed):
    fleet = demo_fleet(lambda: NOW)
    fleet.add(uniform("far", 2, subscription=OTHER))
    opened = azure(fleet)
    _, said, _ = typed("plan", "--subscription", SUBSCRIPTION, "-o", "json")
    assert {wave["subscription"] for wave in json.loads(said)["waves"]} == {SUBSCRIPTION}
    assert opened.server.calls["list subscriptions"] == 0
    typed("plan", "-o", "json")
    assert opened.server.calls["list subscriptions"] == 1
    assert {call.subscription for call in opened.server.seen} >= {SUBSCRIPTION}
    assert opened.server.calls["resource graph"] >= 2


def test_with_no_wave_it_says_so_and_how_to_see_something(azure, typed, quiet_fleet):
    azure(quiet_fleet)
    code, said, noted = typed("plan")
    assert said == "Azure plans no maintenance of scale sets in subscription Subscription 1111.\n"
    assert "breakwater plan --as-if" in noted
    assert code == 0


def test_as_if_every_instance_were_due_shows_what_the_policy_would_decide(
    azure, typed, policy_file, quiet_fleet
):
    azure(quiet_fleet)
    _, said, _ = typed("plan", "--as-if", "--policy", policy_file)
    assert "\nIf every instance were due from Tue 1 Dec 21:00 CET on" in said
    assert "+ rg-shop/api-prod  3 instances in 3 batches" in said
    assert "! rg-shop-north/payments-prod" in said
    _, text, _ = typed("plan", "--as-if", "--policy", policy_file, "-o", "json")
    assert json.loads(text)["as_if"] is True


def test_a_subscription_that_may_not_be_read_is_named_and_the_code_is_3(azure, typed):
    faults = Faults(denied={"Microsoft.Compute/virtualMachineScaleSets/read"})
    azure(faults=faults)
    code, _, noted = typed("plan")
    assert f"Not read: scale sets of subscription Subscription 1111 ({SUBSCRIPTION})." in noted
    assert "does not have authorization" in noted
    assert code == 3


def test_look_ups_that_may_not_be_read_are_named_with_the_right_that_is_missing(azure, typed):
    azure(faults=Faults(denied={"Microsoft.Insights/eventtypes/values/read"}))
    code, _, noted = typed("plan")
    assert "Not read: activity log of subscription" in noted
    assert "Microsoft.Insights/eventtypes/values/read" in noted
    assert code == 3


def test_a_scale_set_whose_instances_cannot_be_read_is_named(azure, typed):
    opened = azure()
    opened.server.faults.fail(times=6, kind="list virtual machines")
    code, said, noted = typed("plan", "-o", "json")
    assert "Not read: scale set rg-shop/api-prod." in noted
    assert "api-prod" not in {each["name"] for each in json.loads(said)["scale_sets"]}
    assert code == 3


def test_when_azure_asks_for_a_short_wait_it_waits(azure, typed):
    opened = azure()
    opened.server.faults.throttle(retry_after=1, kind="list scale sets")
    code, _, noted = typed("plan")
    assert "Not read" not in noted
    assert code == 0


def test_when_azure_asks_to_wait_for_long_it_says_what_is_missing(azure, typed):
    opened = azure()
    opened.server.faults.throttle(times=50, retry_after=3600, kind="list scale sets")
    code, _, noted = typed("plan")
    assert "Azure asks to wait 3600 s" in noted
    assert code == 3


def test_whoever_is_not_signed_in_is_told_how_to(azure, typed, monkeypatch):
    opened = azure()
    monkeypatch.setenv("IDENTITY_HEADER", "wrong")
    code, said, noted = typed("plan")
    assert "nobody is signed in" in noted
    assert "az login" in noted
    assert (code, said) == (1, "")
    assert opened.server.calls["list subscriptions"] == 0


def test_a_policy_that_stops_everything_is_said_before_the_counts(azure, typed, tmp_path):
    azure()
    path = tmp_path / "stop.yaml"
    path.write_text("stop: true\n")
    _, said, _ = typed("plan", "--policy", path)
    assert said.index("Nothing would start now. Everything is stopped") < said.index("to reboot by us")


@pytest.fixture
def tight(tmp_path):
    """An hour a week, two scale sets at once: not all can be done in time."""
    path = tmp_path / "tight.yaml"
    path.write_text(
        "defaults: {self-service: always, windows: 'Sat 02:00-03:00 Europe/Berlin', soak: 2h}\n"
        "limits: {scale-sets: 2, regions: 2}\n"
    )
    return path


def test_a_plan_that_does_not_fit_says_what_one_can_choose(azure, typed, tight):
    azure()
    code, said, _ = typed("plan", "--policy", tight, "--scale-set", "web-prod")
    assert "The plan does not fit: it needs until" in said
    chosen = said[said.index("What you can choose:") :]
    assert "- Shorter pauses:" in chosen
    assert "- Wider windows:" in chosen
    assert code == 2


def test_who_has_no_place_in_time_is_counted_apart_with_what_makes_room(azure, typed, tight):
    azure()
    code, said, _ = typed("plan", "--policy", tight, "--scale-set", "cache-prod")
    assert "1 without a place in time" in said
    assert "x rg-shop/cache-prod" in said
    assert "too late." in said
    assert "To make room: " in said
    assert code == 2


def test_what_holds_up_a_start_for_the_moment_is_said_with_its_check(azure, typed, policy_file):
    fleet = demo_fleet(lambda: NOW)
    fleet.people.set_health(next(iter(fleet.scale_set("db-prod").instances.values())), "unhealthy")
    azure(fleet)
    _, said, _ = typed("plan", "--policy", policy_file, "--scale-set", "db-prod")
    assert "    others-healthy (blocks): " in said


def test_what_is_only_observed_is_counted_apart(azure, typed, tmp_path):
    azure()
    path = tmp_path / "observe.yaml"
    path.write_text("defaults: {self-service: always, mode: observe}\n")
    code, said, _ = typed("plan", "--policy", path, "--scale-set", "db-prod")
    assert "0 to reboot by us, 0 left to Azure, 1 only observed." in said
    assert "Would be rebooted by us" in said
    assert code == 0


def test_as_if_leaves_what_is_due_in_earnest_its_own_times(azure, typed, policy_file):
    azure()
    _, text, _ = typed("plan", "--as-if", "--policy", policy_file, "-o", "json")
    found = {each["name"]: each for each in json.loads(text)["scale_sets"]}
    assert found["db-prod"]["deadline"] == "2026-12-31T19:00:00Z"
    assert found["quiet-prod"]["deadline"] == "2027-01-05T19:00:00Z"


def test_only_the_subscriptions_that_are_named_are_taken_from_a_snapshot(typed, fleet):
    _, text, _ = typed("plan", "--from", fleet, "--subscription", OTHER, "-o", "json")
    assert json.loads(text)["scale_sets"] == []
    _, text, _ = typed("plan", "--from", fleet, "--subscription", SUBSCRIPTION.upper(), "-o", "json")
    assert len(json.loads(text)["scale_sets"]) == 12


def test_what_is_no_subscription_is_told_before_anything_is_asked(azure, typed):
    opened = azure()
    code, _, noted = typed("plan", "--subscription", "production")
    assert "'production' is not a subscription id" in noted
    assert "az account list" in noted
    assert code == 1
    assert opened.server.calls["resource graph"] == 0
