"""Checks: each one named, with its sentence and evidence; what may be accepted, and what never may."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import Health, Instance, MaintenanceStatus, Orchestration, ScaleSet
from planner.azure.usage import Source
from planner.decision import checks
from planner.decision.checks import blocking, conditions, counter_indications
from planner.policy.keys import ACCEPTABLE
from planner.policy.model import Match, Policy, Rule, Rules
from planner.policy.resolve import rules_for
from planner.record.check import Check, Outcome
from planner.record.run import (
    Verdict,
)
from tests.planner.builders import (
    NOW,
    STATUS,
    always,
    announcement,
    changed,
    checked,
    decided,
    fleet,
    flexible,
    instance,
    lived,
    policy,
    rules,
    scale_set,
)
from tests.planner.builders import check as of_decision

MISSING = "The activity log cannot be read: the role Monitoring Reader is missing."
UNREAD = {source: f"The {source} cannot be read: the role Reader is missing." for source in Source}


def accepting(*names: str) -> Rules:
    return Rules(accept=names, sources={"accept": "rule 1 (all)"})


BLOCKED: dict[str, tuple[ScaleSet, tuple[Instance, ...], Rules]] = {
    "Service Fabric": (scale_set(service_fabric=True), fleet(), Rules()),
    "a cloud service": (
        scale_set(managed_by="/subscriptions/s/providers/Microsoft.Compute/cloudServices/roles"),
        fleet(),
        Rules(accept=("managed",)),
    ),
    "AKS": (scale_set(managed_by="Azure Kubernetes Service"), fleet(), Rules()),
    "an agent pool": (scale_set(tags={"__AzureDevOpsElasticPool": "agents"}), fleet(), Rules()),
    "a managed group": (lived(group_managed_by="Azure Databricks"), fleet(), Rules()),
    "Spot": (scale_set(spot=True), fleet(), Rules()),
    "an expiry tag": (replace(lived(), tags={"ExpiresOn": "2026-12-01"}), fleet(), Rules()),
    "churn": (lived(scaled_in=10, autoscale="cpu", scales_in=True), fleet(), Rules()),
    "an ephemeral disk": (scale_set(ephemeral_os_disk=True), fleet(), Rules()),
    "local state declared": (scale_set(), fleet(), Rules(declared=("local-state",))),
    "scheduled events": (scale_set(scheduled_events=True), fleet(), Rules()),
    "scheduled events declared": (scale_set(), fleet(), Rules(declared=("scheduled-events",))),
    "all stopped": (scale_set(), fleet(power="deallocated"), Rules()),
    "stops": (lived(stops=3), fleet(), Rules()),
    "a shutdown schedule": (lived(shutdown="nightly"), fleet(), Rules()),
    "a zero profile": (lived(autoscale="cpu", to_zero="night"), fleet(), Rules()),
    "often stopped declared": (scale_set(), fleet(), Rules(declared=("often-stopped",))),
    "resizes": (lived(resizes=2), fleet(), Rules()),
    "often resized declared": (scale_set(), fleet(), Rules(declared=("often-resized",))),
    "short-lived declared": (scale_set(), fleet(), Rules(declared=("short-lived",))),
    "zone rebalancing": (scale_set(zone_rebalancing=True), fleet(), Rules()),
    "protection": (scale_set(), fleet(protected=True), Rules()),
}

NAMED = {
    "Service Fabric": "service-fabric",
    "a cloud service": "service-fabric",
    "AKS": "managed",
    "an agent pool": "managed",
    "a managed group": "managed",
    "Spot": "short-lived",
    "an expiry tag": "short-lived",
    "churn": "short-lived",
    "an ephemeral disk": "local-state",
    "local state declared": "local-state",
    "scheduled events": "scheduled-events",
    "scheduled events declared": "scheduled-events",
    "all stopped": "often-stopped",
    "stops": "often-stopped",
    "a shutdown schedule": "often-stopped",
    "a zero profile": "often-stopped",
    "often stopped declared": "often-stopped",
    "resizes": "often-resized",
    "often resized declared": "often-resized",
    "short-lived declared": "short-lived",
    "zone rebalancing": "zone-rebalancing",
    "protection": "protection",
}


@pytest.mark.parametrize("case", BLOCKED)
def test_each_counter_indication_blocks_alone_and_says_why(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    found = counter_indications(a_set, instances, a_rules, NOW)
    (stopping,) = blocking(found)
    assert (stopping.name, stopping.outcome) == (NAMED[case], Outcome.BLOCK)
    assert stopping.reason.endswith(".")
    assert stopping.evidence or stopping.instances


@pytest.mark.parametrize("case", BLOCKED)
def test_each_counter_indication_can_be_accepted_by_its_name_and_keeps_its_sentence(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    before = checked(NAMED[case], a_set, instances, a_rules)
    accepted = replace(a_rules, accept=(*a_rules.accept, NAMED[case]), sources={"accept": "rule 1 (all)"})
    found = checked(NAMED[case], a_set, instances, accepted)
    assert found.outcome is Outcome.ACCEPTED
    assert found.reason == f"{before.reason} Accepted (rule 1 (all))."
    assert (found.instances, found.evidence) == (before.instances, before.evidence)
    assert not blocking(counter_indications(a_set, instances, accepted, NOW))


@pytest.mark.parametrize("case", BLOCKED)
def test_accepting_one_name_accepts_no_other(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    others = tuple(name for name in ACCEPTABLE if name != NAMED[case])
    found = counter_indications(a_set, instances, replace(a_rules, accept=others), NOW)
    assert [check.name for check in blocking(found)] == [NAMED[case]]


@pytest.mark.parametrize("case", BLOCKED)
def test_each_counter_indication_leaves_the_set_to_azure_with_its_sentence_in_the_reason(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    said = dict.fromkeys(a_rules.declared, "true")
    if a_rules.accept:
        said["accept"] = ",".join(a_rules.accept)
    a_policy = Policy(rules=(Rule("all", Match(), {"self-service": "always", **said}),))
    found = decided(a_set, instances, a_policy)
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    assert of_decision(found, NAMED[case]).reason in found.reason


@pytest.mark.parametrize("case", BLOCKED)
def test_each_counter_indication_is_no_matter_where_it_is_accepted_in_the_file(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    said = dict.fromkeys(a_rules.declared, "true")
    said["accept"] = ",".join({*a_rules.accept, NAMED[case]})
    a_policy = Policy(rules=(Rule("all", Match(), {"self-service": "always", **said}),))
    found = decided(a_set, instances, a_policy)
    assert found.verdict is Verdict.SELF_SERVICE, found.reason
    assert of_decision(found, NAMED[case]).outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("case", BLOCKED)
def test_a_tag_accepts_only_where_the_rule_lets_it(case: str):
    a_set, instances, a_rules = BLOCKED[case]
    said = dict.fromkeys(a_rules.declared, "true")
    if a_rules.accept:
        said["accept"] = ",".join(a_rules.accept)
    both = ",".join({*a_rules.accept, NAMED[case]})
    tagged = replace(a_set, tags={**a_set.tags, "breakwater-accept": both})
    for may, verdict in (
        (frozenset({"accept"}), Verdict.SELF_SERVICE),
        (frozenset(), Verdict.LEAVE_TO_AZURE),
    ):
        rule = Rule("all", Match(), {"self-service": "always", **said}, tags_may_loosen=may)
        assert decided(tagged, instances, Policy(rules=(rule,))).verdict is verdict


@pytest.mark.parametrize(
    "name", ["policy", "scale-set-readable", "status-readable", "others-healthy", "offered", "need", "order"]
)
def test_what_protects_data_or_people_cannot_be_accepted_and_the_refusal_says_what_can(name: str):
    found = decided(a_policy=always(accept=name))
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    reason = of_decision(found, "policy").reason
    assert f"`{name}` is not the name of a check that can be accepted" in reason
    assert all(each in reason for each in ACCEPTABLE)


@pytest.mark.parametrize("name", ["policy", "scale-set-readable", "status-readable"])
def test_rules_that_accept_the_unacceptable_all_the_same_change_nothing(name: str):
    strange = replace(STATUS, unreadable="preMaintenanceWindowStartTime `soon`")
    found = counter_indications(
        scale_set(unreadable=("the model",)),
        (instance(maintenance=strange),),
        replace(accepting(name), problems=("Rule 1, soak: that is no duration.",)),
        NOW,
    )
    (found_check,) = [check for check in found if check.name == name]
    assert found_check.outcome in {Outcome.BLOCK, Outcome.UNKNOWN}
    assert name in [each.name for each in blocking(found)]


def test_every_check_is_there_in_the_same_order_whatever_comes_out():
    names = [check.name for check in counter_indications(scale_set(), fleet(), Rules(), NOW)]
    assert len(names) == len(set(names))
    for a_set, instances, a_rules in BLOCKED.values():
        assert [check.name for check in counter_indications(a_set, instances, a_rules, NOW)] == names
    for check in decided().checks:
        assert check.reason.endswith(".")
        assert not check.reason[0].islower()


def test_nothing_strange_about_a_scale_set_passes_every_check():
    for check in counter_indications(lived(), fleet(), Rules(), NOW):
        declarable = check.name in {"local-state", "scheduled-events"}
        assert check.outcome is (Outcome.NOT_DECLARED if declarable else Outcome.PASS), check


@pytest.mark.parametrize("name", ["local-state", "scheduled-events"])
def test_what_azure_cannot_show_and_nobody_declared_passes_in_these_words(name: str):
    found = checked(name)
    assert found.outcome is Outcome.NOT_DECLARED
    assert found.reason.endswith("; nobody declared it.")


@pytest.mark.parametrize("name", ["often-stopped", "short-lived", "often-resized"])
def test_before_anybody_looked_a_habit_is_not_declared_rather_than_a_pass(name: str):
    found = checked(name, scale_set())
    assert found.outcome is Outcome.NOT_DECLARED
    assert "looked up" in found.reason


# Unknowns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(checks.HARMLESS))
def test_a_habit_that_could_not_be_read_says_the_role_and_does_not_block(name: str):
    found = checked(name, replace(lived(), unread=UNREAD))
    assert found.outcome is Outcome.UNKNOWN
    assert "the role Reader is missing" in found.reason
    assert not blocking((found,))


def test_who_manages_the_resource_group_blocks_when_it_could_not_be_read():
    a_set = replace(lived(), unread={Source.GROUPS: "Resource groups: the role Reader is missing."})
    found = checked("managed", a_set)
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "Resource groups: the role Reader is missing.")
    assert blocking((found,)) == (found,)
    decision = decided(a_set)
    assert decision.verdict is Verdict.LEAVE_TO_AZURE
    assert "the role Reader is missing" in decision.reason
    assert decided(a_set, a_policy=always(accept="managed")).verdict is Verdict.SELF_SERVICE


@pytest.mark.parametrize(
    ("source", "hit"),
    [
        (Source.ACTIVITY_LOG, {"often-stopped", "short-lived"}),
        (Source.SCHEDULES, {"often-stopped"}),
        (Source.AUTOSCALE, {"often-stopped", "short-lived"}),
        (Source.CHANGES, {"often-resized"}),
        (Source.GROUPS, {"managed"}),
    ],
)
def test_a_source_that_is_closed_makes_unknown_exactly_the_checks_that_need_it(source: Source, hit: set[str]):
    a_set = replace(lived(), unread={source: UNREAD[source]})
    found = counter_indications(a_set, fleet(), Rules(), NOW)
    assert {check.name for check in found if check.outcome is Outcome.UNKNOWN} == hit
    assert all(UNREAD[source] in check.reason for check in found if check.name in hit)


def test_what_one_source_shows_blocks_although_another_is_closed():
    a_set = replace(lived(shutdown="nightly"), unread={Source.ACTIVITY_LOG: MISSING})
    assert checked("often-stopped", a_set).outcome is Outcome.BLOCK
    a_set = replace(lived(scaled_in=10), unread={Source.AUTOSCALE: UNREAD[Source.AUTOSCALE]})
    assert checked("short-lived", a_set).outcome is Outcome.BLOCK


def test_what_is_declared_needs_no_source():
    a_set = replace(lived(), unread=UNREAD)
    for name in sorted(checks.HARMLESS):
        declared = Rules(declared=(name,), sources={name: "tag breakwater-" + name})
        found = checked(name, a_set, a_rules=declared)
        assert found.outcome is Outcome.BLOCK
        assert f"Declared (tag breakwater-{name})" in found.reason


def test_a_scale_set_that_could_not_be_read_in_full_is_left_to_azure_and_says_what_was_missing():
    a_set = scale_set(unreadable=("its extensions", "its rolling upgrade"))
    decision = decided(a_set, a_policy=always(accept=",".join(ACCEPTABLE)))
    assert decision.verdict is Verdict.LEAVE_TO_AZURE
    assert "its extensions; its rolling upgrade" in decision.reason


def test_one_status_that_cannot_be_understood_blocks_and_names_its_instances_only():
    strange = replace(STATUS, unreadable="maintenanceWindowEndTime `tomorrow`")
    instances = changed(fleet(), "7", maintenance=strange)
    found = checked("status-readable", instances=instances)
    assert (found.outcome, found.instances) == (Outcome.UNKNOWN, ("7",))
    assert "maintenanceWindowEndTime `tomorrow`" in found.reason
    assert decided(instances=instances).verdict is Verdict.LEAVE_TO_AZURE


# Managed ----------------------------------------------------------------------------------------------


def test_accepting_a_cloud_service_as_managed_does_not_make_self_service_available_there():
    a_set = scale_set(managed_by="/subscriptions/S/providers/Microsoft.Compute/CLOUDSERVICES/roles")
    decision = decided(a_set, a_policy=always(accept="managed"))
    assert decision.verdict is Verdict.LEAVE_TO_AZURE
    assert "cloud service" in of_decision(decision, "service-fabric").reason


# Protection and automatic repairs ------------------------------------------------------------------------


def test_some_protected_instances_are_told_and_do_not_block():
    instances = changed(changed(fleet(), "2", protected=True), "5", protected=True)
    found = checked("protection", instances=instances)
    assert (found.outcome, found.instances) == (Outcome.PASS, ("2", "5"))
    assert "2 of 10" in found.reason


def test_protection_of_instances_outside_the_wave_is_nothing_to_say():
    instances = (instance("0"), instance("1", protected=True, maintenance=None))
    found = checked("protection", instances=instances)
    assert (found.outcome, found.instances) == (Outcome.PASS, ())


def test_automatic_repairs_of_a_flexible_set_block_since_azure_does_not_show_whether_they_run():
    a_set = flexible(automatic_repairs=True)
    assert checked("automatic-repairs", a_set).outcome is Outcome.UNKNOWN
    assert decided(a_set, fleet()).verdict is Verdict.LEAVE_TO_AZURE
    accepted = decided(a_set, a_policy=always(accept="automatic-repairs"))
    assert accepted.verdict is Verdict.SELF_SERVICE
    assert of_decision(accepted, "automatic-repairs").outcome is Outcome.ACCEPTED
    assert checked("automatic-repairs", scale_set(automatic_repairs=True)).outcome is Outcome.PASS


# Conditions ----------------------------------------------------------------------------------------------


def condition(name: str, *args: Any, **more: Any) -> Check:
    """The one condition of that name; every one of them stands in every result exactly once."""
    (found,) = [check for check in conditions(*args, **more) if check.name == name]
    return found


def serving(*args: Any, **more: Any) -> Check:
    return condition("others-healthy", *args, **more)


def test_an_operation_in_flight_holds_up_a_start_and_decides_nothing():
    for a_set, word in (
        (scale_set(rolling_upgrade="RollingForward"), "RollingForward"),
        (scale_set(provisioning="updating"), "updating"),
    ):
        found = condition("operation-in-flight", a_set, fleet(), Rules())
        assert found.outcome is Outcome.BLOCK
        assert word in found.reason
        assert decided(a_set).verdict is Verdict.SELF_SERVICE
        accepted = condition("operation-in-flight", a_set, fleet(), accepting("operation-in-flight"))
        assert accepted.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("fields", "blocks"),
    [
        ({"power": "stopped"}, False),
        ({"power": "deallocated"}, False),
        ({"power": "stopped", "provisioning": "updating"}, True),
        ({"power": "starting"}, True),
        ({"power": "unknown"}, True),
        ({"provisioning": "failed"}, False),
        ({"provisioning": "failed", "health": Health.UNHEALTHY}, True),
        ({"provisioning": "failed", "health": Health.UNKNOWN}, True),
        ({"provisioning": "failed", "power": "unknown"}, True),
        ({"provisioning": "updating"}, True),
        ({"health": Health.UNHEALTHY}, True),
        ({"health": Health.UNKNOWN}, True),
        ({"health": Health.INITIALIZING}, True),
        ({"health": Health.NOT_REPORTED}, True),
    ],
)
def test_every_other_instance_meant_to_run_must_serve(fields: dict[str, Any], blocks: bool):
    instances = changed(fleet(), "9", **fields)
    found = serving(scale_set(), instances, Rules(), going_down=frozenset({"0"}))
    assert (found.outcome is Outcome.BLOCK) is blocks
    assert found.instances == (("9",) if blocks else ())
    own = serving(scale_set(), instances, Rules(), going_down=frozenset({"9"}))
    assert own.outcome is Outcome.PASS


def test_an_instance_that_falls_silent_among_others_is_not_healthy_in_a_uniform_set_alone():
    silent = changed(fleet(), "9", health=Health.NOT_REPORTED)
    assert serving(scale_set(), silent, Rules()).instances == ("9",)
    flexible = replace(scale_set(), orchestration=Orchestration.FLEXIBLE)
    assert serving(flexible, silent, Rules()).outcome is Outcome.PASS, "each machine has its own extensions"


def test_instances_that_all_fall_silent_after_the_plan_are_not_healthy():
    silent = fleet(health=Health.NOT_REPORTED)
    assert serving(scale_set(), silent, Rules()).outcome is Outcome.PASS
    assert serving(scale_set(), silent, Rules(), reported=True).outcome is Outcome.BLOCK


def test_health_that_is_required_and_not_reported_blocks_and_ignored_health_never_does():
    instances = fleet(health=Health.NOT_REPORTED)
    assert serving(scale_set(), instances, rules(health="required")).outcome is Outcome.BLOCK
    ill = fleet(health=Health.UNHEALTHY)
    assert serving(scale_set(), ill, rules(health="ignore")).outcome is Outcome.PASS


def test_others_that_do_not_serve_cannot_be_accepted():
    ill = fleet(health=Health.UNHEALTHY)
    found = serving(scale_set(), ill, accepting("others-healthy"))
    assert found.outcome is Outcome.BLOCK


def test_a_policy_that_cannot_be_read_blocks_whatever_else_holds():
    decision = decided(a_policy=policy(self_service="always", soak="soon"))
    assert decision.verdict is Verdict.LEAVE_TO_AZURE
    assert "`soon` is not a duration" in decision.reason
    broken = decided(a_policy=Policy(problem="policy.yaml, line 3: a key is written twice"))
    assert of_decision(broken, "policy").outcome is Outcome.BLOCK


def test_a_note_about_a_tag_is_evidence_and_blocks_nothing():
    a_set = scale_set(tags={"breakwater-soak": "1m"})
    found = checked("policy", a_set, a_rules=rules_for(policy(soak="40m"), a_set))
    assert found.outcome is Outcome.PASS
    assert "is looser than what holds here" in " ".join(found.evidence)


def test_a_status_without_windows_is_readable_and_still_not_offered():
    bare = MaintenanceStatus(allowed=False)
    decision = decided(instances=fleet(maintenance=bare), announcements=(announcement(),))
    assert of_decision(decision, "status-readable").outcome is Outcome.PASS
    assert of_decision(decision, "offered").outcome is Outcome.BLOCK
