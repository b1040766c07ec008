"""Skipping: exactly what is named, only what was not started, and with who and why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.record.action import Start
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.planner.builders import (
    HOUR,
    NOW,
    always,
    batch,
    command,
    observe,
    one_of,
    planned,
    planned_again,
    run_of,
    states,
    step,
)
from tests.planner.people.hearing import failing, hear, maintained, refused


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


def test_a_skip_that_touches_nothing_is_refused_and_says_what_can_be_skipped():
    run = run_of(maintained("0", "2"), batch(2, "1"))
    for names in ({"instances": ("0",)}, {"domains": ("domain 0",)}):
        why = refused(run, CommandKind.SKIP, **names)
        assert why.startswith("Nothing of that can be skipped: ")
        assert why.endswith(" rebooted. What can be skipped: 1 (domain 2).")
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
        "Nothing is left to skip; name what you mean: 1 failed, 1 skipped. What can be skipped: 0 (domain 1). "
        "Failed, so skipped only by name or domain: 0."
    )
    assert refused(left, CommandKind.SKIP, id="3", domains=("domain 1",)) == ""
