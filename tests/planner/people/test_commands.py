"""What people say to a run: each command once, to what it names, and nothing when it comes too late."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health
from planner.people.commands import REMEMBERED, SAYABLE, effect
from planner.record.action import Start
from planner.record.command import Command, CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Choice, Kind
from planner.record.observation import Observation, Predecessor
from planner.record.states import ACTIVE, BatchState, InstanceState, RunState
from planner.state.journal import with_entry
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    batch,
    changed,
    command,
    fleet,
    observe,
    one_of,
    planned,
    planned_again,
    run_of,
    states,
    step,
)
from tests.planner.people.hearing import failing, hear, maintained, refused

"""A poll that did not read Azure: only what people said can change the run."""


# Once, late, unknown -------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", list(CommandKind))
def test_a_command_that_comes_twice_under_its_id_is_applied_once(word: CommandKind):
    event = command(word, raised={"soak": "10m"} if word is CommandKind.RAISE else {})
    once = hear(planned(), event)
    assert hear(once, event) == once
    assert hear(planned(), event, event) == once


def test_the_same_command_under_another_id_is_another_command():
    run = hear(planned(), *(command(CommandKind.RAISE, one, raised={"soak": f"{one}m"}) for one in "12"))
    assert run.terms.raised == {"soak": "2m"}
    assert [one.id for one in run.story.history if one.event == "raise"] == ["1", "2"]


@pytest.mark.parametrize("word", list(CommandKind))
def test_every_command_is_in_the_history_once_with_its_id_whether_it_has_an_effect_or_not(word: CommandKind):
    run = planned()
    for event in (command(word, "1", raised={"soak": "10m"}), command(word, "2", raised={"soak": "10m"})):
        run = hear(run, event, event)
    assert [(one.id, one.event, one.actor) for one in run.story.history if one.id] == [
        ("1", str(word), "ada"),
        ("2", str(word), "ada"),
    ]


def test_what_people_said_outlives_the_trimming_of_a_long_history():
    run = planned()
    for number in range(1000):
        run = with_entry(run, "looked", "Nothing new.", NOW)
        if not number % 20:
            run = hear(run, command(CommandKind.RAISE, str(number), raised={"soak": f"{number}m"}))
    assert [one.id for one in run.story.history if one.id] == [str(one) for one in range(0, 1000, 20)]
    assert len(run.story.history) < 500
    assert [one.event for one in run.story.history].count("left out") == 1


@pytest.mark.parametrize("word", list(CommandKind))
@pytest.mark.parametrize("state", [one for one in RunState if one not in ACTIVE])
def test_a_command_that_comes_too_late_is_on_record_and_changes_nothing_else(
    word: CommandKind, state: RunState
):
    run = replace(planned(), state=state)
    found = hear(run, command(word, "late"))
    assert (
        replace(
            found,
            story=replace(found.story, history=run.story.history),
            people=replace(found.people, events=run.people.events),
        )
        == run
    )
    assert found.story.history[-1].reason == f"Came too late: the run is {state}."
    assert (found.story.history[-1].actor, found.story.history[-1].event) == ("ada", str(word))
    assert hear(found, command(word, "late")) == found


def test_ids_are_remembered_for_long_and_not_for_ever():
    run = planned()
    for number in range(REMEMBERED + 20):
        run = hear(run, command(CommandKind.SKIP, str(number), instances=("nobody",)))
    assert len(run.people.events) == REMEMBERED
    assert run.people.events[-1] == str(REMEMBERED + 19)


# Skip ----------------------------------------------------------------------------------------------------


# Hold and resume -----------------------------------------------------------------------------------------


def test_a_hold_pauses_and_stays_through_polls_and_plans_until_somebody_resumes():
    run, actions = step(planned(), observe(), command(CommandKind.HOLD, comment="Black Friday"))
    assert (run.state, run.reason) == (RunState.PAUSED, "Held by ada: Black Friday")
    assert not any(isinstance(one, Start) for one in actions)
    run = planned_again(run, a_policy=always(soak="40m"), now=NOW + HOUR)
    assert (run.state, run.reason) == (RunState.PAUSED, "Held by ada: Black Friday")
    run, actions = step(run, observe(a_policy=always(soak="40m"), now=NOW + 2 * HOUR))
    assert run.state is RunState.PAUSED
    assert not any(isinstance(one, Start) for one in actions)
    resumed = command(CommandKind.RESUME, comment="Over.", at=NOW + 3 * HOUR)
    run, actions = step(run, observe(a_policy=always(soak="40m"), now=NOW + 3 * HOUR), resumed)
    assert (run.state, run.people.holding) == (RunState.RUNNING, "")
    assert [one.instance for one in actions if isinstance(one, Start)] == ["0", "5"]
    assert any(
        one.kind is Kind.RESUMED and "Resumed by ada. Over." in one.sentence for one in run.story.notices
    )


def test_resuming_what_was_only_held_waives_neither_deadline_nor_order():
    held = hear(planned(), command(CommandKind.HOLD))
    observation = Observation(
        NOW, predecessors=(Predecessor("db", RunState.MISSED),), order_problem="A circle."
    )
    run = hear(held, command(CommandKind.RESUME), observation=observation)
    assert (run.people.waived, run.people.order_waived) == ((), False)


def test_resuming_a_paused_run_waives_what_it_was_paused_for():
    paused = replace(planned(), state=RunState.PAUSED, reason="It goes after db.")
    observation = Observation(
        NOW, predecessors=(Predecessor("db", RunState.MISSED), Predecessor("cache", RunState.RUNNING))
    )
    assert hear(paused, command(CommandKind.RESUME), observation=observation).people.waived == ("db",)
    people = hear(
        paused, command(CommandKind.RESUME), observation=replace(observation, order_problem="A circle.")
    ).people
    assert (people.waived, people.order_waived, people.deadline_waived) == (("db", "cache"), True, False)
    people = hear(altered(paused, misfit="Too late."), command(CommandKind.RESUME)).people
    assert (people.waived, people.order_waived, people.deadline_waived) == ((), False, True)


def test_resuming_twice_waives_nothing_twice_and_tells_once():
    paused = altered(planned(), state=RunState.PAUSED, misfit="Too late.")
    run = hear(paused, command(CommandKind.RESUME, "1"), command(CommandKind.RESUME, "2"))
    assert run.people.deadline_waived
    assert sum(one.kind is Kind.RESUMED for one in run.story.notices) == 1


def test_a_resume_watches_the_failed_again_where_they_stood():
    instances = (
        InstanceProgress(
            "0", state=InstanceState.FAILED, proof_at=NOW, answered=True, since=NOW - DAY, healthy_polls=1
        ),
        InstanceProgress("1", state=InstanceState.FAILED, answered=True, since=NOW - DAY),
        InstanceProgress("2", state=InstanceState.FAILED, intent_at=NOW - DAY, attempts=2),
    )
    failed = batch(1, *instances, state=BatchState.FAILED, started_at=NOW - DAY)
    run = hear(run_of(failed, state=RunState.PAUSED), command(CommandKind.RESUME))
    assert states(run) == {
        "0": InstanceState.VERIFYING,
        "1": InstanceState.REBOOTING,
        "2": InstanceState.PENDING,
    }
    assert one_of(run, "0").since == one_of(run, "1").since == NOW
    assert (one_of(run, "0").healthy_polls, one_of(run, "2").attempts) == (0, 0)
    assert run.state is RunState.RUNNING


def test_a_command_from_the_quarantine_pauses_like_a_hold():
    run = hear(planned(), command(CommandKind.QUARANTINED, actor="bury", comment="KeyError: 'x'"))
    assert run.state is RunState.PAUSED
    assert "KeyError: 'x'" in run.people.holding


def test_a_hold_on_a_paused_run_is_on_record_and_leaves_the_cause_to_be_read():
    run = hear(failing(), command(CommandKind.HOLD, "h", comment="Not now."))
    assert run.reason == "Held by ada: Not now. Apart from the hold: Instance 0: It has not come back."
    assert run.story.notices[-1].sentence == run.reason
    assert [(one.instance, one.error) for one in run.story.notices[-1].down] == [
        ("0", "It has not come back.")
    ]
    assert [one.id for one in run.story.history if one.event == "hold"] == ["h"]
    run = planned_again(run, now=NOW + HOUR)
    assert "Instance 0: It has not come back." in run.reason


def test_a_resume_after_the_hold_means_what_it_means_without_one():
    held = hear(failing(), command(CommandKind.HOLD))
    run = hear(held, command(CommandKind.RESUME))
    assert (run.state, run.people.holding, run.people.beneath) == (RunState.RUNNING, "", "")
    assert states(run) == states(hear(failing(), command(CommandKind.RESUME)))


def test_a_plan_that_did_not_fit_before_the_hold_asks_again_after_it():
    run = planned(a_policy=always(complete_by=(NOW + HOUR).isoformat()))
    assert run.people.misfit
    run = hear(run, command(CommandKind.HOLD), command(CommandKind.RESUME))
    assert not run.people.deadline_waived
    run, actions = step(run, observe(a_policy=always(complete_by=(NOW + HOUR).isoformat())))
    assert (run.state, run.people.misfit != "") == (RunState.PAUSED, True)
    assert not any(isinstance(one, Start) for one in actions)


def test_what_fails_under_a_hold_is_told_once_and_read_beside_it():
    verifying = batch(
        1,
        InstanceProgress(
            "0", state=InstanceState.VERIFYING, answered=True, since=NOW - DAY, proof_at=NOW - DAY
        ),
        state=BatchState.VERIFYING,
        started_at=NOW - DAY,
    )
    run = hear(
        run_of(verifying, batch(2, "1"), state=RunState.RUNNING), command(CommandKind.HOLD, comment="Wait.")
    )
    sick = changed(fleet(2), "0", health=Health.UNHEALTHY, maintenance=None)
    for minute in (1, 2):
        run, _ = step(run, observe(instances=sick, now=NOW + minute * MINUTE))
    assert states(run)["0"] is InstanceState.FAILED
    assert run.reason.startswith("Held by ada: Wait. Apart from the hold: Instance 0: ")
    assert [one.sentence for one in run.story.notices if one.kind is Kind.PAUSED][1:] == [run.reason]


def test_a_quarantine_under_a_hold_leaves_the_hold_to_be_read_and_is_told_once():
    run = hear(planned(), command(CommandKind.HOLD, comment="Wait."))
    word = {"actor": "bury", "comment": "KeyError: 'x'"}
    run = hear(
        run, command(CommandKind.QUARANTINED, "1", **word), command(CommandKind.QUARANTINED, "2", **word)
    )
    assert run.reason.startswith("Held by ada: Wait. Apart from the hold: A message about it failed")
    assert sum(one.kind is Kind.PAUSED for one in run.story.notices) == 2


# What has no effect is refused ---------------------------------------------------------------------------


def test_an_approval_is_refused_where_nothing_waits_for_one():
    assert refused(planned(), CommandKind.APPROVE) == "Nothing waits for approval: its mode is auto."
    asked = planned(a_policy=always(mode="approve"))
    assert refused(asked, CommandKind.APPROVE, checksum=asked.people.checksum) == ""
    given_ = hear(asked, command(CommandKind.APPROVE, checksum=asked.people.checksum))
    assert "is approved already" in refused(
        given_, CommandKind.APPROVE, id="2", checksum=asked.people.checksum
    )


def test_an_approval_of_no_plan_or_of_another_is_refused_with_the_plan_there_is():
    asked = planned(a_policy=always(mode="approve"))
    for checksum in ("", "0123456789abcdef"):
        assert f"The plan is {asked.people.checksum} now: look at it" in refused(
            asked, CommandKind.APPROVE, checksum=checksum
        )


def test_a_hold_is_refused_where_somebody_holds_it_already_and_says_who():
    held = hear(planned(), command(CommandKind.HOLD, comment="Black Friday."))
    assert refused(held, CommandKind.HOLD, id="2") == "It is held already. Held by ada: Black Friday."
    assert refused(failing(), CommandKind.HOLD) == ""
    assert refused(planned(), CommandKind.HOLD) == ""


def test_a_resume_is_refused_where_nothing_is_paused():
    assert refused(planned(), CommandKind.RESUME).startswith(
        "It is neither held nor paused: it is scheduled. "
    )
    asked = planned(a_policy=always(mode="approve"))
    assert f"approve the plan {asked.people.checksum}" in refused(asked, CommandKind.RESUME)
    assert refused(failing(), CommandKind.RESUME) == ""
    assert refused(hear(planned(), command(CommandKind.HOLD)), CommandKind.RESUME) == ""


def test_a_resume_while_time_is_short_lets_it_go_on_and_asks_no_more():
    choice = Choice("resume", "Go ahead as planned.", "resume")
    late = {"state": RunState.RUNNING, "deadline": NOW, "slack": -HOUR, "choices": (choice,)}
    short = run_of(maintained("0"), batch(2, "1"), **late)
    assert refused(short, CommandKind.RESUME) == ""
    run = hear(short, command(CommandKind.RESUME))
    assert (run.people.deadline_waived, run.people.choices, run.state) == (True, (), RunState.RUNNING)


@pytest.mark.parametrize("word", SAYABLE)
@pytest.mark.parametrize("state", [one for one in RunState if one not in ACTIVE])
def test_a_command_to_a_run_that_is_over_is_refused_with_how_it_ended(word: CommandKind, state: RunState):
    ended = replace(planned(), state=state, reason="10 maintained.")
    assert refused(ended, word) == f"The run is {state}, there is nothing to {word}. 10 maintained."


def test_a_hold_says_which_starts_were_written_before_it():
    flying = batch(
        1, InstanceProgress("0", state=InstanceState.STARTING, intent_at=NOW),
        InstanceProgress("2", state=InstanceState.REBOOTING, answered=True, intent_at=NOW),
        state=BatchState.STARTING, started_at=NOW,
    )  # fmt: skip
    run, event = run_of(flying, batch(2, "1"), state=RunState.RUNNING), command(CommandKind.HOLD)
    assert effect(run, hear(run, event), event) == (
        "Held: nothing new starts from now on. On its way already, and may still go out: 0. "
        "Reboots in progress will finish: 2 instances watched until healthy."
    )


# Raise ---------------------------------------------------------------------------------------------------


words = st.builds(
    command,
    st.sampled_from(list(CommandKind)),
    st.integers(0, 6).map(str),
    raised=st.dictionaries(st.just("soak"), st.sampled_from(["1m", "9m"]), min_size=1),
    instances=st.sampled_from([(), ("1",), ("2", "9"), ("nobody",)]),
    domains=st.sampled_from([(), ("domain 1",), ("domain 77",)]),
    checksum=st.sampled_from(["", "0123456789abcdef"]),
)


@settings(max_examples=120, deadline=None)
@given(st.lists(words, max_size=8), st.sampled_from(["auto", "approve"]))
def test_whatever_people_say_in_whatever_order_each_command_counts_once_and_the_state_has_a_sentence(
    events: list[Command], mode: str
):
    run = planned(instances=fleet(), a_policy=always(mode=mode))
    together = hear(run, *events)
    one_by_one = run
    for event in events:
        one_by_one = hear(one_by_one, event)
        one_by_one = hear(one_by_one, event)
    assert together == one_by_one
    assert together.reason
    assert (together.state is RunState.PAUSED) >= bool(together.people.holding)
    assert len(together.instances) == 10
    assert [one.number for one in together.story.notices] == list(range(1, len(together.story.notices) + 1))
