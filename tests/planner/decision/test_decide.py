from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, ScaleSet
from planner.azure.wave import Stage
from planner.policy.keys import ACCEPTABLE
from planner.policy.model import Freeze, Policy
from planner.record.check import Outcome
from planner.record.run import (
    Verdict,
)
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SCHEDULED,
    SELF_SERVICE,
    STATUS,
    always,
    announcement,
    changed,
    check,
    decided,
    fleet,
    flexible,
    instance,
    policy,
    scale_set,
)

NOT_ALLOWED = replace(STATUS, allowed=False)


def test_without_any_status_nothing_is_impacted_whatever_was_announced():
    for announcements in ((announcement(),), (announcement(level="Warning"),), ()):
        found = decided(instances=fleet(maintenance=None), announcements=announcements)
        assert found.verdict is Verdict.NOT_IMPACTED
        assert found.reason.startswith("Not affected: no instance shows maintenance. ")
        assert (found.offered, found.batches, found.emergency) == ("-", (), False)
        assert check(found, "impacted").reason == "None of 10 instances shows maintenance."


def test_maintenance_without_a_reboot_is_told_as_a_pause_of_seconds_and_nothing_is_planned():
    found = decided(instances=fleet(maintenance=None))
    assert found.reason.endswith(
        "Maintenance without a reboot only pauses an instance for a few seconds, one fault domain at a time, "
        "and needs no plan."
    )
    assert (found.verdict, found.batches) == (Verdict.NOT_IMPACTED, ())


def test_a_cancelled_wave_without_a_status_says_that_it_is_cancelled_only_where_every_wave_is():
    gone = fleet(maintenance=None)
    cancelled = announcement(Stage.CANCELED)
    assert "the wave is cancelled" in decided(instances=gone, announcements=(cancelled,)).reason
    assert "cancelled" not in decided(instances=gone, announcements=(cancelled, announcement())).reason


def test_a_status_counts_even_where_the_announcement_says_it_is_over():
    for stage in (Stage.CANCELED, Stage.COMPLETE, Stage.RESOLVED):
        assert decided(announcements=(announcement(stage),)).verdict is Verdict.SELF_SERVICE


def test_an_empty_scale_set_is_not_impacted():
    found = decided(instances=())
    assert found.verdict is Verdict.NOT_IMPACTED
    assert check(found, "impacted").reason == "None of 0 instances shows maintenance."


# Offered -------------------------------------------------------------------------------------------------


def test_one_allowed_instance_is_enough_for_an_offer_and_the_column_says_yes():
    found = decided(instances=changed(fleet(maintenance=NOT_ALLOWED), "6", maintenance=STATUS))
    assert (found.offered, found.verdict) == ("Yes", Verdict.SELF_SERVICE)
    assert check(found, "offered").instances == ("6",)
    assert check(found, "offered").reason == "Azure offers self-service for 1 of 10 instances."


def test_a_window_that_opens_later_is_a_date_and_not_a_refusal():
    later = MaintenanceStatus(
        allowed=False, self_service=Interval(NOW + DAY, NOW + 9 * DAY), scheduled=SCHEDULED
    )
    found = decided(instances=fleet(maintenance=later))
    assert (found.offered, found.verdict) == ("No", Verdict.SELF_SERVICE)
    assert check(found, "offered").reason == "Azure offers self-service from Mon 23 Nov 2026 12:00 UTC."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (MaintenanceStatus(allowed=False), "no self-service window"),
        (replace(NOT_ALLOWED, self_service=Interval(NOW - DAY, NOW)), "closed at Sun 22 Nov 2026 12:00 UTC"),
        (NOT_ALLOWED, "does not offer self-service for any"),
        (replace(NOT_ALLOWED, self_service=Interval(NOW, NOW + DAY)), "does not offer self-service for any"),
    ],
)
def test_what_azure_does_not_offer_is_left_to_it_with_the_reason(status: MaintenanceStatus, words: str):
    found = decided(instances=fleet(maintenance=status), a_policy=always(accept=",".join(ACCEPTABLE)))
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    assert words in found.reason
    assert check(found, "offered").outcome is Outcome.BLOCK


def test_a_window_that_is_over_says_nothing_about_instances_that_still_have_one_to_come():
    over = replace(NOT_ALLOWED, self_service=Interval(NOW - 9 * DAY, NOW - DAY))
    to_come = replace(NOT_ALLOWED, self_service=Interval(NOW + DAY, NOW + 2 * DAY))
    found = decided(instances=(instance("0", maintenance=over), instance("1", maintenance=to_come)))
    assert found.self_service == to_come.self_service
    assert found.verdict is Verdict.SELF_SERVICE


def test_several_windows_share_the_earliest_start_and_the_earliest_end():
    other = replace(STATUS, self_service=Interval(NOW - 2 * DAY, NOW + DAY))
    found = decided(instances=(instance("0"), instance("1", maintenance=other)))
    assert found.self_service == Interval(NOW - 2 * DAY, NOW + DAY)


# Need ----------------------------------------------------------------------------------------------------


def test_without_a_declared_need_it_is_left_to_azure_and_every_check_is_told_all_the_same():
    found = decided(a_policy=policy())
    assert (found.verdict, found.reason) == (
        Verdict.LEAVE_TO_AZURE,
        "Left to Azure: nobody declared a need for self-service.",
    )
    assert check(found, "need").outcome is Outcome.NOT_DECLARED
    domains = check(found, "azure-domains")
    assert domains.outcome is Outcome.BLOCK
    assert "its 5 update domains one at a time" in domains.reason.lower().replace("azure would take ", "")
    assert len(found.checks) == len(decided().checks)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"self_service": "always"}, "self-service is `always`"),
        ({"windows": "Sat 02:00-06:00 UTC"}, "maintenance windows are declared"),
        ({"complete_by": "2026-12-01"}, "it must be done by Wed 2 Dec 2026 00:00 UTC"),
        ({"tier": "web"}, "an order between scale sets is declared"),
        ({"after": "db"}, "an order between scale sets is declared"),
        ({"soak": "31m"}, "it wants more than 30 minutes between domains"),
        ({"soak": "30m1s"}, "it wants more than 30 minutes between domains"),
    ],
)
def test_each_need_of_the_guidance_is_enough_and_is_the_reason(said: dict[str, str], words: str):
    found = decided(a_policy=policy(**said))
    assert found.verdict is Verdict.SELF_SERVICE
    assert words.lower() in found.reason.lower()
    assert check(found, "need").outcome is Outcome.PASS
    assert check(found, "azure-domains").outcome is Outcome.PASS


@pytest.mark.parametrize(
    "said",
    [
        {"soak": "30m"},
        {"soak": "0m"},
        {"max_unavailable": "1"},
        {"health": "required"},
        {"windows": "any time"},
    ],
)
def test_what_is_no_need_leaves_it_to_azure(said: dict[str, str]):
    assert decided(a_policy=policy(**said)).verdict is Verdict.LEAVE_TO_AZURE


def test_never_wins_over_every_need_and_says_where_it_stands():
    found = decided(a_policy=policy(self_service="never", windows="Sat 02:00-06:00 UTC", soak="2h"))
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    assert "self-service is `never` (rule 1 (all))" in found.reason
    tagged = scale_set(tags={"breakwater-self-service": "never"})
    assert "(tag breakwater-self-service)" in decided(tagged).reason


def test_what_was_a_need_stays_one_when_a_person_raises_it_for_the_run():
    """A shorter soak offered as a way to make the plan fit must not turn it into no plan at all."""
    assert decided(a_policy=policy(soak="2h"), raised={"soak": "10m"}).verdict is Verdict.SELF_SERVICE
    windows = policy(windows="Sat 02:00-06:00 UTC")
    assert decided(a_policy=windows, raised={"windows": "any time"}).verdict is Verdict.SELF_SERVICE
    by = policy(complete_by="2026-12-01")
    assert decided(a_policy=by, raised={"complete-by": "none"}).verdict is Verdict.SELF_SERVICE


def test_observe_decides_and_says_that_nothing_is_started():
    found = decided(a_policy=always(mode="observe"))
    assert found.verdict is Verdict.SELF_SERVICE
    assert found.reason.startswith("Would be rebooted by us")


# Azure's own domains -------------------------------------------------------------------------------------


def test_what_azure_protects_as_well_can_be_accepted_and_is_then_said_to_be():
    found = decided(a_policy=policy(accept="azure-domains"))
    assert found.verdict is Verdict.SELF_SERVICE
    domains = check(found, "azure-domains")
    assert domains.outcome is Outcome.ACCEPTED
    assert "Accepted (rule 1 (all))" in domains.reason
    assert "a need for more than that is declared" not in domains.reason


def test_accepting_azures_domains_is_no_need_where_there_are_none_to_accept():
    """Nothing starts by us where Azure's protection was never what stood in the way."""
    assert decided(flexible(), a_policy=policy(accept="azure-domains")).verdict is Verdict.LEAVE_TO_AZURE
    decision = decided(instances=fleet(4, 1), a_policy=policy(accept="azure-domains"))
    assert decision.verdict is Verdict.LEAVE_TO_AZURE


@pytest.mark.parametrize(
    ("a_set", "instances", "words"),
    [
        (flexible(), fleet(6), "a Flexible scale set shows none"),
        (scale_set(), fleet(6, 1), "its instances share one"),
        (scale_set(), fleet(1), "its instances share one"),
        (scale_set(), tuple(instance(str(at), None) for at in range(4)), "Azure shows none"),
    ],
)
def test_without_domains_azure_has_nothing_to_take_one_by_one(
    a_set: ScaleSet, instances: tuple[Instance, ...], words: str
):
    found = check(decided(a_set, instances, policy()), "azure-domains")
    assert found.outcome is Outcome.PASS
    assert words in found.reason


def test_only_impacted_instances_make_domains():
    instances = (instance("0", 0), instance("1", 1, maintenance=None), instance("2", 2, maintenance=None))
    assert "share one" in check(decided(instances=instances), "azure-domains").reason


# Order, emergency, everything at once --------------------------------------------------------------------


def test_what_is_wrong_with_the_order_is_a_check_that_blocks_and_does_not_decide():
    found = decided(a_policy=policy(after="db"), order_problem="The order is circular: a after b after a.")
    assert check(found, "order").outcome is Outcome.BLOCK
    assert "a after b after a" in check(found, "order").reason
    assert found.verdict is Verdict.SELF_SERVICE
    assert check(decided(a_policy=policy(after="db")), "order").reason == "It goes after db."


def test_an_emergency_is_one_while_its_wave_is_open_and_concerns_somebody():
    urgent = announcement(level="Warning")
    assert decided(announcements=(urgent,)).emergency
    assert decided(announcements=(announcement(), urgent)).emergency
    assert decided(announcements=(announcement(level="CRITICAL"),)).emergency
    assert not decided(announcements=(announcement(),)).emergency
    assert not decided(announcements=(announcement(Stage.CANCELED, level="Warning"),)).emergency
    assert not decided(instances=fleet(maintenance=None), announcements=(urgent,)).emergency


def test_an_emergency_that_is_left_to_azure_is_an_emergency_all_the_same():
    found = decided(a_policy=policy(), announcements=(announcement(level="Warning"),))
    assert (found.verdict, found.emergency) == (Verdict.LEAVE_TO_AZURE, True)


statuses = st.one_of(
    st.none(),
    st.builds(
        MaintenanceStatus,
        allowed=st.booleans(),
        self_service=st.none()
        | st.builds(
            lambda start, length: Interval(NOW + start * HOUR, NOW + (start + length) * HOUR),
            st.integers(-100, 100),
            st.integers(0, 200),
        ),
        scheduled=st.none() | st.just(SCHEDULED),
        result=st.sampled_from(["None", "RetryLater", "MaintenanceCompleted", "Surprise"]),
        unreadable=st.sampled_from(["", "", "", "a date"]),
    ),
)

fleets = st.lists(
    st.builds(
        Instance,
        id=st.integers(0, 30).map(str),
        zone=st.sampled_from(["", "1", "2"]),
        placement_group=st.sampled_from(["", "group-a", "group-b"]),
        update_domain=st.none() | st.integers(0, 4),
        power=st.sampled_from(["running", "running", "stopped", "deallocated", "starting", "unknown"]),
        provisioning=st.sampled_from(["succeeded", "succeeded", "updating", "failed", "unknown"]),
        health=st.sampled_from(list(Health)),
        protected=st.booleans(),
        created=st.none() | st.just(NOW - DAY),
        maintenance=statuses,
    ),
    max_size=12,
    unique_by=lambda instance: instance.id,
).map(tuple)

texts = st.text(max_size=12) | st.sampled_from(
    [
        "always",
        "never",
        "40m",
        "0m",
        "2",
        "20%",
        "yes",
        "Sat 02:00-06:00 UTC",
        "none",
        "db",
        "managed",
        "2026-12-01",
    ]
)
tags = st.dictionaries(
    st.sampled_from(
        [
            "breakwater-self-service",
            "breakwater-soak",
            "breakwater-windows",
            "breakwater-accept",
            "breakwater-after",
            "breakwater-local-state",
            "breakwater-complete-by",
            "breakwater-stop",
            "breakwater-x",
            "expiresOn",
        ]
    ),
    texts,
    max_size=4,
)


@settings(max_examples=150, deadline=None)
@given(fleets, tags, st.booleans(), st.sampled_from(["", "always", "never"]))
def test_whatever_azure_shows_and_people_write_a_decision_comes_out_the_same_twice_with_a_sentence_for_everything(
    instances: tuple[Instance, ...], written: dict[str, str], flex: bool, service: str
):
    a_set = (flexible if flex else scale_set)(tags=written)
    a_policy = policy(**({"self_service": service} if service else {}))
    found = decided(a_set, instances, a_policy)
    assert found == decided(a_set, tuple(reversed(instances)), a_policy)
    assert found.reason.endswith((".", "?"))
    assert all(check.reason and check.reason[-1] in ".?" for check in found.checks)
    assert len({check.name for check in found.checks}) == len(found.checks)
    concerned = {instance.id for instance in instances if instance.maintenance is not None}
    planned = [instance.id for batch in found.batches for instance in batch.instances]
    assert sorted(planned) == sorted(concerned)
    stopping = [check for check in found.checks if check.outcome is Outcome.BLOCK]
    names = {check.name for check in stopping} - {"others-healthy", "operation-in-flight", "order"}
    if found.verdict is Verdict.SELF_SERVICE:
        assert concerned
        assert not names
    elif found.verdict is Verdict.LEAVE_TO_AZURE:
        assert concerned


@given(st.integers(-3000, 3000))
def test_the_offer_agrees_with_azures_window_at_every_minute(minutes: int):
    """Not allowed now: a date before the window, and a refusal inside and after it."""
    now = SELF_SERVICE.start + minutes * MINUTE
    window = Interval(SELF_SERVICE.start, SELF_SERVICE.start + DAY)
    found = check(
        decided(instances=fleet(maintenance=replace(NOT_ALLOWED, self_service=window)), now=now), "offered"
    )
    assert found.outcome is (Outcome.PASS if now < window.start else Outcome.BLOCK)


def test_a_freeze_over_everything_and_a_stop_do_not_change_the_verdict():
    frozen = always(freezes=(Freeze(NOW, NOW + timedelta(days=90), "year end"),))
    assert decided(a_policy=frozen).verdict is Verdict.SELF_SERVICE
    stopped = replace(always(), stop=True)
    assert isinstance(stopped, Policy)
    assert decided(a_policy=stopped).verdict is Verdict.SELF_SERVICE
    assert decided(a_policy=stopped).rules.stop


def test_what_was_completed_and_lingers_still_shows_a_window_to_the_decision():
    done = replace(STATUS, result="MaintenanceCompleted", allowed=False)
    found = decided(instances=fleet(2, maintenance=done), now=datetime.max.replace(tzinfo=NOW.tzinfo))
    assert found.verdict is Verdict.LEAVE_TO_AZURE
