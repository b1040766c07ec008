"""`breakwater snapshot`: a file that plans like Azure itself, and, made anonymous, names nobody."""

import json
import re
import stat

import pytest

from handlers.cli.exits import Failed
from handlers.cli.snapshot import Snapshot, Subscription, load
from planner.azure.fleet import Instance, Power, Unreadable
from simulator.arm.faults import Faults
from simulator.demo.fleet import demo_fleet
from simulator.fleet.build import SUBSCRIPTION
from tests.handlers.cli.conftest import NOW
from tests.handlers.parts import scale_set
from tests.world.scenarios import drawn


def planned(typed, *arguments) -> dict:
    return json.loads(typed("plan", *arguments, "-o", "json")[1])


def test_a_plan_from_the_file_is_the_plan_from_azure(azure, typed, policy_file, tmp_path):
    opened = azure()
    file = tmp_path / "fleet.json"
    code, said, _ = typed("snapshot", "-o", file)
    assert code == 0
    assert said == f"{file}: 12 scale sets with 43 instances in 1 subscription.\n"
    live = planned(typed, "--policy", policy_file)
    before = len(opened.server.seen)
    assert planned(typed, "--policy", policy_file, "--from", file) == live
    assert len(opened.server.seen) == before
    as_if = planned(typed, "--policy", policy_file, "--as-if")
    assert planned(typed, "--policy", policy_file, "--from", file, "--as-if") == as_if


@pytest.mark.parametrize("seed", [1, 4])
def test_so_it_is_in_drawn_worlds(azure, typed, tmp_path, monkeypatch, seed):
    world = drawn(seed).world
    monkeypatch.setattr("handlers.cli.policy_source.policy_of", lambda _: world.policy)
    azure(world.fleet)
    typed("snapshot", "-o", tmp_path / "fleet.json")
    assert planned(typed, "--from", tmp_path / "fleet.json") == planned(typed)


def test_what_could_not_be_read_is_in_the_file_and_said_again(azure, typed, tmp_path):
    azure(
        faults=Faults(
            denied={"Microsoft.Compute/virtualMachines/read", "Microsoft.Insights/eventtypes/values/read"}
        )
    )
    file = tmp_path / "fleet.json"
    code, _, noted = typed("snapshot", "-o", file)
    assert code == 3
    assert "Not read: scale set rg-shop/api-prod." in noted
    code, _, noted = typed("plan", "--from", file)
    assert code == 3
    assert "Not read: scale set rg-shop/api-prod." in noted
    assert "Not read: activity log of subscription" in noted


def test_the_file_is_its_owner_s_alone_and_has_no_token_in_it(azure, typed, tmp_path):
    opened = azure()
    file = tmp_path / "fleet.json"
    typed("snapshot", "-o", file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text()
    assert opened.server.token not in text
    for word in ("Bearer", "customData", "osProfile", "extensionProfile", "protectedSettings", "@contoso"):
        assert word.lower() not in text.lower()


def test_made_anonymous_it_names_nobody_and_decides_the_same(azure, typed, tmp_path):
    fleet = demo_fleet(lambda: NOW)
    fleet.scale_set("web-prod").tags |= {"cost-centre": "Payroll 4711"}
    fleet.people.stop(next(iter(fleet.scale_set("batch-dev").instances.values())))
    azure(fleet)
    plain, hidden = tmp_path / "fleet.json", tmp_path / "hidden.json"
    typed("snapshot", "-o", plain)
    typed("snapshot", "-o", hidden, "--anonymise")
    text = hidden.read_text().lower()
    (caller,) = re.findall(r'"stopped_by":"([^"]+)"', plain.read_text())
    names = {scale_set.name for scale_set in fleet.scale_sets()} | {
        SUBSCRIPTION,
        "rg-shop",
        "payroll",
        "Subscription 1111",
        caller,
    }
    names |= {machine.name for machine in fleet.world.machines.values()}
    assert [name for name in names if name.lower() in text] == []
    bare = [
        [
            (each["fate"], each["location"], each["verdict"], len(each["batches"]))
            for each in sorted(
                planned(typed, "--from", file)["scale_sets"],
                key=lambda each: (each["fate"], each["location"], len(each["batches"])),
            )
        ]
        for file in (plain, hidden)
    ]
    assert bare[0] == bare[1]


def test_pseudonyms_are_the_same_in_one_file_and_others_in_the_next(azure, typed, tmp_path):
    azure()
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    for file in (one, two):
        typed("snapshot", "-o", file, "--anonymise")
    first, second = (load(file) for file in (one, two))
    (web,) = [each for each in first.scale_sets() if "breakwater-after" in each.tags]
    assert web.tags["breakwater-after"] in {each.name for each in first.scale_sets()}
    assert all(first.instances(each.key) for each in first.scale_sets())
    assert {each.name for each in first.scale_sets()}.isdisjoint(each.name for each in second.scale_sets())
    assert first.anonymised


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("x", "not JSON"),
        ("{}", "not a snapshot of a fleet"),
        ('{"kind": "breakwater fleet", "v": 9}', "newer version"),
        ('{"kind": "breakwater fleet", "v": 1, "read_at": "then"}', "cannot be understood"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_reason(tmp_path, written, says):
    file = tmp_path / "fleet.json"
    file.write_text(written)
    with pytest.raises(Failed, match=says):
        load(file)


def test_an_instance_that_was_read_by_itself_is_loaded_as_it_was_then():
    web = scale_set("web")
    left_out, read = Instance("1", maintenance=Unreadable("No view")), Instance("1", power=Power.RUNNING)
    seen = Subscription(
        SUBSCRIPTION, instances={web.key: (Instance("0"), left_out)}, single={f"{web.key}/1": read}
    )
    fleet = Snapshot(NOW, (seen,))
    assert fleet.instances(web.key) == (Instance("0"), read)
    assert fleet.instances("/none") is None
