"""How a decision becomes a run, or joins the one in progress: nothing done is lost, and no news is no notice."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.machine import ending
from planner.policy.model import Limits, Match, MatchLimit, Policy
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import SETTLED, BatchState, InstanceState, RunState
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    announcement,
    changed,
    fleet,
    instance,
    one_of,
    planned,
    planned_again,
    policy,
    scale_set,
    states,
    wave,
    without,
)


def begun(run: Run, state: InstanceState = InstanceState.MAINTAINED) -> Run:
    """The run with its first batch in that state, started by us."""
    first = replace(
        run.batches[0],
        state=BatchState.SOAKING if state in SETTLED else BatchState.REBOOTING,
        started_at=NOW,
        verified_at=NOW if state in SETTLED else None,
        instances=tuple(
            replace(one, state=state, attempts=1, intent_at=NOW, since=NOW, reason="As it is.")
            for one in run.batches[0].instances
        ),
    )
    return replace(run, state=RunState.RUNNING, batches=(first, *run.batches[1:]))


def test_the_same_input_gives_the_same_run():
    assert planned() == planned()
    assert planned_again(planned(), now=NOW + HOUR) == planned_again(planned(), now=NOW + HOUR)


@pytest.mark.parametrize("a_policy", [always(), always(mode="approve"), policy(), always(mode="observe")])
def test_planning_again_without_news_tells_nobody_and_adds_no_history(a_policy):
    run = planned(a_policy=a_policy)
    for hour in range(1, 30):
        run = planned_again(run, a_policy=a_policy, now=NOW + hour * HOUR)
    assert len(run.story.notices) == len(planned(a_policy=a_policy).story.notices)
    assert run.story.history == planned(a_policy=a_policy).story.history


def test_a_first_plan_is_told_and_an_emergency_pages():
    (told,) = planned().story.notices
    assert (told.kind, told.urgency) == (Kind.PLANNED, Urgency.KNOW)
    urgent = planned(waves=(wave(announcement(level="Warning")),))
    assert urgent.story.notices[0].urgency is Urgency.PAGE


def test_what_has_begun_stays_as_it_is_whatever_the_new_plan_says():
    run = begun(planned(), InstanceState.REBOOTING)
    again = planned_again(run, a_policy=always(max_unavailable="1", soak="2h"), now=NOW + MINUTE)
    assert again.batches[0] == run.batches[0]
    assert all(len(one.instances) == 1 for one in again.batches[1:])
    assert again.state is RunState.RUNNING


def test_a_run_in_flight_counts_where_it_began_to_and_one_that_waits_where_the_file_says_now():
    def limited(name: str) -> Policy:
        return replace(always(), limits=Limits(by_match=(MatchLimit(name, Match(), 1),)))

    run = planned(a_policy=limited("old"))
    for before, counts_in in ((run, "new"), (begun(run), "old")):
        again = planned_again(before, a_policy=limited("new"), now=NOW + MINUTE)
        assert again.terms.counts_in == (counts_in,)


def test_an_instance_that_joins_has_a_lead_time_of_its_own_and_holds_up_nobody_elses():
    run = planned(a_policy=always(lead="24h"))
    more = (*fleet(), instance("10", 0))
    again = planned_again(run, instances=more, a_policy=always(lead="24h"), now=NOW + HOUR)
    (own,) = [one for one in again.batches if one.instances[0].id == "10"]
    assert own.held_until == NOW + 25 * HOUR
    assert again.times.lead_over == NOW + DAY
    assert again.batches[0].not_before == NOW + DAY


def test_a_plan_left_to_azure_meanwhile_waits_for_a_whole_lead_time_again():
    run = planned(a_policy=always(lead="24h"))
    left = planned_again(run, a_policy=policy(lead="24h"), now=NOW + HOUR)
    assert (left.state, left.times.lead_over) == (RunState.LEFT_TO_AZURE, None)
    back = planned_again(left, a_policy=always(lead="24h"), now=NOW + 2 * HOUR)
    assert (back.state, back.times.lead_over) == (RunState.SCHEDULED, NOW + 26 * HOUR)


def test_rules_that_forbid_it_while_something_reboots_leave_that_watched():
    run = begun(planned(), InstanceState.REBOOTING)
    again = planned_again(run, scale_set(tags={"breakwater-self-service": "never"}), now=NOW + MINUTE)
    assert again.state is RunState.RUNNING
    assert states(again)["0"] is InstanceState.REBOOTING
    rested = begun(planned())
    left = planned_again(rested, scale_set(tags={"breakwater-self-service": "never"}), now=NOW + MINUTE)
    assert left.state is RunState.LEFT_TO_AZURE
    assert left.batches[0].state is BatchState.DONE


def test_a_run_belongs_to_every_wave_it_was_planned_in_once():
    run = planned()
    other = wave(announcement(tracking_id="VM99-NEW"), tracking_id="VM99-NEW")
    again = planned_again(planned_again(run, waves=(other, wave())), waves=(other, wave()))
    assert again.waves == ("VM12-3AB", "VM99-NEW")


def test_a_wave_that_is_cancelled_ends_an_answer_of_the_day_and_leaves_a_run_to_its_polls():
    left = ending.closed(planned(a_policy=policy()), NOW + HOUR, cancelled=True)
    assert set(states(left).values()) == {InstanceState.CANCELLED}
    assert left.ended_at == NOW + HOUR
    active = ending.closed(planned(), NOW + HOUR, cancelled=True)
    assert (active.state, active.due, active.ended_at) == (RunState.SCHEDULED, NOW + HOUR, None)


@settings(max_examples=100, deadline=None)
@given(
    st.sets(st.integers(0, 9).map(str), max_size=6),
    st.sets(st.integers(10, 14).map(str), max_size=3),
    st.sampled_from(list(InstanceState)),
    st.sampled_from(["1", "50%", "default"]),
)
def test_no_instance_is_forgotten_or_planned_twice_by_a_new_plan(
    leaving: set[str], joining: set[str], first: InstanceState, most: str
):
    run = begun(planned(), first)
    instances = (*without(fleet(), *leaving), *(instance(one, 3) for one in sorted(joining)))
    again = planned_again(run, instances=instances, a_policy=always(max_unavailable=most), now=NOW + MINUTE)
    ids = [one.id for one in again.instances]
    assert len(ids) == len(set(ids))
    assert set(ids) == {one.id for one in run.instances} | joining
    assert len({one.number for one in again.batches}) == len(again.batches)
    for one in run.instances:
        if one.state in SETTLED:
            assert one_of(again, one.id) == one


def test_a_status_that_a_plan_shows_contradicts_the_poll_that_did_not_see_it():
    gone = changed(fleet(), "0", maintenance=None)
    run = planned(a_policy=policy())
    run = planned_again(run, None, gone, policy(), NOW + HOUR, direct=frozenset({"0"}))
    assert one_of(run, "0").sighting is not None
    run = planned_again(run, None, fleet(), policy(), NOW + 7 * HOUR)
    assert one_of(run, "0").sighting is None
    run = planned_again(run, None, gone, policy(), NOW + 13 * HOUR, direct=frozenset({"0"}))
    assert one_of(run, "0").state is InstanceState.PENDING
