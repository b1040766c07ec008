"""One answer is no proof: what a poll shows for the first time counts when a second poll shows it too."""

from dataclasses import replace
from typing import Any

import pytest

from planner.azure.fleet import Unreadable
from planner.record.action import Start, StartOutcome, StartResult
from planner.record.observation import Observation, OperationSeen, with_direct_reads
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.start.results import answered
from tests.planner.builders import (
    MINUTE,
    NOW,
    STATUS,
    always,
    changed,
    confirmed,
    fleet,
    instance,
    listed,
    observe,
    one_of,
    planned,
    states,
    step,
    without,
)

SLOW = always(soak="10m")
DONE = replace(STATUS, allowed=False, result="MaintenanceCompleted")


def starts(actions: tuple[object, ...]) -> list[str]:
    return [one.instance for one in actions if isinstance(one, Start)]


def test_a_status_that_is_gone_in_one_poll_and_back_in_the_next_changes_nothing():
    run, actions = step(planned(), observe(None, changed(fleet(), "0", maintenance=None)))
    assert states(run)["0"] is InstanceState.PENDING
    assert "0" not in starts(actions)
    run, _ = step(run, observe(now=NOW + MINUTE))
    assert one_of(run, "0").sighting is None
    assert run.state is RunState.RUNNING


def test_a_status_that_is_gone_counts_in_the_second_poll_that_reads_the_instance_itself():
    rest = changed(fleet(), "0", maintenance=None)
    run, _ = step(planned(), observe(None, rest))
    soon, _ = step(run, observe(None, rest, now=NOW + MINUTE / 2))
    assert states(soon)["0"] is InstanceState.PENDING, "within one poll it is one answer"
    unread, _ = step(run, listed(None, rest, now=NOW + MINUTE))
    assert states(unread)["0"] is InstanceState.PENDING, "a listing is a listing, however often"
    run, _ = step(run, observe(None, rest, now=NOW + MINUTE))
    assert states(run)["0"] is InstanceState.CANCELLED


BLIND = Unreadable("Azure sent no instance view.")


def read_alone(minute: float, listed_as: Any = BLIND, read_as: Any = None) -> Observation:
    """A poll whose listing shows instance 0 in one way and whose direct read of it in another."""
    observation = listed(None, changed(fleet(), "0", maintenance=listed_as), now=NOW + minute * MINUTE)
    return with_direct_reads(observation, {"0": instance("0", maintenance=read_as)}, ())


@pytest.mark.parametrize("listed_as", [BLIND, STATUS])
def test_a_direct_read_that_the_listing_beside_it_does_not_bear_out_is_one_answer(listed_as: Any):
    run, _ = step(planned(), listed(None, changed(fleet(), "0", maintenance=None)))
    run, _ = step(run, read_alone(1, listed_as))
    assert states(run)["0"] is InstanceState.PENDING, "a listing and a read, a poll each"
    soon, _ = step(run, read_alone(1.5, listed_as))
    assert states(soon)["0"] is InstanceState.PENDING, "two reads within one poll"
    run, _ = step(run, read_alone(2, listed_as))
    assert states(run)["0"] is InstanceState.CANCELLED, "two reads, a poll apart"


def test_a_direct_read_beside_a_listing_that_left_it_out_is_one_answer_too():
    run, _ = step(planned(), listed(None, changed(fleet(), "0", maintenance=None)))
    observation = listed(None, without(fleet(), "0"), now=NOW + MINUTE)
    run, _ = step(run, with_direct_reads(observation, {"0": instance("0", maintenance=None)}, ()))
    assert states(run)["0"] is InstanceState.PENDING


def test_no_run_ends_by_a_single_poll_in_which_every_status_is_gone():
    run, _ = step(planned(), observe(None, fleet(maintenance=None)))
    assert run.state is RunState.SCHEDULED
    run, _ = step(run, observe(None, fleet(maintenance=None), now=NOW + MINUTE))
    assert run.state is RunState.CANCELLED


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"power": "stopped"}, "it is stopped"),
        ({"power": "deallocated"}, "it is deallocated"),
        ({"protected": True}, "it is protected"),
        ({"maintenance": replace(STATUS, allowed=False)}, "does not offer self-service"),
    ],
)
def test_a_reason_to_skip_needs_two_polls_and_one_that_passes_in_between_is_forgotten(
    fields: dict[str, Any], words: str
):
    ill = changed(fleet(), "0", **fields)
    run, actions = step(planned(), observe(None, ill))
    assert states(run)["0"] is InstanceState.PENDING
    assert words in one_of(run, "0").reason
    assert "0" not in starts(actions)
    back, _ = step(run, observe(now=NOW + MINUTE))
    assert one_of(back, "0").sighting is None
    again, _ = step(back, observe(None, ill, now=NOW + 2 * MINUTE))
    assert states(again)["0"] is not InstanceState.SKIPPED
    run, _ = step(run, observe(None, ill, now=NOW + MINUTE))
    assert states(run)["0"] is InstanceState.SKIPPED
    assert words in one_of(run, "0").reason.lower()


def test_what_a_result_code_says_others_have_done_needs_two_polls():
    one = (instance("0"), instance("1", 1))
    run, _ = step(planned(instances=one), observe(None, changed(one, "1", maintenance=DONE)))
    assert states(run)["1"] is InstanceState.PENDING
    run = planned(instances=one)
    run, _ = confirmed(run, changed(one, "1", maintenance=DONE), stopped="Everything is stopped.")
    assert states(run)["1"] is InstanceState.BY_AZURE


def started() -> Run:
    run, actions = step(planned(a_policy=SLOW), observe(a_policy=SLOW))
    taken = [StartResult(one, StartOutcome.ACCEPTED, operation=f"/{one}") for one in starts(actions)]
    return answered(run, taken, NOW)


def test_a_status_that_is_gone_proves_nothing_while_the_operation_is_in_progress():
    run = started()
    seen = {"0": OperationSeen("InProgress"), "5": OperationSeen("InProgress")}
    gone = changed(changed(fleet(), "0", maintenance=None), "5", maintenance=None)
    for minute in range(1, 12):
        now = NOW + minute * MINUTE
        run, actions = step(run, observe(None, gone, SLOW, now, operations=seen))
        assert states(run)["0"] is InstanceState.REBOOTING
        assert one_of(run, "0").proof_at is None
        assert starts(actions) == []


def test_without_a_word_of_the_operation_a_status_that_is_gone_proves_it_in_the_second_poll():
    run, gone = started(), changed(fleet(), "0", maintenance=None)
    unknown = {"0": OperationSeen("Unknown"), "5": OperationSeen("InProgress")}
    run, _ = step(run, observe(None, gone, SLOW, NOW + MINUTE, operations=unknown))
    assert one_of(run, "0").proof_at is None
    run, _ = step(run, observe(None, gone, SLOW, NOW + 2 * MINUTE, operations=unknown))
    assert one_of(run, "0").proof == "its maintenance status is gone"


def test_a_protected_instance_is_not_started_by_the_very_poll_that_skips_the_batch_before_it():
    instances = (instance("0", 0, power="stopped"), instance("1", 1, protected=True), instance("2", 2))
    run = planned(instances=instances)
    run, actions = step(run, observe(None, instances))
    assert starts(actions) == []
    run, actions = step(run, observe(None, instances, now=NOW + MINUTE))
    assert "1" not in starts(actions)
    assert states(run)["0"] is states(run)["1"] is InstanceState.SKIPPED


def test_what_is_down_is_not_done_by_others_though_its_code_says_completed():
    stop = {"stopped": "Everything is stopped."}
    completed = replace(STATUS, result="MaintenanceCompleted")
    run, _ = step(planned(), observe(**stop))
    down = changed(fleet(), "0", maintenance=completed, power="starting", provisioning="updating")
    for minute in (1, 2, 3):
        run, _ = step(run, observe(None, down, now=NOW + minute * MINUTE, **stop))
        assert states(run)["0"] is InstanceState.PENDING
    for minute in (4, 5):
        up = changed(fleet(), "0", maintenance=completed)
        run, _ = step(run, observe(None, up, now=NOW + minute * MINUTE, **stop))
    assert states(run)["0"] is InstanceState.BY_AZURE
