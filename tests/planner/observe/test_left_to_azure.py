"""What is left to Azure, followed to its end: order, how long, healthy afterwards, deleted, never seen down."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.azure.fleet import Health
from planner.machine import ending
from planner.observe import left_to_azure
from planner.record.action import Notify, PollAgain, Replan, SetRepairs, Start
from planner.record.command import CommandKind
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SCHEDULED,
    STATUS,
    command,
    fleet,
    observe,
    one_of,
    planned,
    planned_again,
    policy,
    states,
    step,
)

AT = SCHEDULED.start
NO_NEED = policy()
DONE = {"maintenance": None}
DOWN = {"power": "starting", "provisioning": "updating"}
ILL = {"maintenance": None, "health": Health.UNHEALTHY}


class Story:
    """A run left to Azure, looked at over Azure's window; changes are for good.

    `sees` is a poll and, a minute later, the one that confirms it: one answer is no proof.
    """

    def __init__(self, size: int = 3) -> None:
        self.instances = {one.id: one for one in fleet(size, size)}
        self.run: Run = planned(instances=fleet(size, size), a_policy=NO_NEED)
        self.run = replace(self.run, planned_at=AT - MINUTE, polls=5)
        assert self.run.state is RunState.LEFT_TO_AZURE
        self.actions: list[object] = []

    def poll(
        self, minute: float, changes: Mapping[str, Mapping[str, Any] | None] | None = None, **more: Any
    ) -> Run:
        for key, fields in (changes or {}).items():
            if fields is None:
                self.instances.pop(key, None)
            else:
                self.instances[key] = replace(self.instances[key], **fields)
        now = AT + minute * MINUTE
        more.setdefault("absent", {one.id for one in self.run.instances} - set(self.instances))
        observation = observe(None, tuple(self.instances.values()), NO_NEED, now, **more)
        self.run, actions = step(self.run, observation)
        self.actions += actions
        assert not any(isinstance(one, (Start, SetRepairs)) for one in actions)
        return self.run

    def sees(self, minute: float, changes: Mapping[str, Mapping[str, Any] | None], **more: Any) -> Run:
        self.poll(minute, changes, **more)
        return self.poll(minute + 1, **more)


UP = {"power": "running", "provisioning": "succeeded", "health": Health.HEALTHY, **DONE}


def test_nothing_is_followed_before_azures_window_opens():
    run = planned(a_policy=NO_NEED)
    assert not left_to_azure.to_follow(run, AT - MINUTE)
    assert left_to_azure.to_follow(run, AT)
    assert left_to_azure.due(run, AT - 2 * DAY) <= run.planned_at + 15 * MINUTE
    late = replace(run, planned_at=AT - HOUR, polls=9)
    assert left_to_azure.due(late, AT - HOUR) == AT


@pytest.mark.parametrize("status", [None, STATUS])
def test_an_answer_of_the_day_is_planned_again_after_15_minutes_an_hour_and_then_every_six_hours(status):
    """Not hit, or left to Azure: instances may join the wave later, and a need may be declared."""
    instances = fleet(maintenance=status)
    run = planned(instances=instances, a_policy=NO_NEED)
    for wait in (15 * MINUTE, HOUR, 6 * HOUR, 6 * HOUR, 6 * HOUR):
        at = run.planned_at + wait
        assert run.due == at
        early, actions = step(run, observe(None, instances, NO_NEED, at - MINUTE))
        assert not any(isinstance(one, Replan) for one in actions)
        assert early.due == at
        run, actions = step(run, observe(None, instances, NO_NEED, at))
        assert any(isinstance(one, Replan) for one in actions)
        run = planned_again(run, None, instances, NO_NEED, at)


def test_what_is_not_left_to_azure_is_not_followed():
    assert not left_to_azure.to_follow(planned(), AT + DAY)
    assert not left_to_azure.to_follow(planned(instances=fleet(maintenance=None)), AT + DAY)


def test_the_story_tells_when_in_what_order_and_how_long_and_is_told_once():
    story = Story()
    story.poll(0)
    story.poll(5, {"1": DOWN})
    story.sees(14, {"1": UP})
    story.poll(44, {"0": DOWN})
    story.sees(69, {"0": UP})
    story.poll(99, {"2": DOWN})
    assert story.run.state is RunState.LEFT_TO_AZURE
    assert not [one for one in story.run.story.notices if one.kind is Kind.COMPLETED]
    run = story.poll(110, {"2": UP})
    assert states(run)["2"] is InstanceState.PENDING, "one poll without its status proves nothing"
    run = story.poll(111)
    assert set(states(run).values()) == {InstanceState.BY_AZURE}
    assert run.reason == (
        "Azure is done with it: 3 by Azure. Azure rebooted 3 instances between Sun 13 Dec 2026 12:05 UTC and "
        "Sun 13 Dec 2026 13:50 UTC, in the order 1, 0, 2; each was down for 9 minutes to 25 minutes."
    )
    assert one_of(run, "0").reason == (
        "Rebooted by Azure: down from Sun 13 Dec 2026 12:44 UTC to Sun 13 Dec 2026 13:09 UTC (25 minutes), healthy "
        "afterwards."
    )
    (told,) = [one for one in run.story.notices if one.kind is Kind.COMPLETED]
    assert (told.urgency, told.sentence) == (Urgency.KNOW, run.reason)
    for minute in range(112, 120):
        run = story.poll(minute)
    assert len([one for one in run.story.notices if one.kind is Kind.COMPLETED]) == 1


def test_an_instance_never_seen_down_was_maintained_between_two_polls():
    story = Story(1)
    story.poll(0)
    run = story.sees(60, {"0": UP})
    assert one_of(run, "0").reason == "Rebooted by Azure between two polls, healthy afterwards."
    assert run.reason == "Azure is done with it: 1 by Azure."


def test_an_instance_that_is_down_is_not_over_although_its_status_is_gone():
    story = Story(1)
    run = story.sees(1, {"0": {**DOWN, **DONE}})
    assert states(run)["0"] is InstanceState.PENDING
    assert "Sun 13 Dec 2026 12:01 UTC" in one_of(run, "0").reason
    run = story.poll(7, {"0": UP})
    assert "(6 minutes)" in one_of(run, "0").reason


def test_an_instance_that_still_shows_its_status_is_not_over_although_it_came_back():
    story = Story(1)
    story.poll(1, {"0": DOWN})
    run = story.poll(9, {"0": {**UP, "maintenance": STATUS}})
    assert states(run)["0"] is InstanceState.PENDING
    run = story.sees(30, {"0": UP})
    assert states(run)["0"] is InstanceState.BY_AZURE
    assert "(8 minutes)" in one_of(run, "0").reason


def test_a_completed_result_ends_it_although_the_status_lingers():
    completed = replace(STATUS, allowed=False, result="MaintenanceCompleted")
    run = Story(1).poll(5, {"0": {"maintenance": completed}})
    assert states(run)["0"] is InstanceState.BY_AZURE
    offered = replace(STATUS, allowed=True, result="MaintenanceCompleted")
    assert states(Story(1).poll(5, {"0": {"maintenance": offered}}))["0"] is InstanceState.PENDING


def test_an_instance_that_does_not_serve_afterwards_is_waited_for_and_then_told_as_trouble():
    story = Story(2)
    story.poll(0, {"0": DOWN})
    story.sees(10, {"0": ILL | {"power": "running", "provisioning": "succeeded"}, "1": UP})
    run = story.poll(60)
    assert states(run)["0"] is InstanceState.PENDING
    run = story.poll(61)
    assert states(run)["0"] is InstanceState.BY_AZURE
    assert (
        "down since Sun 13 Dec 2026 12:00 UTC, still unhealthy 1 hour 1 minute later"
        in one_of(run, "0").reason
    )
    assert run.reason.endswith("Unhealthy afterwards: instance 0.")
    (trouble,) = [one for one in run.story.notices if one.kind is Kind.TROUBLE]
    assert trouble.urgency is Urgency.ACT
    assert [one.instance for one in trouble.down] == ["0"]


def test_one_that_never_went_down_before_our_eyes_and_does_not_serve_is_waited_for_from_there():
    story = Story(1)
    run = story.sees(19, {"0": ILL})
    assert states(run)["0"] is InstanceState.PENDING
    assert "Unhealthy since Sun 13 Dec 2026 12:20 UTC (running, unhealthy)" in one_of(run, "0").reason
    assert states(story.poll(80))["0"] is InstanceState.PENDING
    assert states(story.poll(81))["0"] is InstanceState.BY_AZURE


def test_a_short_recover_within_still_gives_azure_half_an_hour():
    story = Story(1)
    story.run = replace(story.run, terms=replace(story.run.terms, recover_within=MINUTE))
    story.sees(0, {"0": {**DOWN, **DONE}})
    assert states(story.poll(30))["0"] is InstanceState.PENDING
    assert states(story.poll(31))["0"] is InstanceState.BY_AZURE


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
def test_what_somebody_switched_off_is_skipped_once_its_status_is_gone(power: str):
    story = Story(1)
    run = story.poll(5, {"0": {"power": power}})
    assert states(run)["0"] is InstanceState.PENDING
    run = story.sees(9, {"0": DONE})
    assert (states(run)["0"], one_of(run, "0").reason) == (InstanceState.SKIPPED, f"It is {power}.")


def test_a_deleted_instance_and_a_deleted_scale_set_are_skipped_each_in_its_words():
    story = Story(2)
    run = story.poll(5, {"0": None}, absent=())
    run = story.poll(6, absent=())
    assert states(run)["0"] is InstanceState.PENDING, "two listings without it and no direct read"
    run = story.poll(7)
    assert states(run)["0"] is InstanceState.PENDING, "one direct read that does not find it"
    run = story.poll(8)
    assert one_of(run, "0").reason == "The instance was deleted."
    run = story.poll(9, {"1": None}, deleted=True)
    assert states(run)["1"] is InstanceState.PENDING, "one 404 proves nothing"
    run = story.poll(10, deleted=True)
    assert one_of(run, "1").reason == "The scale set was deleted."
    assert "Azure is done with it: 2 skipped" in run.reason


def test_polls_are_soon_while_something_is_down_and_seldom_otherwise():
    story = Story(2)
    story.poll(0)
    assert story.actions[-1] == PollAgain(AT + 5 * MINUTE)
    story.poll(5, {"0": DOWN})
    assert story.actions[-1] == PollAgain(AT + 6 * MINUTE)
    story.poll(15, {"0": UP})
    assert story.actions[-1] == PollAgain(AT + 16 * MINUTE), "to confirm it"
    story.poll(16)
    assert story.actions[-1] == PollAgain(AT + 21 * MINUTE)


def test_it_is_planned_again_in_between_and_keeps_what_was_seen():
    story = Story(2)
    story.poll(0, {"0": DOWN})
    story.sees(9, {"0": UP})
    story.run = replace(story.run, planned_at=AT - DAY)
    story.poll(20)
    assert any(isinstance(one, Replan) for one in story.actions)
    now = AT + 21 * MINUTE
    run = planned_again(story.run, None, tuple(story.instances.values()), NO_NEED, now)
    assert run.state is RunState.LEFT_TO_AZURE
    assert states(run)["0"] is InstanceState.BY_AZURE
    assert "(9 minutes)" in one_of(run, "0").reason
    story.run = run
    story.poll(30, {"1": DOWN})
    run = story.sees(42, {"1": UP})
    assert "in the order 0, 1; each was down for 9 minutes to 12 minutes" in run.reason


def test_a_new_plan_in_between_does_not_take_an_instance_that_is_still_down_for_done():
    story = Story(2)
    story.poll(0, {"0": {**DOWN, **DONE}})
    story.run = planned_again(story.run, None, tuple(story.instances.values()), NO_NEED, AT + MINUTE)
    assert states(story.run)["0"] is InstanceState.PENDING
    run = story.sees(9, {"0": UP, "1": UP})
    assert (
        "down from Sun 13 Dec 2026 12:00 UTC to Sun 13 Dec 2026 12:09 UTC (9 minutes)"
        in one_of(run, "0").reason
    )
    assert "healthy afterwards" in one_of(run, "1").reason


def test_a_new_plan_that_sees_the_last_status_gone_still_tells_how_it_ended():
    story = Story(1)
    story.poll(0, {"0": DOWN})
    story.poll(9, {"0": {**UP, "maintenance": STATUS}})
    story.instances["0"] = replace(story.instances["0"], maintenance=None)
    run = planned_again(story.run, None, tuple(story.instances.values()), NO_NEED, AT + 15 * MINUTE)
    story.run = run
    story.poll(16)
    run = story.poll(17)
    assert "(9 minutes)" in run.reason + one_of(run, "0").reason
    assert "healthy afterwards" in one_of(run, "0").reason
    assert [one.kind for one in run.story.notices if one.kind is Kind.COMPLETED]


def test_a_wave_that_is_over_while_the_last_instance_is_down_ends_when_that_is_told():
    story = Story(1)
    story.sees(0, {"0": {**DOWN, **DONE}})
    story.run = ending.closed(story.run, AT + MINUTE)
    assert story.run.ended_at is None
    story.sees(9, {"0": UP})
    ended = ending.closed(story.run, AT + 10 * MINUTE)
    assert ended.ended_at == AT + 10 * MINUTE
    assert states(ended)["0"] is InstanceState.BY_AZURE
    assert [one.kind for one in ended.story.notices if one.kind is Kind.COMPLETED]


def test_the_story_of_one_instance_reads_like_one():
    story = Story(1)
    story.poll(0, {"0": DOWN})
    assert story.sees(9, {"0": UP}).reason == (
        "Azure is done with it: 1 by Azure. Azure rebooted 1 instance between Sun 13 Dec 2026 12:00 UTC and "
        "Sun 13 Dec 2026 12:09 UTC; it was down for 9 minutes."
    )


def test_a_cancelled_wave_ends_what_azure_has_not_done_as_cancelled():
    story = Story(2)
    story.poll(0, {"0": DOWN})
    story.sees(9, {"0": UP})
    ended = ending.closed(story.run, AT + HOUR, cancelled=True)
    assert states(ended) == {"0": InstanceState.BY_AZURE, "1": InstanceState.CANCELLED}
    assert ended.ended_at == AT + HOUR
    assert ended.reason == (
        "The wave was cancelled: 1 by Azure, 1 cancelled. Azure rebooted 1 instance between Sun 13 Dec 2026 12:00 UTC "
        "and Sun 13 Dec 2026 12:09 UTC; it was down for 9 minutes."
    )


def test_what_an_earlier_run_left_down_is_named_as_trouble_although_azure_did_all_well():
    story = Story(1)
    story.instances["7"] = replace(story.instances["0"], **{**UP, "power": "stopped"}, id="7")
    story.run = replace(story.run, fleet=replace(story.run.fleet, left_down=("7",), served=("0", "7")))
    story.poll(0, {"0": DOWN})
    run = story.sees(9, {"0": UP})
    assert "Instance 7 has been unhealthy since an earlier reboot by Breakwater." in run.reason
    assert (run.story.notices[-1].kind, run.story.notices[-1].urgency) == (Kind.TROUBLE, Urgency.ACT)


def test_words_to_what_is_left_to_azure_come_too_late_and_stop_no_following():
    story = Story(1)
    story.run, _ = step(story.run, observe(None, fleet(1), NO_NEED, AT), command(CommandKind.HOLD, at=AT))
    assert story.run.state is RunState.LEFT_TO_AZURE
    assert states(story.sees(5, {"0": UP}))["0"] is InstanceState.BY_AZURE


def test_everything_that_happens_to_an_instance_is_a_line_of_history_by_azure():
    story = Story(2)
    story.poll(0, {"0": DOWN})
    run = story.sees(9, {"0": UP})
    lines = [one for one in run.story.history if one.what == "instance 0 by Azure"]
    assert [(one.actor, one.at) for one in lines] == [("azure", AT + 10 * MINUTE)]


shapes = st.sampled_from(
    [
        {},
        DOWN,
        UP,
        DONE,
        ILL,
        {"power": "stopped"},
        {"power": "running"},
        {"provisioning": "failed"},
        {"health": Health.NOT_REPORTED},
        {"maintenance": STATUS},
        None,
    ]
)


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 90), st.dictionaries(st.sampled_from("012"), shapes, max_size=2)),
        max_size=14,
    )
)
def test_whatever_azure_does_nothing_is_started_settled_stays_settled_and_the_end_is_told_once(
    polls: list[tuple[int, dict[str, dict[str, Any] | None]]],
):
    story, minute = Story(), 0.0
    settled: dict[str, tuple[InstanceState, str]] = {}
    for after, changes in polls:
        minute += after
        story.run = replace(story.run, planned_at=AT + (minute - 1) * MINUTE)
        run = story.poll(minute, {key: fields for key, fields in changes.items() if key in story.instances})
        assert run.state is RunState.LEFT_TO_AZURE
        for one in run.instances:
            if one.id in settled:
                assert (one.state, one.reason) == settled[one.id]
            elif one.finished_at is not None:
                assert one.reason
                settled[one.id] = (one.state, one.reason)
            if one.up_at is not None:
                assert one.down_at is not None
                assert one.down_at <= one.up_at
        told = [one for one in run.story.notices if one.kind in {Kind.COMPLETED, Kind.TROUBLE}]
        assert len(told) == (1 if len(settled) == 3 else 0)
    assert isinstance(story.actions[-1] if story.actions else PollAgain(NOW), PollAgain)
    assert sum(isinstance(one, Notify) for one in story.actions) == (1 if len(settled) == 3 else 0)
