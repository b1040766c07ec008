"""Habits that speak against a start: often stopped, short-lived, often resized, by what was looked up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.azure.fleet import Instance, ScaleSet
from planner.decision.checks import blocking
from planner.record.check import Outcome
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SCHEDULED,
    STATUS,
    changed,
    checked,
    fleet,
    instance,
    lived,
)

WAVE_END = SCHEDULED.end

# Often stopped -------------------------------------------------------------------------------------------


def test_two_stops_are_a_repair_and_three_a_habit_told_with_number_time_and_caller():
    calm = checked("often-stopped", lived(stops=2))
    assert calm.outcome is Outcome.PASS
    assert "2 stops in the last 14 days" in calm.reason
    found = checked("often-stopped", lived(stops=3, last_stop=NOW - DAY, stopped_by="ada@contoso.com"))
    assert "3 times in the last 14 days, last Sat 21 Nov 2026 12:00 UTC by ada@contoso.com" in found.reason


def test_one_instance_that_still_runs_means_there_is_something_to_reboot():
    instances = changed(fleet(power="deallocated"), "3", power="running")
    assert checked("often-stopped", lived(), instances).outcome is Outcome.PASS


def test_instances_outside_the_wave_say_nothing_about_being_stopped():
    instances = (
        instance("0", power="deallocated"),
        instance("1", maintenance=None),
        instance("2", maintenance=None),
    )
    found = checked("often-stopped", lived(), instances)
    assert (found.outcome, found.instances) == (Outcome.BLOCK, ("0",))
    instances = (instance("0"), instance("1", power="deallocated", maintenance=None))
    assert checked("often-stopped", lived(), instances).outcome is Outcome.PASS


def test_an_instance_down_in_the_middle_of_an_operation_is_not_stopped_by_anybody():
    instances = (instance("0", power="stopped", provisioning="updating"),)
    assert checked("often-stopped", lived(), instances).outcome is Outcome.PASS


def test_a_shutdown_schedule_and_a_zero_profile_are_named():
    assert (
        "shutdown-computevm-web" in checked("often-stopped", lived(shutdown="shutdown-computevm-web")).reason
    )
    found = checked("often-stopped", lived(autoscale="by-cpu", to_zero="weekend"))
    assert "by-cpu" in found.reason
    assert "weekend" in found.reason


def test_an_autoscale_setting_that_never_goes_to_none_is_no_habit_of_stopping():
    assert checked("often-stopped", lived(autoscale="by-cpu", scales_in=True)).outcome is Outcome.PASS


# Short-lived ---------------------------------------------------------------------------------------------


def tagged(**tags: str) -> ScaleSet:
    return replace(lived(), tags={name.replace("_", "-"): value for name, value in tags.items()})


@pytest.mark.parametrize(
    "tag",
    ["expiresOn", "EXPIRES-ON", "expiry", "ExpiryDate", "expirationDate", "deleteAfter", "Delete-After"],
)
def test_an_expiry_before_the_end_of_the_wave_blocks_in_any_spelling(tag: str):
    found = checked("short-lived", replace(lived(), tags={tag: "2026-12-01T06:00:00Z"}))
    assert found.outcome is Outcome.BLOCK
    assert f"tag {tag} says it expires at Tue 1 Dec 2026 06:00 UTC" in found.reason
    assert "the wave ends at Sun 20 Dec 2026 12:00 UTC" in found.reason


def test_an_expiry_counts_up_to_the_last_moment_of_the_last_impacted_instances_window():
    before, at = WAVE_END - MINUTE, WAVE_END
    assert checked("short-lived", tagged(expiresOn=before.isoformat())).outcome is Outcome.BLOCK
    assert checked("short-lived", tagged(expiresOn=at.isoformat())).outcome is Outcome.PASS
    longer = replace(STATUS, scheduled=replace(SCHEDULED, end=WAVE_END + DAY))
    later = changed(fleet(), "4", maintenance=longer)
    assert checked("short-lived", tagged(expiresOn=at.isoformat()), later).outcome is Outcome.BLOCK


def test_an_expiry_with_an_offset_is_compared_as_the_moment_it_is():
    east = (WAVE_END - MINUTE).astimezone(tz=None).isoformat()
    assert checked("short-lived", tagged(expiresOn=east)).outcome is Outcome.BLOCK
    assert checked("short-lived", tagged(expiresOn="2026-12-20T13:00+00:30")).outcome is Outcome.PASS
    assert checked("short-lived", tagged(expiresOn="2026-12-20T13:00+02:00")).outcome is Outcome.BLOCK


@pytest.mark.parametrize(
    "text", ["when the project ends", "", "0001-01-01T00:00+14:00", "2026-02-30", "x" * 256]
)
def test_an_expiry_nobody_can_read_is_unknown_and_does_not_block(text: str):
    found = checked("short-lived", tagged(expiresOn=text))
    assert found.outcome is Outcome.UNKNOWN
    assert f"`{text[:40]}`, which is not a date" in found.reason
    assert not blocking((found,))


def test_an_expiry_nobody_can_read_hides_no_other_sign_of_a_short_life():
    garbled = {"expiresOn": "never"}
    churn = replace(lived(scaled_in=10, autoscale="cpu", scales_in=True), tags=garbled)
    assert checked("short-lived", churn).outcome is Outcome.BLOCK
    two = replace(lived(), tags={"deleteAfter": "the demo", "expiresOn": "2026-12-01"})
    assert checked("short-lived", two).outcome is Outcome.BLOCK


def test_an_expiry_means_nothing_where_azure_shows_no_end():
    open_ended = fleet(maintenance=replace(STATUS, scheduled=None))
    assert checked("short-lived", tagged(expiresOn="2026-11-23"), open_ended).outcome is Outcome.PASS


def test_a_tag_whose_name_only_resembles_an_expiry_is_nobodys_business():
    assert checked("short-lived", tagged(expiresOnRequest="2026-11-23")).outcome is Outcome.PASS


def test_autoscale_that_removed_as_many_as_there_are_blocks_and_one_less_does_not():
    found = checked("short-lived", lived(scaled_in=10, autoscale="cpu", scales_in=True))
    assert "removed 10 instances in the last 14 days and it has 10" in found.reason
    calm = checked("short-lived", lived(scaled_in=9, autoscale="cpu", scales_in=True))
    assert calm.outcome is Outcome.PASS
    assert "removed 9 instances" in calm.reason


def aged(*days: float) -> tuple[Instance, ...]:
    return tuple(instance(str(at), created=NOW - timedelta(days=old)) for at, old in enumerate(days))


def test_half_of_the_instances_younger_than_four_days_in_an_old_set_that_scales_in_is_churn():
    churning = lived(autoscale="cpu", scales_in=True)
    found = checked("short-lived", churning, aged(1, 1, 3.9, 60))
    assert found.outcome is Outcome.BLOCK
    assert "cpu" in found.reason
    assert "4 days" in found.reason
    assert checked("short-lived", churning, aged(1, 4, 60, 60)).outcome is Outcome.PASS
    assert checked("short-lived", churning, aged(4, 4)).outcome is Outcome.PASS


def test_young_instances_are_no_churn_without_a_rule_that_scales_in_or_in_a_set_as_young_as_they_are():
    young = aged(1, 1, 1)
    assert checked("short-lived", lived(autoscale="cpu"), young).outcome is Outcome.PASS
    fresh = replace(lived(autoscale="cpu", scales_in=True), created=NOW - 13 * DAY)
    assert checked("short-lived", fresh, young).outcome is Outcome.PASS
    unknown = replace(fresh, created=None)
    assert checked("short-lived", unknown, young).outcome is Outcome.PASS


def test_instances_without_a_date_of_birth_do_not_count_as_young():
    churning = lived(autoscale="cpu", scales_in=True)
    assert checked("short-lived", churning, fleet()).outcome is Outcome.PASS


# Often resized -----------------------------------------------------------------------------------------


def test_one_resize_is_a_correction_and_two_are_a_habit():
    calm = checked("often-resized", lived(resizes=1))
    assert calm.outcome is Outcome.PASS
    assert "1 change of its size" in calm.reason
    found = checked("often-resized", lived(resizes=2, last_resize=NOW - HOUR))
    assert "2 times in the last 14 days, last Sun 22 Nov 2026 11:00 UTC" in found.reason
