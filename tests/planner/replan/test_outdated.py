"""When a poll makes a plan outdated, and when it does not."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import Instance, Interval
from planner.record.action import Replan, Start
from planner.record.instance import Before, InstanceProgress
from planner.record.run import Run
from planner.record.states import SETTLED, BatchState, InstanceState, RunState
from planner.replan import outdated
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SELF_SERVICE,
    STATUS,
    batch,
    changed,
    fleet,
    instance,
    observe,
    planned,
    run_of,
    step,
    without,
)

BEFORE = Before(allowed=True, result="None", self_service=STATUS.self_service, reported_health=True)
NEW = replace(STATUS, self_service=Interval(NOW - HOUR, NOW + 30 * DAY))


def why(run: Run, *instances: Instance, **more: Any) -> str:
    now = more.pop("now", NOW)
    return outdated.why(run, observe(instances=instances, now=now, **more), now)


def one(state: InstanceState = InstanceState.PENDING, **fields: Any) -> Run:
    """A run of one instance, in that state."""
    given = {"before": BEFORE, "finished_at": NOW if state in SETTLED else None, **fields}
    return run_of(batch(1, InstanceProgress("0", state=state, **given)))


def moved(start: Any = SELF_SERVICE.start, end: Any = SELF_SERVICE.end) -> Instance:
    return instance("0", maintenance=replace(STATUS, self_service=Interval(start, end)))


# What makes a plan outdated ------------------------------------------------------------------------------


def test_an_instance_that_shows_maintenance_and_is_in_no_plan_makes_it_outdated():
    assert why(one(), instance("0"), instance("7")) == "instance 7 shows maintenance and is not in the plan"


@pytest.mark.parametrize("state", [InstanceState.CANCELLED, InstanceState.BY_AZURE, InstanceState.MISSED])
def test_a_status_that_was_gone_and_came_back_makes_it_outdated(state: InstanceState):
    assert why(one(state, gone=True), instance("0")) == "instance 0 shows maintenance again"


def test_what_was_maintained_and_merely_lingers_is_not_due_again():
    assert why(one(InstanceState.MAINTAINED), instance("0")) == ""


def test_what_was_maintained_is_planned_again_when_its_status_was_gone_and_is_there_again():
    done = one(InstanceState.MAINTAINED, gone=True)
    assert "offers it again" in why(done, instance("0"))
    assert why(done, instance("0", maintenance=NEW)) == "instance 0 shows maintenance again"


def test_what_was_skipped_for_being_off_is_due_again_once_it_runs_and_azure_offers_it():
    off = one(InstanceState.SKIPPED, gone=True)
    assert why(off, instance("0", power="deallocated")) == ""
    assert why(off, instance("0", maintenance=replace(STATUS, allowed=False))) == ""
    assert why(off, instance("0")) == "instance 0 shows maintenance again"


def test_a_window_that_was_moved_forward_at_either_end_makes_it_outdated():
    words = "the self-service window of instance 0 has been moved forward"
    later = altered(one(), self_service=Interval(NOW + DAY, NOW + 20 * DAY))
    assert why(later, moved(NOW, NOW + 20 * DAY)) == words
    assert why(one(), moved(end=SELF_SERVICE.end - MINUTE)) == words


@pytest.mark.parametrize("state", [InstanceState.PENDING, InstanceState.ASIDE])
def test_a_window_longer_than_the_planned_one_makes_it_outdated_when_the_planned_one_is_over(
    state: InstanceState,
):
    longer = moved(end=SELF_SERVICE.end + DAY)
    assert why(one(state), longer) == ""
    assert why(one(state), longer, now=SELF_SERVICE.end) == (
        "the self-service window of instance 0 is open longer than it was planned by"
    )
    assert why(one(state), longer, now=SELF_SERVICE.end + DAY) == ""


# What does not -------------------------------------------------------------------------------------------


def test_the_poll_that_sees_what_was_planned_for_changes_nothing():
    run = planned()
    assert why(run, *fleet()) == ""
    assert why(run, *changed(fleet(), "3", power="stopped", provisioning="failed")) == ""


def test_instances_without_a_status_and_instances_that_are_gone_change_nothing():
    run = planned()
    assert why(run, *fleet(maintenance=None)) == ""
    assert why(run, *without(fleet(), "1", "2")) == ""
    assert why(run, *fleet(), instance("10", maintenance=None)) == ""


def test_a_status_that_merely_lingers_after_its_maintenance_changes_nothing():
    lingers = instance("0", maintenance=replace(STATUS, result="MaintenanceCompleted"))
    assert why(one(InstanceState.MAINTAINED), lingers) == ""
    earlier = one(InstanceState.BY_AZURE)
    assert why(earlier, lingers) == ""


def test_a_stranger_that_somebody_else_has_maintained_already_changes_nothing():
    done = replace(STATUS, allowed=False, result="MaintenanceCompleted")
    assert why(one(), instance("0"), instance("7", maintenance=done)) == ""


def test_a_window_that_opens_later_than_planned_changes_nothing():
    """No start goes outside the window an instance shows, so waiting loses nothing."""
    assert why(one(), moved(NOW + DAY, SELF_SERVICE.end + DAY)) == ""


def test_a_window_that_is_over_already_is_not_worth_a_new_plan():
    assert why(one(), moved(NOW - 2 * DAY, NOW)) == ""


def test_what_has_been_started_is_not_planned_anew_by_its_window():
    assert why(one(InstanceState.REBOOTING), moved(end=SELF_SERVICE.end - DAY)) == ""


def test_a_poll_that_did_not_read_azure_or_saw_the_wave_called_off_changes_nothing():
    run = one()
    assert outdated.why(run, replace(observe(), instances=None), NOW) == ""
    assert why(run, instance("0"), instance("7"), cancelled=True) == ""


# At a pace -----------------------------------------------------------------------------------------------


def test_a_plan_just_made_is_not_asked_for_again_before_five_polls_and_says_what_it_waits_for():
    run, more = planned(), (*fleet(), instance("10"))
    soon, actions = step(run, observe(instances=more, now=NOW + MINUTE))
    assert not any(isinstance(each, (Replan, Start)) for each in actions)
    assert soon.reason == "To be planned again: instance 10 shows maintenance and is not in the plan."
    assert soon.due == NOW + 5 * MINUTE
    _, actions = step(soon, observe(instances=more, now=soon.due))
    (asked,) = [each for each in actions if isinstance(each, Replan)]
    assert asked.reason == "instance 10 shows maintenance and is not in the plan"


def test_why_a_paused_run_waits_for_a_person_stays_to_be_read():
    run = altered(planned(), state=RunState.PAUSED, reason="Held by ada.", holding="Held by ada.")
    soon = outdated.planned_soon(run, "instance 7 shows maintenance again", observe())
    assert (soon.reason, soon.due) == ("Held by ada.", NOW + 5 * MINUTE)


def test_what_is_offered_anew_is_planned_again_once_its_batch_has_soaked():
    """A new plan takes it out of its batch: the next domain would start before the soak is over."""
    done = InstanceProgress(
        "0", state=InstanceState.MAINTAINED, before=BEFORE, finished_at=NOW, gone=True, begun=True
    )
    run = run_of(batch(1, done, state=BatchState.SOAKING), batch(2, InstanceProgress("1")))
    observation = observe(instances=(instance("0"), instance("1")))
    assert outdated.why(run, observation, NOW) == ""
    rested = replace(run, batches=(batch(1, done, state=BatchState.DONE), run.batches[1]))
    assert outdated.why(rested, observation, NOW) == "instance 0 was maintained and Azure offers it again"
