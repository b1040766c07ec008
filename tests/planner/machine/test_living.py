"""Living through a wave, one sentence at a time: a run keeps its story, its questions and its word."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.azure.fleet import Interval
from planner.azure.wave import Stage
from planner.record.action import StartOutcome, StartResult
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.start import repairs
from tests.planner.protocol import NOW, POLL_INTERVAL, Protocol, policy
from tests.planner.small_azure import Ending, SmallAzure

H, M, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)


def living(count: int = 2, *, domains: int = 2, hours: float = 480, **values: str) -> Protocol:
    """A planned run of a Uniform set whose window has been open for an hour."""
    azure = SmallAzure(
        flexible=False, zones=0, domains=domains, count=count, window=Interval(NOW - H, NOW + hours * H)
    )
    written = {key.replace("_", "-"): value for key, value in values.items()}
    world = Protocol(azure, policy({"lead": "0m", **written}))
    world.plan()
    return world


def run_of(world: Protocol) -> Run:
    assert world.run is not None
    assert world.findings == []
    return world.run


def due(world: Protocol) -> Run:
    """The poll that is due."""
    world.now = max(world.now, run_of(world).due)
    world.poll()
    return run_of(world)


def states(run: Run) -> dict[str, str]:
    return {one.id: str(one.state) for one in run.instances}


def test_what_azure_has_done_keeps_its_story_when_a_new_plan_is_made_just_then() -> None:
    world = living(1, self_service="never")
    first = world.azure.machines["0"]
    world.now = world.azure.scheduled.start
    world.poll()
    began = world.now
    world.azure.down(first)
    world.poll()
    world.now += 25 * M
    world.azure.up(first)
    world.azure.maintained(first)
    world.plan()
    world.poll()
    due(world)

    one = run_of(world).instances[0]
    assert one.state is InstanceState.BY_AZURE
    assert one.down_at == began
    assert "down from" in one.reason
    assert "25 minutes" in one.reason


def test_a_wave_that_is_over_is_followed_until_what_azure_took_down_serves_again() -> None:
    world = living(1, self_service="never")
    first = world.azure.machines["0"]
    world.now = world.azure.scheduled.start
    world.azure.down(first)
    world.poll()
    first.become(maintenance=None)
    world.say(Stage.COMPLETE)
    assert run_of(world).ended_at is None
    assert states(run_of(world)) == {"0": "pending"}
    world.now += 20 * M
    world.azure.up(first)
    due(world)
    due(world)

    run = run_of(world)
    assert states(run) == {"0": "by_azure"}
    assert "Azure rebooted 1 instance" in run.reason
    world.plan()
    assert run_of(world).ended_at is not None


def test_a_plan_that_waits_for_approval_after_its_pause_asks_for_it() -> None:
    world = living(2, hours=6, mode="approve", complete_by="2026-11-23T08:05:00Z")
    assert run_of(world).state is RunState.PAUSED
    world.poll([world.event("resume")])

    run = run_of(world)
    assert run.state is RunState.AWAITING_APPROVAL
    assert [one.kind for one in run.story.notices if one.kind is Kind.APPROVAL] == [Kind.APPROVAL]
    assert run.story.notices[-1].answers == ("approve", "skip")
    world.poll([world.event("hold")])
    world.poll([world.event("resume")])
    assert run_of(world).state is RunState.AWAITING_APPROVAL
    assert sum(one.kind is Kind.APPROVAL for one in run_of(world).story.notices) == 1


def test_a_paused_run_keeps_the_reason_it_was_paused_for_while_it_waits_to_be_planned_again() -> None:
    world = living()
    world.poll([world.event("hold")])
    why = run_of(world).reason
    world.azure.grow(in_wave=True)
    world.poll()
    assert run_of(world).reason == why
    world.now += 10 * M
    world.poll()
    assert set(states(run_of(world))) == {"0", "1", "2"}
    assert run_of(world).state is RunState.PAUSED
    assert run_of(world).reason == why


def test_what_a_person_holds_stays_held_whatever_the_plans_say() -> None:
    world = living()
    world.poll([world.event("hold")])
    world.policy = policy({"lead": "0m", "complete-by": "2026-11-23T08:05:00Z"})
    world.plan()
    world.policy = policy({"lead": "0m"})
    world.plan()
    assert run_of(world).state is RunState.PAUSED
    world.policy = policy({"lead": "0m", "self-service": "never"})
    world.plan()
    assert run_of(world).state is RunState.LEFT_TO_AZURE
    world.policy = policy({"lead": "0m"})
    world.plan()
    run = run_of(world)
    assert run.state is RunState.PAUSED
    assert run.reason.startswith("Held by ana")
    world.poll([world.event("resume")])
    assert due(world).state is RunState.RUNNING


def test_a_raise_that_came_after_the_wave_was_called_off_keeps_no_run_alive() -> None:
    world = living()
    world.azure.called_off()
    world.say(Stage.CANCELED)
    world.poll([world.event("raise", raised={"soak": "1m"})])
    for _ in range(3):
        if run_of(world).state is not RunState.CANCELLED:
            due(world)
    assert run_of(world).state is RunState.CANCELLED


def test_an_instance_with_a_longer_window_than_the_others_is_planned_anew_when_theirs_is_over() -> None:
    world = living(2, hours=2, domains=1, complete_by="2026-12-24")
    longer = Interval(NOW - H, NOW + 30 * H)
    second = world.azure.machines["1"]
    assert second.seen.maintenance is not None
    second.become(maintenance=replace(second.seen.maintenance, self_service=longer))
    world.limit = "5 scale sets are in flight."
    world.plan()
    assert run_of(world).times.self_service == Interval(NOW - H, NOW + 2 * H)
    polls = 0
    while world.now < NOW + 3 * H:
        due(world)
        polls += 1
    world.limit = ""
    assert polls < 150
    assert run_of(world).times.self_service == longer
    assert states(run_of(world)) == {"0": "missed", "1": "pending"}
    due(world)
    assert world.starts[-1][1] == "1"


def test_a_run_that_resumes_automatic_repairs_is_polled_soon_whatever_else_it_waits_for() -> None:
    world = living(2, soak="8h")
    object.__setattr__(world.azure.scale_set, "automatic_repairs", True)
    while not world.starts:
        due(world)
    world.azure.end(world.azure.machines["0"], "cleared")
    world.azure.up(world.azure.machines["0"])
    for _ in range(2):
        due(world)
    run = run_of(world)
    assert run.repairs is not None
    assert run.repairs.resuming_since == world.now
    assert run.due == world.now + POLL_INTERVAL
    run = due(world)
    assert run.repairs is None
    assert run.due > world.now + 3 * H


def with_repairs(world: Protocol) -> Protocol:
    object.__setattr__(world.azure.scale_set, "automatic_repairs", True)
    return world


def test_repairs_that_somebody_suspends_after_azure_refused_us_are_left_alone() -> None:
    world = with_repairs(living())
    world.repairs_obey = False
    due(world)
    assert run_of(world).repairs is not None
    world.repairs_run, world.repairs_obey = False, True
    run = due(world)
    assert run.repairs is None
    assert "automatic repairs left alone" in [one.event for one in run.story.history]
    while run_of(world).state is not RunState.COMPLETED:
        for machine in world.azure.machines.values():
            if machine.operation:
                world.azure.end(machine, "cleared")
                world.azure.up(machine)
        due(world)
    assert not world.repairs_run


def test_repairs_that_azure_does_not_let_us_suspend_ask_a_person_and_promise_no_resuming() -> None:
    world = with_repairs(living())
    world.repairs_obey = False
    due(world)
    run = due(world)
    assert run.state is RunState.PAUSED
    assert "cannot be suspended: Azure refused it." in run.reason
    assert "are resumed" not in run.reason
    assert world.starts == []
    assert due(world).repairs is None


def test_a_paused_run_that_only_waits_for_its_repairs_keeps_its_reason() -> None:
    world = with_repairs(living(2))
    while not world.starts:
        due(world)
    world.poll([world.event("hold")])
    why = run_of(world).reason
    world.repairs_obey = False
    world.azure.machines.clear()
    world.poll([world.event("skip")])
    due(world)
    assert all(one.state is InstanceState.SKIPPED for one in run_of(world).instances)
    assert run_of(world).state is RunState.PAUSED
    assert run_of(world).reason == why
    world.repairs_obey = True
    for _ in range(repairs.PATIENT_POLLS + 2):
        due(world)
    assert run_of(world).state is RunState.COMPLETED


@pytest.mark.parametrize("how", ["lingers allowed", "lingers done"])
def test_what_somebody_else_has_maintained_is_not_started_though_azure_still_shows_it(how: Ending) -> None:
    world = living(2)
    other = world.azure.machines["1"]
    world.azure.down(other)
    world.poll()
    world.azure.up(other)
    world.azure.maintained(other, how)
    while run_of(world).state is not RunState.COMPLETED:
        for machine in world.azure.machines.values():
            if machine.operation:
                world.azure.end(machine, "cleared")
                world.azure.up(machine)
        due(world)
    assert states(run_of(world)) == {"0": "maintained", "1": "by_azure"}
    assert [name for _, name in world.starts] == ["0"]
    ended = run_of(world).ended_at
    world.say(Stage.IN_PROGRESS)
    assert run_of(world).ended_at == ended
    window = Interval(world.now, world.now + DAY)
    other.become(maintenance=replace(world.azure.status(), self_service=window))
    world.say(Stage.IN_PROGRESS)
    assert states(run_of(world)) == {"1": "pending"}


def test_what_azure_has_done_and_still_shows_keeps_its_story_at_every_plan() -> None:
    world = living(1, self_service="never")
    first = world.azure.machines["0"]
    world.now = world.azure.scheduled.start
    world.azure.down(first)
    world.poll()
    world.now += 25 * M
    world.azure.up(first)
    world.azure.maintained(first, "lingers done")
    world.poll()
    assert "25 minutes" in run_of(world).instances[0].reason
    for _ in range(3):
        world.now += 6 * H
        world.plan()
        assert "25 minutes" in run_of(world).instances[0].reason
        assert "Azure rebooted 1 instance" in run_of(world).reason


def test_two_polls_at_one_moment_start_nothing_twice() -> None:
    world = living(4, domains=1, max_unavailable="2")
    said = {
        "0": StartResult("0", StartOutcome.WITHDRAWN, message="Too late."),
        "1": StartResult("1", StartOutcome.LOST, code="never arrived", message="The connection broke."),
    }
    world.poll(answer=said.pop)
    world.poll()
    run_of(world)
    assert [name for _, name in world.starts] == ["0", "1", "0"]


@pytest.mark.parametrize("sick", [False, True])
def test_what_azure_never_offers_in_its_longer_window_is_not_planned_again_and_again(sick: bool) -> None:
    world = living(2, hours=2, domains=1)
    second = world.azure.machines["1"]
    longer = Interval(NOW - H, NOW + 600 * H)
    second.become(maintenance=replace(world.azure.status(), self_service=longer, allowed=False))
    world.plan()
    world.poll()
    world.azure.end(world.azure.machines["0"], "fails" if sick else "cleared")
    world.azure.up(world.azure.machines["0"])
    world.poll([world.event("hold")])
    polls = 0
    while world.now < NOW + 100 * H and run_of(world).state in ACTIVE:
        due(world)
        polls += 1
    assert run_of(world).times.self_service == longer
    assert polls < 150
    assert run_of(world).state is (RunState.PAUSED if sick else RunState.LEFT_TO_AZURE)
    assert run_of(world).planned_at < NOW + 3 * H


def _paused_and_left_to_azure() -> Protocol:
    """What was started stays down; the policy leaves the rest to Azure; an instance nobody planned joins."""
    world = living()
    world.poll()
    world.azure.end(world.azure.machines["0"], "cleared")
    world.azure.machines["0"].become(power="stopping")
    world.now += 70 * M
    world.poll()
    assert run_of(world).state is RunState.PAUSED
    world.policy = policy({"lead": "0m", "self-service": "never"})
    world.azure.grow(in_wave=True)
    return world


def test_a_plan_that_changes_nothing_is_asked_for_as_seldom_as_an_answer_of_the_day() -> None:
    world = _paused_and_left_to_azure()
    plans: list[timedelta] = []
    began = world.now
    while world.now < began + DAY:
        before = run_of(world).planned_at
        due(world)
        if run_of(world).planned_at != before:
            plans.append(run_of(world).planned_at - before)
    assert states(run_of(world)) == {"0": "failed", "1": "pending"}
    assert plans[1] < plans[2] < plans[3]
    assert [round(one / H, 1) for one in plans[2:]] == [1.0, 6.0, 6.0, 6.0]


def test_a_plan_is_made_soon_once_what_was_started_is_settled() -> None:
    world = _paused_and_left_to_azure()
    began = world.now
    while world.now < began + 9 * H:
        due(world)
    assert run_of(world).fruitless_plans > 2
    world.poll([world.event("skip", instances=("0",))])
    asked = world.now
    while run_of(world).state is RunState.PAUSED and world.now < asked + DAY:
        due(world)
    assert run_of(world).state is RunState.LEFT_TO_AZURE
    assert set(states(run_of(world))) == {"0", "1", "2"}
    assert world.now - asked <= 5 * M
