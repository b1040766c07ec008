"""What an approval belongs to: what voids it, what does not, and who waits for their own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Instance, ScaleSet
from planner.people import approval
from planner.policy.model import Policy
from planner.record.action import Start
from planner.record.command import CommandKind
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    changed,
    command,
    fleet,
    instance,
    observe,
    one_of,
    planned,
    planned_again,
    scale_set,
    states,
    step,
    without,
)

ASK = always(mode="approve")


def approved(run: Run, now: Any = NOW, checksum: str | None = None) -> Run:
    """The run after a person has approved the plan it has, without a poll of Azure."""
    word = command(
        CommandKind.APPROVE,
        f"approve at {now}",
        now,
        checksum=run.people.checksum if checksum is None else checksum,
    )
    return step(run, replace(observe(now=now), instances=None, scale_set=None, rules=None), word)[0]


def starts(
    run: Run,
    instances: Sequence[Instance],
    a_policy: Policy = ASK,
    a_set: ScaleSet | None = None,
    now: Any = NOW,
) -> list[str]:
    _, actions = step(run, observe(a_set, tuple(instances), a_policy, now))
    return [one.instance for one in actions if isinstance(one, Start)]


def test_nothing_starts_before_somebody_approves_and_then_the_first_batch_does():
    run = planned(a_policy=ASK)
    assert run.state is RunState.AWAITING_APPROVAL
    assert run.needs_person
    (ask,) = [one for one in run.story.notices if one.kind is Kind.APPROVAL]
    assert ask.answers == ("approve", "skip")
    assert "If nobody answers by" in ask.otherwise
    assert starts(run, fleet()) == []
    run = approved(run)
    assert run.state is RunState.SCHEDULED
    assert (run.people.approved, approval.wanted(run)) == (run.people.checksum, False)
    assert starts(run, fleet()) == ["0", "5"]


def test_an_approval_of_another_plan_is_not_applied_and_says_so():
    run = approved(planned(a_policy=ASK), checksum="0123456789abcdef")
    assert run.state is RunState.AWAITING_APPROVAL
    assert not any(one.approved for one in run.instances)
    assert run.story.history[-1].event == "approve"
    assert run.story.history[-1].reason.startswith("Not applied: The plan has changed since you saw it")
    assert f"The plan is {run.people.checksum} now: look at it" in run.story.history[-1].reason
    assert starts(run, fleet()) == []


def test_an_approval_that_names_no_plan_approves_none_and_says_which_plan_there_is():
    run = approved(planned(a_policy=ASK), checksum="")
    assert run.state is RunState.AWAITING_APPROVAL
    assert not any(one.approved for one in run.instances)
    assert (
        f"names the plan it is for, in `checksum`. The plan is {run.people.checksum} now"
        in run.story.history[-1].reason
    )


def test_times_and_forecasts_do_not_void_an_approval():
    run = approved(planned(a_policy=ASK))
    later = planned_again(run, a_policy=ASK, now=NOW + 3 * HOUR)
    assert later.state is RunState.SCHEDULED
    assert later.people.approved == later.people.checksum == run.people.checksum


def test_instances_that_leave_do_not_void_an_approval():
    run = approved(planned(a_policy=ASK))
    rest = without(fleet(), "0", "7")
    again = planned_again(run, instances=rest, a_policy=ASK)
    assert again.state is RunState.SCHEDULED, "one listing without them proves nothing"
    for minute in (1, 2):
        now = NOW + minute * MINUTE
        again = planned_again(again, instances=rest, a_policy=ASK, now=now, absent=("0", "7"))
    assert again.state is RunState.SCHEDULED
    assert not approval.wanted(again)
    assert starts(again, rest, now=NOW + 2 * MINUTE) == ["5"]


def test_instances_that_lose_their_status_do_not_void_an_approval():
    run = approved(planned(a_policy=ASK))
    rest = changed(fleet(), "3", maintenance=None)
    again = planned_again(run, instances=rest, a_policy=ASK)
    assert again.state is RunState.SCHEDULED, "one poll without it proves nothing"
    again = planned_again(again, instances=rest, a_policy=ASK, now=NOW + MINUTE)
    assert states(again)["3"] is InstanceState.CANCELLED
    assert again.state is RunState.SCHEDULED
    assert approval.holds_up(again) is False


def test_instances_that_join_wait_for_their_own_while_the_approved_ones_go_on():
    run = approved(planned(a_policy=ASK))
    more = (*fleet(), instance("10", 0), instance("11", 1))
    again = planned_again(run, instances=more, a_policy=ASK)
    assert again.state is RunState.SCHEDULED
    assert {one.id for one in again.instances if not one.approved} == {"10", "11"}
    assert approval.wanted(again)
    assert again.people.approved == ""
    assert [one.kind for one in again.story.notices][-1] is Kind.APPROVAL
    assert starts(again, more) == ["0", "5"]
    done = approved(again, NOW + MINUTE)
    assert all(one.approved for one in done.instances)


def test_only_those_who_wait_for_approval_are_left_then_the_run_waits_for_it():
    run = approved(planned(instances=fleet(1), a_policy=ASK))
    two = (instance("0", 0), instance("1", 1))
    run = planned_again(run, instances=two, a_policy=ASK)
    run = replace(
        run,
        batches=tuple(
            replace(
                one,
                instances=tuple(
                    replace(each, state=InstanceState.SKIPPED, reason="Skipped.") if each.id == "0" else each
                    for each in one.instances
                ),
            )
            for one in run.batches
        ),
    )
    run, actions = step(run, observe(instances=two, a_policy=ASK))
    assert run.state is RunState.AWAITING_APPROVAL
    assert not [one for one in actions if isinstance(one, Start)]


@pytest.mark.parametrize(
    "said_",
    [
        {"soak": "45m"},
        {"max_unavailable": "1"},
        {"windows": "daily 02:00-06:00 UTC"},
        {"complete_by": "2026-12-01"},
        {"health": "required"},
        {"recover_within": "2h"},
        {"accept": "local-state"},
        {"after": "db"},
    ],
)
def test_changed_rules_void_an_approval_and_ask_again(said_: dict[str, str]):
    run = approved(planned(a_policy=ASK))
    other = always(mode="approve", **said_)
    again = planned_again(run, a_policy=other)
    assert again.state is RunState.AWAITING_APPROVAL
    assert again.people.checksum != run.people.checksum
    assert not any(one.approved for one in again.instances)
    assert starts(again, fleet(), other) == []
    assert sum(one.kind is Kind.APPROVAL for one in again.story.notices) == 2


def test_a_changed_order_voids_an_approval():
    run = approved(planned(a_policy=ASK))
    moved = tuple(replace(one, update_domain=4 - (one.update_domain or 0)) for one in fleet())
    again = planned_again(run, instances=moved, a_policy=ASK)
    assert again.state is RunState.AWAITING_APPROVAL
    assert not any(one.approved for one in again.instances)


def test_rules_that_changed_and_came_back_want_a_new_approval():
    run = approved(planned(a_policy=ASK))
    run = planned_again(run, a_policy=always(mode="approve", soak="45m"))
    back = planned_again(run, a_policy=ASK)
    assert back.state is RunState.AWAITING_APPROVAL
    assert starts(back, fleet()) == []


def test_a_plan_that_was_left_to_azure_meanwhile_wants_a_new_approval():
    """People were told that Azure does it; what is started later has to be told, and approved, anew."""
    run = approved(planned(a_policy=ASK))
    left = planned_again(run, scale_set(scheduled_events=True), a_policy=ASK, now=NOW + HOUR)
    assert left.state is RunState.LEFT_TO_AZURE
    back = planned_again(left, a_policy=ASK, now=NOW + DAY)
    assert back.state is RunState.AWAITING_APPROVAL
    assert starts(back, fleet(), now=NOW + DAY) == []


def test_a_raise_is_a_change_of_the_rules_and_wants_a_new_approval():
    run = approved(planned(a_policy=ASK))
    word = command(CommandKind.RAISE, raised={"soak": "10m"})
    run, _ = step(run, observe(a_policy=ASK), word)
    again = planned_again(run, a_policy=ASK)
    assert again.state is RunState.AWAITING_APPROVAL


def test_mode_auto_needs_nobody():
    run = planned()
    assert not approval.wanted(run)
    assert starts(run, fleet(), always()) == ["0", "5"]
    asked = planned_again(run, a_policy=ASK)
    assert asked.state is RunState.AWAITING_APPROVAL
    freed = planned_again(asked, a_policy=always())
    assert freed.state is RunState.SCHEDULED


def test_what_is_tried_again_after_a_refusal_of_azures_is_still_approved_through_a_new_plan():
    run = approved(planned(a_policy=ASK))
    aside = tuple(
        replace(one, instances=tuple(each for each in one.instances if each.id != "0")) for one in run.batches
    )
    first = replace(one_of(run, "0"), state=InstanceState.ASIDE, retries=1, retry_at=NOW + HOUR)
    own = replace(run.batches[0], number=6, domain="instance 0, again", instances=(first,), retry=True)
    run = replace(run, batches=(*aside, own))
    more = (*fleet(), instance("10", 4))
    again = planned_again(run, instances=more, a_policy=ASK)
    assert {one.id for one in again.instances if not one.approved} == {"10"}


# Records of the version before, which knew only the checksum of the approved plan ------------------------


def before(run: Run) -> Run:
    """The run as the earlier version wrote it: approved by its checksum, no instance marked."""
    plain = tuple(
        replace(one, instances=tuple(replace(each, approved=False) for each in one.instances))
        for one in run.batches
    )
    return replace(run, batches=plain, people=replace(run.people, approved=run.people.checksum))


def test_an_approval_of_the_earlier_version_still_counts():
    run = before(approved(planned(a_policy=ASK)))
    assert not approval.wanted(run)
    assert starts(run, fleet()) == ["0", "5"]
    again = planned_again(run, a_policy=ASK, now=NOW + HOUR)
    assert not approval.wanted(again)


def test_an_approval_of_the_earlier_version_covers_nobody_who_joins():
    run = before(approved(planned(a_policy=ASK)))
    more = (*fleet(), instance("10", 0))
    again = planned_again(run, instances=more, a_policy=ASK)
    assert {one.id for one in again.instances if not one.approved} == {"10"}
    assert starts(again, more) == ["0", "5"]


def test_an_approval_of_the_earlier_version_for_another_plan_counts_for_nothing():
    run = altered(before(approved(planned(a_policy=ASK))), approved="0123456789abcdef")
    assert approval.wanted(run)
    assert starts(run, fleet()) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 9), max_size=8, unique=True),
    st.lists(st.integers(10, 20), max_size=4, unique=True),
    st.integers(0, 4),
)
def test_whoever_leaves_or_joins_exactly_those_who_were_approved_and_stay_are_approved(
    leaving: list[int], joining: list[int], domain: int
):
    run = approved(planned(a_policy=ASK))
    rest = without(fleet(), *map(str, leaving))
    instances = (*rest, *(instance(str(one), domain) for one in joining))
    left = tuple(map(str, leaving))
    again = planned_again(run, instances=instances, a_policy=ASK, now=NOW + MINUTE, absent=left)
    again = planned_again(again, instances=instances, a_policy=ASK, now=NOW + 2 * MINUTE, absent=left)
    waiting = {key for key, state in states(again).items() if state is InstanceState.PENDING}
    assert waiting == {one.id for one in instances}
    assert {one.id for one in again.instances if one.approved and one.id in waiting} == {
        one.id for one in rest
    }
    assert approval.wanted(again) is bool(joining)
    assert approval.holds_up(again) is (bool(joining) and not rest)
    assert set(starts(again, instances, now=NOW + 2 * MINUTE)) <= {one.id for one in rest}
    if rest:
        assert again.state is RunState.SCHEDULED
        assert starts(again, instances, now=NOW + 2 * MINUTE)


def test_where_nothing_is_approved_and_nothing_was_the_batches_stay_the_same_objects():
    run = planned(instances=fleet(6), a_policy=always())
    batches, checksum = approval.kept(run, run.batches, same_rules=True, checksum=run.people.checksum)
    assert checksum == ""
    assert len(batches) > 1
    assert all(new is old for new, old in zip(batches, run.batches, strict=True))
