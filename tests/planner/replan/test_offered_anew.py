"""Another window on what we maintained is a new matter: planned again with evidence, else a person is asked."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.azure.fleet import Instance, Interval
from planner.azure.usage import Habits
from planner.azure.wave import Stage
from planner.observe.outstanding import finished, offered_anew
from planner.record.action import Replan, Start
from planner.record.command import CommandKind
from planner.record.instance import Before
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SELF_SERVICE,
    STATUS,
    announcement,
    command,
    decided,
    fleet,
    instance,
    observe,
    one_of,
    planned,
    planned_again,
    scale_set,
    states,
    step,
    wave,
)

NEW = replace(STATUS, self_service=Interval(NOW - HOUR, NOW + 30 * DAY))
AGAIN = fleet(2, 2, maintenance=NEW)


def maintained() -> Run:
    """A running run: instance 0 was maintained at noon, instance 1 is still to come."""
    run = planned(instances=fleet(2, 2))
    first = replace(
        run.batches[0].instances[0],
        state=InstanceState.MAINTAINED,
        reason="Maintained.",
        before=Before(True, "None", SELF_SERVICE, True),
        finished_at=NOW,
        begun=True,
    )
    done = replace(run.batches[0], instances=(first,), state=BatchState.DONE, started_at=NOW, finished_at=NOW)
    return replace(run, batches=(done, *run.batches[1:]), state=RunState.RUNNING)


def starts(run: Run, instances: tuple[Instance, ...], now: datetime) -> list[str]:
    _, actions = step(run, observe(None, instances, now=now))
    return [one.instance for one in actions if isinstance(one, Start)]


def zero_alone() -> tuple[Instance, ...]:
    return (AGAIN[0], replace(AGAIN[1], maintenance=None))


def replanned(instances: tuple[Instance, ...] = AGAIN, **more: Any) -> Run:
    return planned_again(maintained(), instances=instances, now=NOW + DAY, **more)


def test_another_window_on_what_we_maintained_asks_for_a_plan_and_starts_nothing_by_itself():
    _, actions = step(maintained(), observe(None, AGAIN, now=NOW + 10 * MINUTE))
    assert any(isinstance(one, Replan) for one in actions)
    assert not any(isinstance(one, Start) for one in actions)


def test_the_last_poll_of_a_run_does_not_end_it_while_something_is_offered_anew():
    run = maintained()
    run = replace(run, batches=run.batches[:1])
    run, actions = step(run, observe(None, AGAIN[:1], now=NOW + 10 * MINUTE))
    assert run.state is RunState.RUNNING
    assert any(isinstance(one, Replan) for one in actions)


def test_without_evidence_it_waits_for_a_persons_approval_and_everything_else_goes_on():
    run = replanned()
    assert one_of(run, "0").asks
    assert states(run)["0"] is InstanceState.PENDING
    assert starts(run, AGAIN, NOW + DAY) == ["1"]


def test_a_person_is_asked_and_only_the_approval_starts_it():
    run = replanned(zero_alone())
    asked, _ = step(run, observe(None, zero_alone(), now=NOW + DAY))
    asked, _ = step(asked, observe(None, zero_alone(), now=NOW + DAY + MINUTE))
    assert asked.state is RunState.AWAITING_APPROVAL
    assert asked.story.notices[-1].answers == ("approve", "skip")
    assert starts(asked, zero_alone(), NOW + DAY + 2 * MINUTE) == []
    observation = observe(None, zero_alone(), now=NOW + DAY + 2 * MINUTE)
    _, actions = step(
        asked, observation, command(CommandKind.APPROVE, at=NOW + DAY, checksum=asked.people.checksum)
    )
    assert [one.instance for one in actions if isinstance(one, Start)] == ["0"]


def test_with_evidence_of_a_stop_and_start_it_is_planned_again_and_nobody_is_asked():
    a_set = scale_set(habits=Habits(stopped={"0": NOW + HOUR}))
    run = planned_again(maintained(), a_set, AGAIN, now=NOW + DAY)
    assert not one_of(run, "0").asks
    assert "it was stopped and started since" in run.story.again


def test_with_a_wave_announced_anew_since_it_is_planned_again_and_nobody_is_asked():
    anew = wave(announcement(), announcement(Stage.RESCHEDULED, NOW + HOUR))
    run = replanned(waves=(anew,))
    assert not one_of(run, "0").asks
    assert "announced anew" in run.story.again


def test_the_same_window_or_one_that_is_not_allowed_is_no_new_offer():
    (progress,) = maintained().batches[0].instances
    assert not offered_anew(progress, instance("0"))
    assert not offered_anew(progress, instance("0", maintenance=replace(NEW, allowed=False)))
    assert offered_anew(progress, instance("0", maintenance=NEW))


def test_what_an_earlier_run_maintained_waits_for_approval_in_the_next_one_too():
    ended = replace(maintained(), state=RunState.COMPLETED, ended_at=NOW + HOUR)
    ended = replace(ended, batches=ended.batches[:1])
    run = planned(instances=AGAIN, now=NOW + DAY, former=ended)
    assert {one.id: one.asks for one in run.instances} == {"0": True, "1": False}


def test_allowed_in_an_open_window_is_due_whatever_an_earlier_result_code_says():
    earlier = fleet(2, 2, maintenance=replace(STATUS, result="MaintenanceCompleted"))
    assert not finished(earlier[0], None, None, NOW)
    run = planned(instances=earlier)
    assert run.state is RunState.SCHEDULED
    assert starts(run, earlier, NOW) == ["0"]


def test_completed_and_no_longer_allowed_in_its_window_is_done():
    done = instance("0", maintenance=replace(STATUS, allowed=False, result="MaintenanceCompleted"))
    assert finished(done, None, None, NOW)
    assert not finished(done, None, None, SELF_SERVICE.start - MINUTE), "it can only be an earlier wave's"
    assert decided(instances=(done,)).verdict is not None
