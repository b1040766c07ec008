"""Scheduled for the second time: which of the guidance's four reasons it was, by evidence and not by guess."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from planner.azure.fleet import Interval
from planner.azure.usage import Habits, Source
from planner.azure.wave import Stage, Wave
from planner.record.instance import Before, InstanceProgress
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.replan import second_time
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    STATUS,
    always,
    announcement,
    batch,
    changed,
    fleet,
    instance,
    planned,
    planned_again,
    run_of,
    scale_set,
    states,
    wave,
)

DONE_AT = NOW - 5 * DAY


def finished(*ids: str, state: InstanceState = InstanceState.MAINTAINED, at: datetime = DONE_AT) -> Run:
    instances = tuple(
        InstanceProgress(one, state=state, finished_at=at, intent_at=at - HOUR, gone=True) for one in ids
    )
    return run_of(batch(1, *instances), state=RunState.COMPLETED, ended_at=at)


def why(
    run: Run | None = None,
    waves: tuple[Wave, ...] | None = None,
    ids: tuple[str, ...] = ("0",),
    **habits: Any,
) -> str:
    """The sentence for instances that show maintenance again, in a scale set whose life was looked up."""
    a_set = scale_set(habits=Habits(**habits))
    old = waves if waves is not None else (wave(announcement(at=DONE_AT - 9 * DAY)),)
    return second_time.explained(run or finished("0"), [instance(one) for one in ids], old, a_set)


# The four reasons ----------------------------------------------------------------------------------------


def test_a_wave_that_was_cancelled_and_restarted_is_a_reason():
    restarted = wave(
        announcement(Stage.PLANNED, DONE_AT - 9 * DAY),
        announcement(Stage.CANCELED, DONE_AT + DAY),
        announcement(Stage.PLANNED, DONE_AT + 2 * DAY),
    )
    assert why(waves=(restarted,)) == (
        "Instance 0 is scheduled for the second time: wave VM12-3AB was canceled at Wed 18 Nov 2026 12:00 UTC and "
        "restarted at Thu 19 Nov 2026 12:00 UTC."
    )


def test_a_restart_is_dated_by_its_first_announcement_and_not_by_the_latest_news():
    restarted = wave(
        announcement(Stage.PLANNED, DONE_AT - 9 * DAY),
        announcement(Stage.CANCELED, DONE_AT + DAY),
        announcement(Stage.PLANNED, DONE_AT + 2 * DAY),
        announcement(Stage.IN_PROGRESS, DONE_AT + 4 * DAY),
    )
    assert "restarted at Thu 19 Nov 2026 12:00 UTC" in why(waves=(restarted,))


def test_of_several_restarts_the_last_one_counts():
    restarted = wave(
        announcement(Stage.PLANNED, DONE_AT - 9 * DAY),
        announcement(Stage.CANCELED, DONE_AT - 8 * DAY),
        announcement(Stage.PLANNED, DONE_AT - 7 * DAY),
        announcement(Stage.COMPLETE, DONE_AT + DAY),
        announcement(Stage.RESCHEDULED, DONE_AT + 2 * DAY),
    )
    found = why(waves=(restarted,))
    assert "was complete at Wed 18 Nov 2026 12:00 UTC and restarted at Thu 19 Nov 2026 12:00 UTC" in found


def test_a_restart_before_the_instance_was_finished_explains_nothing():
    long_ago = wave(
        announcement(Stage.PLANNED, DONE_AT - 9 * DAY),
        announcement(Stage.CANCELED, DONE_AT - 8 * DAY),
        announcement(Stage.PLANNED, DONE_AT - 7 * DAY),
    )
    found = why(waves=(long_ago,))
    assert "restarted" not in found.replace("no restarted wave", "")
    assert (
        "Azure shows no restarted wave, no service healing, no stop and start, and no auto-shutdown" in found
    )


def test_another_wave_after_one_that_was_called_off_is_a_reason():
    old = wave(announcement(at=DONE_AT - 9 * DAY), announcement(Stage.CANCELED, DONE_AT + DAY))
    new = wave(announcement(at=DONE_AT + 2 * DAY, tracking_id="VM99-NEW"), tracking_id="VM99-NEW")
    found = why(waves=(new, old))
    assert (
        "wave VM99-NEW was announced at Thu 19 Nov 2026 12:00 UTC after wave VM12-3AB was called off" in found
    )


def test_a_wave_that_was_announced_anew_is_a_reason_and_its_mere_progress_is_none():
    first = announcement(at=DONE_AT - 9 * DAY)
    moved = wave(
        first,
        announcement(Stage.RESCHEDULED, DONE_AT + DAY),
        announcement(Stage.IN_PROGRESS, DONE_AT + 2 * DAY),
    )
    assert "wave VM12-3AB was announced anew at Wed 18 Nov 2026 12:00 UTC (Rescheduled)" in why(
        waves=(moved,)
    )
    progress = wave(first, announcement(Stage.IN_PROGRESS, DONE_AT + DAY))
    assert "Azure shows no restarted wave" in why(waves=(progress,))


def test_service_healing_is_a_reason_with_its_time():
    found = why(healed={"0": DONE_AT + DAY})
    assert found == (
        "Instance 0 is scheduled for the second time: Azure moved it at Wed 18 Nov 2026 12:00 UTC to repair its "
        "host (service healing)."
    )


def test_a_stop_and_start_is_a_reason_with_its_time_and_who_did_it():
    at = DONE_AT + DAY
    found = why(stopped={"0": at}, last_stop=at, stopped_by="ada@contoso.com")
    assert "it was stopped and started since, at Wed 18 Nov 2026 12:00 UTC by ada@contoso.com" in found


def test_who_stopped_another_instance_later_did_not_stop_this_one():
    found = why(
        stopped={"0": DONE_AT + DAY, "1": DONE_AT + 2 * DAY}, last_stop=DONE_AT + 2 * DAY, stopped_by="bob"
    )
    assert "stopped and started since" in found
    assert "bob" not in found


def test_an_auto_shutdown_is_a_reason_with_the_stop_it_made():
    found = why(stopped={"0": DONE_AT + DAY}, shutdown="shutdown-web")
    assert "the auto-shutdown schedule shutdown-web stops it, last at Wed 18 Nov 2026 12:00 UTC" in found
    assert "shutdown-web stops it" in why(shutdown="shutdown-web")


def test_what_happened_before_our_start_is_no_reason_and_what_came_after_it_is():
    before = DONE_AT - HOUR - MINUTE
    found = why(healed={"0": before}, stopped={"0": before}, last_stop=before)
    assert "Azure shows no restarted wave, no service healing" in found
    meanwhile = DONE_AT - MINUTE
    assert "service healing)" in why(healed={"0": meanwhile}), "looks saw it serve again only later"
    assert "it was stopped and started since" in why(stopped={"0": meanwhile}, last_stop=meanwhile)


def test_what_happened_to_another_instance_is_no_reason():
    assert "Azure shows no restarted wave" in why(healed={"1": DONE_AT + DAY}, stopped={"2": DONE_AT + DAY})


def test_names_of_flexible_machines_are_compared_without_regard_to_case():
    run = finished("Web_A1")
    assert "service healing)" in why(run, ids=("Web_A1",), healed={"web_a1": DONE_AT + DAY})


def test_evidence_about_the_instance_itself_comes_before_what_is_said_about_the_wave():
    restarted = wave(
        announcement(at=DONE_AT - 9 * DAY),
        announcement(Stage.CANCELED, DONE_AT + DAY),
        announcement(at=DONE_AT + 2 * DAY),
    )
    assert "service healing)" in why(waves=(restarted,), healed={"0": DONE_AT + HOUR})
    assert "stopped and started" in why(waves=(restarted,), stopped={"0": DONE_AT + HOUR})
    assert "restarted at" in why(waves=(restarted,), shutdown="shutdown-web")


# What cannot be told -------------------------------------------------------------------------------------


def test_with_sources_closed_it_cannot_be_told_and_the_missing_role_is_said():
    closed = scale_set(
        habits=Habits(), unread={Source.ACTIVITY_LOG: "The role Monitoring Reader is missing."}
    )
    found = second_time.explained(
        finished("0"), [instance("0")], (wave(announcement(at=DONE_AT - 9 * DAY)),), closed
    )
    assert "the reason is unknown (The role Monitoring Reader is missing.)" in found
    never = second_time.explained(
        finished("0"), [instance("0")], (wave(announcement(at=DONE_AT - 9 * DAY)),), scale_set()
    )
    assert "the reason is unknown (nothing was looked up)" in never


def test_what_one_source_shows_is_told_although_another_is_closed():
    a_set = scale_set(habits=Habits(healed={"0": DONE_AT + DAY}), unread={Source.CHANGES: "Closed."})
    found = second_time.explained(finished("0"), [instance("0")], (), a_set)
    assert "service healing)" in found
    assert "Closed." not in found


@pytest.mark.parametrize(
    "state", [one for one in InstanceState if one not in {InstanceState.MAINTAINED, InstanceState.BY_AZURE}]
)
def test_who_was_not_maintained_is_not_scheduled_for_the_second_time(state: InstanceState):
    assert why(finished("0", state=state)) == ""


def test_what_azure_maintained_counts_as_a_first_time_too():
    assert "second time" in why(finished("0", state=InstanceState.BY_AZURE))


def test_instances_that_were_never_in_the_run_are_not_mentioned():
    assert why(ids=("7",)) == ""
    assert why(ids=()) == ""


def test_instances_of_one_reason_share_a_sentence_and_others_have_their_own():
    run = finished("0", "1", "2")
    found = why(run, ids=("0", "1", "2"), healed={"0": DONE_AT + DAY, "2": DONE_AT + DAY})
    assert found.startswith("Instances 0, 2 are scheduled for the second time: Azure moved it at")
    assert "Instance 1 is scheduled for the second time: Azure shows no restarted wave" in found


def test_very_many_instances_are_not_all_named():
    ids = tuple(str(one) for one in range(40))
    found = why(finished(*ids), ids=ids)
    assert "Instances 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and others are" in found


# In the plan ---------------------------------------------------------------------------------------------


def test_a_run_that_begins_again_after_its_end_says_why_and_waits_for_its_own_lead_time():
    former = finished("0", "1")
    moved = replace(STATUS, self_service=Interval(NOW, NOW + 9 * DAY))
    instances = (instance("0", maintenance=moved), instance("1", maintenance=moved), instance("2"))
    a_set = scale_set(habits=Habits(healed={"0": NOW - DAY, "1": NOW - DAY}))
    run = planned(a_set, instances, always(lead="24h"), former=former)
    assert run.story.again.startswith("Instances 0, 1 are scheduled for the second time: Azure moved it")
    assert any(one.event == "scheduled again" and one.reason == run.story.again for one in run.story.history)
    assert run.story.again in run.story.notices[0].sentence
    assert run.times.lead_over == NOW + DAY
    assert set(states(run)) == {"0", "1", "2"}


def test_a_status_that_was_gone_and_came_back_with_its_old_window_asks_a_person():
    before = Before(allowed=True, result="None", self_service=STATUS.self_service, reported_health=True)
    done = InstanceProgress(
        "0", state=InstanceState.MAINTAINED, finished_at=NOW - HOUR, before=before, gone=True
    )
    run = replace(planned(instances=fleet(2, 2)), batches=(batch(1, done, finished_at=NOW), batch(2, "1")))
    again = planned_again(run, instances=fleet(2, 2), now=NOW + HOUR)
    (progress,) = [one for one in again.instances if one.id == "0"]
    assert (progress.state, progress.asks, progress.approved) == (InstanceState.PENDING, True, False)
    assert "scheduled for the second time" in again.story.again


def test_a_run_in_progress_reopens_a_finished_instance_for_new_windows():
    before = Before(allowed=True, result="None", self_service=STATUS.self_service, reported_health=True)
    done = InstanceProgress("0", state=InstanceState.MAINTAINED, finished_at=NOW - HOUR, before=before)
    run = replace(planned(instances=fleet(2, 2)), batches=(batch(1, done, finished_at=NOW), batch(2, "1")))
    lingers = planned_again(run, instances=fleet(2, 2), now=NOW + HOUR)
    assert states(lingers)["0"] is InstanceState.MAINTAINED
    assert lingers.story.again == ""
    moved = replace(STATUS, self_service=Interval(NOW, NOW + 9 * DAY))
    a_set = scale_set(habits=Habits(healed={"0": NOW}))
    gone = replace(run, batches=(batch(1, replace(done, gone=True), finished_at=NOW), batch(2, "1")))
    reopened = planned_again(gone, a_set, changed(fleet(2, 2), "0", maintenance=moved), now=NOW + HOUR)
    assert states(reopened)["0"] is InstanceState.PENDING
    assert "service healing" in reopened.story.again
    assert sum(one.event == "scheduled again" for one in reopened.story.history) == 1
    settled = planned_again(reopened, a_set, changed(fleet(2, 2), "0", maintenance=moved), now=NOW + 2 * HOUR)
    assert sum(one.event == "scheduled again" for one in settled.story.history) == 1
