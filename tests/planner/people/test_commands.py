"""What people say to a run: each command once, to what it names, and nothing when it comes too late."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health
from planner.people.commands import REMEMBERED, SAYABLE, effect, refusal, with_commands
from planner.policy import overrides
from planner.policy.fingerprint import rules_fingerprint
from planner.policy.model import Rules, SelfService
from planner.policy.overrides import RAISABLE, checked_raise, with_raised
from planner.record.action import Replan, Start
from planner.record.batch import Batch
from planner.record.command import Command, CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Choice, Kind
from planner.record.observation import Observation, Predecessor
from planner.record.run import Run
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
    rules,
    run_of,
    scale_set,
    states,
    step,
)

BLIND = Observation(NOW)
"""A poll that did not read Azure: only what people said can change the run."""


def hear(run: Run, *events: Command, observation: Observation = BLIND) -> Run:
    return with_commands(run, events, observation, observation.at)


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


def waiting(run: Run) -> set[str]:
    return {key for key, state in states(run).items() if state is InstanceState.PENDING}


def test_skipping_an_instance_skips_it_alone_with_who_and_why():
    run = hear(planned(), command(CommandKind.SKIP, instances=("3",), comment="It holds the lock."))
    assert waiting(run) == set("012456789")
    assert one_of(run, "3").state is InstanceState.SKIPPED
    assert one_of(run, "3").reason == "Skipped by ada. It holds the lock."
    assert [entry.reason for entry in run.story.history[-2:]] == [
        "It holds the lock. (Skipped: 3.)",
        "Skipped by ada. It holds the lock.",
    ]


def test_skipping_a_domain_skips_every_instance_of_all_its_batches():
    run = planned(a_policy=always(max_unavailable="1"))
    assert sum(one.domain == "domain 2" for one in run.batches) == 2
    found = hear(run, command(CommandKind.SKIP, domains=("domain 2",)))
    assert waiting(found) == set("01345689")


def test_skipping_instances_and_domains_together_skips_both_and_nothing_else():
    found = hear(planned(), command(CommandKind.SKIP, domains=("domain 4",), instances=("0",)))
    assert waiting(found) == set("1235678")


def test_skipping_without_a_name_skips_all_that_was_not_started():
    run = planned()
    first = replace(
        run.batches[0],
        state=BatchState.REBOOTING,
        started_at=NOW,
        instances=tuple(replace(one, state=InstanceState.REBOOTING) for one in run.batches[0].instances),
    )
    found = hear(replace(run, batches=(first, *run.batches[1:])), command(CommandKind.SKIP))
    assert waiting(found) == set()
    assert states(found)["0"] is InstanceState.REBOOTING
    assert states(found)["9"] is InstanceState.SKIPPED


def test_naming_what_is_not_there_skips_nothing():
    """An empty match must never be read as no name at all."""
    for names in (
        {"domains": ("domain 9",)},
        {"instances": ("99",)},
        {"domains": ("",)},
        {"instances": ("",)},
    ):
        assert waiting(hear(planned(), command(CommandKind.SKIP, **names))) == set("0123456789")


def test_a_failed_instance_is_skipped_only_where_it_or_its_domain_is_named():
    failed = batch(
        1,
        InstanceProgress("0", state=InstanceState.FAILED, reason="Down."),
        InstanceProgress("5"),
        state=BatchState.FAILED,
        started_at=NOW,
        domain="domain 0",
    )
    run = run_of(failed, batch(2, "1"), state=RunState.PAUSED)
    assert states(hear(run, command(CommandKind.SKIP)))["0"] is InstanceState.FAILED
    assert states(hear(run, command(CommandKind.SKIP)))["5"] is InstanceState.SKIPPED
    assert states(hear(run, command(CommandKind.SKIP, domains=("domain 0",))))["0"] is InstanceState.SKIPPED
    assert states(hear(run, command(CommandKind.SKIP, domains=("domain 0",))))["5"] is InstanceState.SKIPPED
    assert states(hear(run, command(CommandKind.SKIP, domains=("domain 1",))))["0"] is InstanceState.FAILED
    assert states(hear(run, command(CommandKind.SKIP, instances=("0",))))["0"] is InstanceState.SKIPPED


@pytest.mark.parametrize(
    "state", [one for one in InstanceState if one not in {InstanceState.PENDING, InstanceState.ASIDE}]
)
def test_what_is_started_or_settled_cannot_be_skipped_any_more(state: InstanceState):
    run = run_of(
        batch(1, InstanceProgress("0", state=state), state=BatchState.REBOOTING, started_at=NOW),
        batch(2, "1"),
    )
    named = hear(run, command(CommandKind.SKIP, instances=("0",)))
    assert states(named)["0"] is (InstanceState.SKIPPED if state is InstanceState.FAILED else state)
    assert states(hear(run, command(CommandKind.SKIP)))["0"] is state


def test_a_skipped_instance_is_not_started_by_the_next_plan_either():
    run = hear(planned(), command(CommandKind.SKIP, instances=("0", "5")))
    again = planned_again(run, now=NOW + HOUR)
    assert states(again)["0"] is InstanceState.SKIPPED
    run, actions = step(again, observe(now=NOW + HOUR))
    assert [one.instance for one in actions if isinstance(one, Start)] == ["1", "6"]


def test_skipping_everything_ends_the_run_and_nothing_was_started():
    run, actions = step(planned(), observe(), command(CommandKind.SKIP))
    assert run.state is RunState.COMPLETED
    assert "10 skipped" in run.reason
    assert not any(isinstance(one, Start) for one in actions)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 12).map(str)), st.sets(st.sampled_from([f"domain {one}" for one in range(6)])))
def test_a_skip_with_names_touches_exactly_what_is_named(instances: set[str], domains: set[str]):
    run = planned()
    found = hear(run, command(CommandKind.SKIP, instances=tuple(instances), domains=tuple(domains)))
    named = {one.id for each in run.batches for one in each.instances if each.domain in domains} | instances
    skipped = {key for key, state in states(found).items() if state is InstanceState.SKIPPED}
    assert skipped == (
        {one.id for one in run.instances} if not instances and not domains else named & set("0123456789")
    )


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


def failing(**more: Any) -> Run:
    """Paused because instance 0 does not come back, instance 1 waits."""
    failed = batch(
        1, InstanceProgress("0", state=InstanceState.FAILED, reason="It has not come back.", answered=True),
        state=BatchState.FAILED, started_at=NOW,
    )  # fmt: skip
    fields = {"state": RunState.PAUSED, "reason": "Instance 0: It has not come back."} | more
    return run_of(failed, batch(2, "1"), **fields)


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


def refused(run: Run, word: CommandKind, **fields: Any) -> str:
    """The sentence of a refusal; on record such a command changes nothing but the history."""
    event = command(word, **fields)
    why = refusal(run, event)
    after = hear(run, event)
    same = (
        replace(
            after,
            story=replace(after.story, history=run.story.history),
            people=replace(after.people, events=run.people.events),
        )
        == run
    )
    assert same is bool(why), "refused exactly where nothing changes"
    return why


def maintained(*ids: str) -> Batch:
    done = (
        InstanceProgress(one, state=InstanceState.MAINTAINED, reason="Maintained.", finished_at=NOW)
        for one in ids
    )
    return batch(1, *done, state=BatchState.DONE, started_at=NOW, domain="domain 0")


def test_an_approval_is_refused_where_nothing_waits_for_one():
    assert refused(planned(), CommandKind.APPROVE) == "Nothing of it waits for approval: its mode is auto."
    asked = planned(a_policy=always(mode="approve"))
    assert refused(asked, CommandKind.APPROVE, checksum=asked.people.checksum) == ""
    given_ = hear(asked, command(CommandKind.APPROVE, checksum=asked.people.checksum))
    assert "has been approved" in refused(given_, CommandKind.APPROVE, id="2", checksum=asked.people.checksum)


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


def test_a_skip_that_touches_nothing_is_refused_and_says_what_can_be_skipped():
    run = run_of(maintained("0", "2"), batch(2, "1"))
    for names in ({"instances": ("0",)}, {"domains": ("domain 0",)}):
        why = refused(run, CommandKind.SKIP, **names)
        assert why.startswith("Nothing of that can be skipped: ")
        assert why.endswith(" maintained. What can be skipped: 1 (domain 2).")
    assert refused(run, CommandKind.SKIP, instances=("7",)).startswith(
        "The plan has no instance 7. What can be"
    )
    assert refused(run, CommandKind.SKIP, domains=("domain 7",)).startswith(
        "The plan has no domain domain 7. It has"
    )
    assert refused(run, CommandKind.SKIP) == ""


def test_a_skip_without_a_name_says_that_a_failed_instance_has_to_be_named():
    left = hear(failing(), command(CommandKind.SKIP))
    assert refused(left, CommandKind.SKIP, id="2") == (
        "Nothing is left to skip without a name: 1 failed, 1 skipped. What can be skipped: 0 (domain 1). "
        "Failed, and skipped only by name or domain: 0."
    )
    assert refused(left, CommandKind.SKIP, id="3", domains=("domain 1",)) == ""


def test_a_raise_to_what_is_so_already_is_refused():
    run = planned(a_policy=always(soak="10m", windows="daily 02:00-06:00 UTC"))
    assert (
        refused(run, CommandKind.RAISE, raised={"soak": "600s"})
        == "It is so already for this run: soak 600s."
    )
    assert refused(run, CommandKind.RAISE, raised={"windows": "daily 02:00-06:00 UTC", "lead": "0m"}) != ""
    assert refused(run, CommandKind.RAISE, raised={"soak": "10m", "lead": "1h"}) == ""
    raised = hear(run, command(CommandKind.RAISE, raised={"max-unavailable": "50%"}))
    assert refused(raised, CommandKind.RAISE, id="2", raised={"max-unavailable": "50 %"}) != ""
    assert refused(raised, CommandKind.RAISE, id="3", raised={"max-unavailable": "3"}) == ""


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
        "Held: no start is written from now on. Written before, so it may still be sent: 0. "
        "Watched until it serves again: 2 instances under way."
    )


# Raise ---------------------------------------------------------------------------------------------------


def test_a_raise_asks_for_a_new_plan_made_with_it_and_leaves_the_policy_as_it_is():
    run, actions = step(
        planned(), observe(), command(CommandKind.RAISE, raised={"soak": "5m"}, comment="We watch.")
    )
    assert [one.reason for one in actions if isinstance(one, Replan)] == ["ada raised soak 5m for this run"]
    assert not any(isinstance(one, Start) for one in actions)
    again = planned_again(run)
    assert again.terms.soak == 5 * MINUTE
    assert again.replan == ""
    assert planned().terms.soak == 30 * MINUTE


def test_what_was_raised_still_holds_when_the_start_reads_the_policy_afresh():
    run, _ = step(
        planned(), observe(), command(CommandKind.RAISE, raised={"soak": "5m", "max-unavailable": "1"})
    )
    run, actions = step(planned_again(run), observe())
    assert [one.instance for one in actions if isinstance(one, Start)] == ["0"]
    assert not any(isinstance(one, Replan) for one in actions)


def test_a_later_raise_wins_and_an_earlier_one_of_another_key_stays():
    run = hear(
        planned(),
        command(CommandKind.RAISE, "1", raised={"soak": "5m", "max-unavailable": "3"}),
        command(CommandKind.RAISE, "2", raised={"soak": "7m"}),
    )
    assert run.terms.raised == {"soak": "7m", "max-unavailable": "3"}


def test_a_raised_lead_time_counts_from_the_command_and_never_makes_people_wait_longer():
    run = planned(a_policy=always(lead="24h"))
    shorter = hear(run, command(CommandKind.RAISE, "1", at=NOW + HOUR, raised={"lead": "2h"}))
    assert shorter.times.lead_over == NOW + 3 * HOUR
    longer = hear(run, command(CommandKind.RAISE, "1", at=NOW + HOUR, raised={"lead": "9d"}))
    assert longer.times.lead_over == NOW + DAY


def test_a_raise_is_of_this_run_alone_and_the_next_one_starts_from_the_policy():
    run = hear(planned(), command(CommandKind.RAISE, raised={"soak": "5m"}))
    ended = replace(run, state=RunState.COMPLETED, ended_at=NOW)
    assert planned(former=ended).terms.raised == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("self-service", "always"),
        ("mode", "auto"),
        ("accept", "manage"),
        ("accept", "instance/"),
        ("health", "ignore"),
        ("stop", "false"),
        ("Soak", "10m"),
        ("soak", "soon"),
        ("soak", "-5m"),
        ("windows", "whenever"),
        ("windows", ""),
        ("max-unavailable", "0"),
        ("max-unavailable", "101%"),
        ("complete-by", "tomorrow"),
        ("complete-by", "2026-12-01T06:00"),
        ("lead", ""),
        ("x" * 500, "1"),
    ],
)
def test_what_cannot_be_raised_is_refused_with_a_sentence(key: str, text: str):
    with pytest.raises(ValueError, match=r"write|a right one looks like"):
        checked_raise(key, text)


@pytest.mark.parametrize(
    ("key", "text", "fields"),
    [
        ("soak", "0m", {"soak": 0 * MINUTE}),
        ("lead", "0m", {"lead": 0 * MINUTE}),
        ("windows", "any time", {"windows": ()}),
        ("complete-by", "none", {"complete_by": None}),
        ("max-unavailable", "default", {"max_unavailable": (), "default_share": True}),
    ],
)
def test_what_can_be_raised_can_be_raised_to_nothing(key: str, text: str, fields: dict[str, Any]):
    assert key in RAISABLE
    written = rules(
        soak="1h", lead="5h", windows="daily 02:00-03:00 UTC", complete_by="2026-12-01", max_unavailable=3
    )
    found = with_raised(written, {checked_raise(key, text): text})
    for name, value in fields.items():
        assert getattr(found, name) == value
    assert found.sources[key] == "raised by a person for this run"
    rest = {"sources": written.sources, **{name: getattr(written, name) for name in fields}}
    assert replace(found, **rest) == written


def test_raising_nothing_changes_nothing():
    written = rules(soak="1h")
    assert with_raised(written, overrides.NOTHING) is written
    assert rules_fingerprint(with_raised(written, {"lead": "1h"})) == rules_fingerprint(written)


def test_a_raise_cannot_take_back_a_never():
    tagged = scale_set(tags={"breakwater-self-service": "never"})
    found = with_raised(Rules(self_service=SelfService.NEVER), {"soak": "1m", "windows": "any time"})
    assert found.self_service is SelfService.NEVER
    run = hear(planned(), command(CommandKind.RAISE, raised={"soak": "1m"}))
    assert planned_again(run, tagged).state is RunState.LEFT_TO_AZURE


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
