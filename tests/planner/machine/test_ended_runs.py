"""A run that is over is looked at every six hours while a wave of its is open, and opened with the reason."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import Instance, Interval, Unreadable
from planner.machine.advance import needs_azure
from planner.observe.outstanding import outstanding
from planner.record.action import PollAgain, Replan, Start
from planner.record.instance import Before
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.replan import reopening
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SELF_SERVICE,
    STATUS,
    always,
    changed,
    confirmed,
    decided,
    fleet,
    instance,
    observe,
    planned,
    policy,
    step,
)

OFF = fleet(3, 3, power="deallocated")
LATER = replace(STATUS, self_service=Interval(NOW, NOW + 30 * DAY))


def over(**more: Any) -> Run:
    """Every instance was off: each batch was skipped by two polls, and with the last one the run was over."""
    run = planned(instances=fleet(3, 3))
    for minute in range(6):
        run, _ = step(run, observe(instances=OFF, now=NOW + minute * MINUTE, **more))
    assert run.state is RunState.COMPLETED
    return run


def test_a_run_that_is_over_is_polled_every_six_hours_while_its_wave_is_open():
    run = over()
    assert run.recheck == run.due
    assert run.ended_at is not None
    assert run.due == run.ended_at + 6 * HOUR
    for _ in range(5):
        early, actions = step(run, observe(instances=OFF, now=run.due - MINUTE))
        assert actions == (PollAgain(run.due),)
        assert early.recheck == run.recheck
        at = run.due
        run, actions = step(run, observe(instances=OFF, now=at))
        assert any(isinstance(one, Replan) for one in actions)
        assert not any(isinstance(one, Start) for one in actions)
        assert run.state is RunState.COMPLETED
        assert run.due == at + 6 * HOUR


def asks_for_a_plan(run: Run, *there: Instance, **more: Any) -> bool:
    after, actions = step(run, observe(instances=there, now=run.due, **more))
    assert after.due == run.due + 6 * HOUR
    return any(isinstance(one, Replan) for one in actions)


def test_a_poll_of_a_run_that_is_over_asks_for_a_plan_only_where_something_may_be_due():
    run = over()
    assert needs_azure(run, observe(now=run.due), run.due)
    assert not needs_azure(run, observe(now=run.due - MINUTE), run.due - MINUTE)
    assert not needs_azure(run, observe(now=run.due, open=False), run.due)
    bare = fleet(3, 3, maintenance=None)
    assert not asks_for_a_plan(run, *bare)
    assert asks_for_a_plan(run, *bare, instance("9"))
    assert asks_for_a_plan(run, *bare[1:], replace(bare[0], maintenance=Unreadable("no view")))
    unread = Observation(run.due, trouble="Azure answered 503.")
    assert any(isinstance(one, Replan) for one in step(run, unread)[1])


def test_a_run_whose_waves_are_over_is_never_polled_again():
    run = over(open=False)
    assert run.recheck is None
    run = over()
    run, actions = step(run, observe(instances=OFF, now=run.due, open=False))
    assert (run.recheck, actions) == (None, ())


def why(run: Run, *instances: Instance, a_policy: Any = None, now: Any = NOW + DAY) -> str:
    decision = decided(instances=outstanding(instances, run, now), a_policy=a_policy, now=now)
    return reopening.why(run, decision)


def test_what_is_as_it_was_when_the_run_ended_opens_nothing():
    assert why(over(), *OFF) == ""
    assert why(over(), *fleet(3, 3, maintenance=None)) == ""


def test_an_skipped_instance_that_runs_again_opens_the_run():
    assert (
        why(over(), *changed(OFF, "1", power="running"))
        == "Opened again: instance 1 can be maintained again."
    )


def test_an_instance_that_joins_opens_the_run():
    assert why(over(), *OFF, instance("7")) == "Opened again: instance 7 has joined the wave."


def test_an_instance_with_a_new_window_opens_the_run():
    run = over()
    before = Before(True, "None", SELF_SERVICE, True)
    batches = tuple(
        replace(
            one,
            instances=tuple(
                replace(each, state=InstanceState.MAINTAINED, before=before, gone=False)
                for each in one.instances
            ),
        )
        for one in run.batches
    )
    run = replace(run, batches=batches)
    assert why(run, *fleet(3, 3)) == ""
    words = "Opened again: instance 2 has a new maintenance window."
    assert why(run, *changed(fleet(3, 3), "2", maintenance=LATER)) == words


def test_many_reasons_are_counted():
    run = over()
    assert why(run, *OFF, *(instance(str(one)) for one in range(10, 16))).endswith("; and 3 more instances.")


@pytest.mark.parametrize("values", [{"self_service": "never"}, {}])
def test_what_was_cancelled_opens_nothing_where_the_policy_leaves_it_to_azure(values: dict[str, str]):
    run, _ = confirmed(planned(instances=fleet(3, 3)), fleet(3, 3, maintenance=None))
    assert run.state is RunState.CANCELLED
    run = replace(
        run,
        batches=tuple(
            replace(
                one,
                instances=tuple(
                    replace(each, state=InstanceState.MISSED, gone=False) for each in one.instances
                ),
            )
            for one in run.batches
        ),
    )
    assert why(run, *fleet(3, 3), a_policy=policy(**values)) == ""
    assert "is offered by Azure and not done" in why(run, *fleet(3, 3), a_policy=always())


def test_a_run_opened_again_starts_what_is_due_and_nothing_of_what_was_done():
    run = over()
    back = changed(OFF, "1", power="running")
    assert why(run, *back)
    new = planned(instances=back, now=NOW + DAY, former=run)
    _, actions = step(new, observe(instances=back, now=NOW + DAY))
    assert [one.instance for one in actions if isinstance(one, Start)] in (["1"], [])
    assert any(one.id == "1" for one in new.instances)
