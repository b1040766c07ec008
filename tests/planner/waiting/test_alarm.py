"""What pages: what is down by our doing, until it is acknowledged, serves again, or the run goes on."""

from dataclasses import replace
from typing import Any

from planner.azure.fleet import Health, Instance
from planner.machine.advance import advance
from planner.people.commands import effect, refusal, with_commands
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.planner.builders import (
    MINUTE,
    NOW,
    SELF_SERVICE,
    batch,
    changed,
    command,
    fleet,
    observe,
    run_of,
    step,
)

ILL = Health.UNHEALTHY
FLEET = fleet(4, 2)


def failed(id: str, **more: Any) -> InstanceProgress:  # noqa: A002
    given = {"state": InstanceState.FAILED, "begun": True, "answered": True, "proof_at": NOW, **more}
    return InstanceProgress(id, reason="It is unhealthy.", **given)


def verifying(id: str) -> InstanceProgress:  # noqa: A002
    return failed(id, state=InstanceState.VERIFYING, since=NOW, before=None)


def going_wrong(*more: InstanceProgress) -> Run:
    """Two instances of a domain were started, and the first does not come back."""
    first = batch(1, failed("0"), *more, state=BatchState.FAILED, started_at=NOW)
    return run_of(first, batch(2, "1", "3"), state=RunState.RUNNING)


def ill(*ids: str) -> tuple[Instance, ...]:
    instances = FLEET
    for one in ids:
        instances = changed(instances, one, health=ILL)
    return instances


def polled(run: Run, minute: int, *words: Any, down: tuple[str, ...] = ("0",)) -> Run:
    planned = {one.id for one in run.instances}
    instances = [one for one in ill(*down) if one.id in planned]
    return step(run, observe(None, instances, now=NOW + minute * MINUTE), *words)[0]


def pages(run: Run) -> list[Notice]:
    return [notice for notice in run.story.notices if notice.urgency is Urgency.PAGE]


def ringing(run: Run) -> tuple[str, ...]:
    return run.ringing.instances if run.ringing is not None else ()


def test_what_does_not_come_back_after_our_start_pages_once_and_goes_on_ringing():
    run = polled(going_wrong(), 0)
    for minute in range(1, 30):
        run = polled(run, minute)
    assert run.state is RunState.PAUSED
    (page,) = pages(run)
    assert (page.kind, page.answers[-1]) == (Kind.PAUSED, CommandKind.ACKNOWLEDGE)
    assert run.ringing is not None
    assert (run.ringing.number, run.ringing.since, run.ringing.instances) == (page.number, NOW, ("0",))


def test_what_failed_without_our_start_does_not_page():
    run = going_wrong()
    never = failed("0", begun=False, answered=False, proof_at=None)
    run = replace(run, batches=(batch(1, never, state=BatchState.FAILED), run.batches[1]))
    run = polled(run, 0)
    assert run.state is RunState.PAUSED
    assert (pages(run), run.ringing) == ([], None)


def test_whoever_acknowledges_stops_it_and_stands_in_the_history_and_in_a_notice():
    run = polled(going_wrong(), 0)
    word = command(CommandKind.ACKNOWLEDGE, comment="On it.", at=NOW + MINUTE)
    taken = with_commands(run, [word], Observation(NOW + MINUTE), NOW + MINUTE)
    assert taken.ringing is None
    assert taken.state is RunState.PAUSED
    line = taken.story.history[-1]
    assert (line.actor, line.event, line.reason, line.id) == ("ada", "acknowledge", "On it.", word.id)
    told = taken.story.notices[-1]
    assert (told.kind, told.urgency) == (Kind.ACKNOWLEDGED, Urgency.KNOW)
    assert told.sentence == "ada has acknowledged it: On it. Still down: instance 0."
    assert effect(run, taken, word).startswith("It pages nobody any more")
    for minute in range(2, 40):
        taken = polled(taken, minute)
    assert (len(pages(taken)), taken.ringing) == (1, None)


def test_an_acknowledgement_is_given_once_and_only_for_what_pages():
    word = command(CommandKind.ACKNOWLEDGE)
    assert "Nothing of it pages: the run is scheduled." in refusal(run_of(batch(1, "0")), word)
    run = polled(going_wrong(), 0)
    assert run.ringing is not None
    assert refusal(run, word) == ""
    assert refusal(run, replace(word, notice=run.ringing.number)) == ""
    assert "about an earlier trouble" in refusal(run, replace(word, notice=run.ringing.number + 1))
    taken = with_commands(run, [word], Observation(NOW), NOW)
    second = command(CommandKind.ACKNOWLEDGE, "second", actor="bob")
    assert refusal(taken, second) == "ada has taken it already, at Sun 22 Nov 2026 12:00 UTC."


def test_an_instance_that_goes_down_later_is_a_new_trouble_and_pages_although_the_first_was_acknowledged():
    run = polled(going_wrong(verifying("2")), 0, down=("0", "2"))
    run = polled(run, 1, command(CommandKind.ACKNOWLEDGE), down=("0", "2"))
    assert run.ringing is None
    for minute in range(2, 64):
        run = polled(run, minute, down=("0", "2"))
    first, second = pages(run)
    assert run.ringing is not None
    assert run.ringing.number == second.number > first.number
    assert set(run.ringing.instances) == {"0", "2"}
    assert "Instance 2" in second.sentence


def test_it_no_longer_rings_once_it_has_served_on_two_polls_though_the_run_stays_paused():
    run = polled(going_wrong(), 0)
    run = polled(run, 1, down=())
    assert ringing(run) == ("0",)
    run = polled(run, 2, down=())
    assert (run.state, run.ringing) == (RunState.PAUSED, None)


def test_who_comes_and_goes_rings_on_and_does_not_page_at_each_of_its_falls():
    run = polled(going_wrong(), 0)
    for minute in range(1, 40):
        run = polled(run, minute, down=("0",) if minute % 4 == 0 else ())
    assert len(pages(run)) == 1
    run = polled(run, 41, down=("0",))
    assert ringing(run) == ("0",)


def test_a_poll_that_sees_no_instances_changes_nothing():
    run = polled(going_wrong(), 0)
    blind, _ = advance(run, Observation(NOW + MINUTE, trouble="503"), (), NOW + MINUTE)
    assert blind.ringing == run.ringing


def test_a_run_that_goes_on_or_leaves_it_to_azure_rings_no_more_from_that_write_on():
    run = polled(going_wrong(), 0)
    for word in (command(CommandKind.RESUME), command(CommandKind.SKIP, instances=("0",))):
        after = with_commands(run, [word], observe(None, ill("0")), NOW + MINUTE)
        assert after.ringing is None, word.kind
        assert step(after, observe(None, ill("0"), now=NOW + 2 * MINUTE))[0].standing.alarm is None


def test_what_fails_again_after_a_resume_is_a_new_trouble():
    run = polled(going_wrong(), 0)
    run = polled(run, 1, command(CommandKind.ACKNOWLEDGE))
    run = polled(run, 2, command(CommandKind.RESUME))
    assert run.ringing is None
    for minute in range(3, 70):
        run = polled(run, minute)
    assert run.state is RunState.PAUSED
    assert len(pages(run)) == 2
    assert ringing(run) == ("0",)


def test_what_goes_down_while_somebody_holds_the_run_pages_too():
    run = going_wrong()
    run = replace(
        run, batches=(batch(1, verifying("0"), state=BatchState.VERIFYING, started_at=NOW), run.batches[1])
    )
    run = polled(run, 0, command(CommandKind.HOLD, comment="Not now."))
    assert pages(run) == []
    for minute in range(1, 64):
        run = polled(run, minute)
    assert "Held by ada" in run.reason
    assert len(pages(run)) == 1
    # One for the hold, one for what went down.
    assert len([notice for notice in run.story.notices if notice.kind is Kind.PAUSED]) == 2
    assert ringing(run) == ("0",)


def test_a_run_that_ends_with_something_down_pages_once_more_unless_somebody_has_acknowledged_it():
    """The self-service window closes on an instance that does not serve."""
    for words, loud in (((), Urgency.PAGE), ((command(CommandKind.ACKNOWLEDGE),), Urgency.ACT)):
        run = polled(polled(going_wrong(), 0), 1, *words)
        end = int((SELF_SERVICE.end - NOW) / MINUTE) + 1
        for minute in range(end, end + 4):
            run = polled(run, minute)
        assert run.state is RunState.MISSED
        (missed,) = [notice for notice in run.story.notices if notice.kind is Kind.MISSED]
        assert missed.urgency is loud
        assert run.ringing is None
