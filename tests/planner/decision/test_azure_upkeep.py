"""Settings by which Azure acts on a scale set by itself, or tells its guests beforehand."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.azure.fleet import Orchestration
from planner.decision.estimate import HELD_BACK_POLLS, REBOOT_POLLS, learned
from planner.policy.model import Rules
from planner.record.check import Outcome
from planner.record.run import Verdict
from planner.words.counter_indications import SCHEDULED_EVENTS_PARTS
from planner.words.repairs import ACTIONS as REPAIRS
from tests.planner.builders import MINUTE, always, check, checked, decided, flexible, planned, scale_set

LISTENS = scale_set(scheduled_events=True)


@pytest.mark.parametrize("part", SCHEDULED_EVENTS_PARTS)
def test_each_part_of_scheduled_events_blocks_and_is_the_evidence(part: str) -> None:
    found = checked("scheduled-events", scale_set(scheduled_events=True, scheduled_events_parts=(part,)))
    assert found.outcome is Outcome.BLOCK
    assert SCHEDULED_EVENTS_PARTS[part] in found.reason
    assert found.evidence == (f"{part}.enable of its model",)


def test_several_parts_are_told_in_one_sentence() -> None:
    found = checked(
        "scheduled-events",
        scale_set(scheduled_events=True, scheduled_events_parts=tuple(SCHEDULED_EVENTS_PARTS)),
    )
    assert all(means in found.reason for means in SCHEDULED_EVENTS_PARTS.values())
    assert len(found.evidence) == len(SCHEDULED_EVENTS_PARTS)


def test_what_an_older_record_says_without_the_parts_blocks_all_the_same() -> None:
    found = checked("scheduled-events", LISTENS)
    assert (found.outcome, found.evidence) == (Outcome.BLOCK, ("its model",))


def test_a_batch_is_expected_to_take_a_quarter_of_an_hour_more_where_guests_may_hold_it_back() -> None:
    usual = planned(a_policy=always()).times.expected
    held = planned(LISTENS, a_policy=always(accept="scheduled-events")).times.expected
    assert (usual, held - usual) == (REBOOT_POLLS * MINUTE, HELD_BACK_POLLS * MINUTE)


def test_what_the_waves_other_sets_needed_is_no_measure_for_guests_that_hold_back() -> None:
    run = planned(LISTENS, a_policy=always(accept="scheduled-events"))
    assert learned(run, MINUTE).times.expected == (REBOOT_POLLS + HELD_BACK_POLLS) * MINUTE
    assert learned(run, MINUTE, (4 * MINUTE,)).times.expected == (4 + HELD_BACK_POLLS) * MINUTE
    short = replace(run, terms=replace(run.terms, recover_within=timedelta(minutes=12)))
    assert learned(short, MINUTE).times.expected == timedelta(minutes=12)
    assert learned(planned(a_policy=always()), MINUTE, (4 * MINUTE,)).times.expected == 4 * MINUTE


@pytest.mark.parametrize("kind", [Orchestration.UNIFORM, Orchestration.FLEXIBLE])
def test_zone_rebalancing_blocks_until_somebody_accepts_it_by_name(kind: Orchestration) -> None:
    a_set = scale_set(zone_rebalancing=True, orchestration=kind)
    found = decided(a_set, a_policy=always())
    assert found.verdict is Verdict.LEAVE_TO_AZURE
    assert "--enable-automatic-zone-balancing false" in check(found, "zone-rebalancing").reason
    accepted = decided(a_set, a_policy=always(accept="zone-rebalancing"))
    assert accepted.verdict is Verdict.SELF_SERVICE
    assert checked("zone-rebalancing").outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("action", "does"),
    [("", REPAIRS["replace"]), ("Replace", REPAIRS["replace"]), ("Reimage", REPAIRS["reimage"]),
     ("RESTART", REPAIRS["restart"]), ("Rotate", "`Rotate`")],
)  # fmt: skip
def test_automatic_repairs_say_what_they_would_do_to_an_instance(action: str, does: str) -> None:
    uniform = checked("automatic-repairs", scale_set(automatic_repairs=True, repair_action=action))
    unsure = checked("automatic-repairs", flexible(automatic_repairs=True, repair_action=action))
    assert (uniform.outcome, unsure.outcome) == (Outcome.PASS, Outcome.UNKNOWN)
    assert does in uniform.reason
    assert does in unsure.reason


def test_replacing_is_said_to_lose_local_data() -> None:
    assert "with its local data" in checked("automatic-repairs", scale_set(automatic_repairs=True)).reason


def test_what_is_declared_counts_beside_what_the_model_shows() -> None:
    declared = checked("scheduled-events", a_rules=Rules(declared=("scheduled-events",)))
    assert declared.outcome is Outcome.BLOCK
