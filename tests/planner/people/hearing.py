"""Runs that hear a command, for the tests of what people say."""

from dataclasses import replace
from typing import Any

from planner.people.commands import refusal, with_commands
from planner.record.batch import Batch
from planner.record.command import Command, CommandKind
from planner.record.instance import InstanceProgress
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from tests.planner.builders import (
    NOW,
    batch,
    command,
    run_of,
)

BLIND = Observation(NOW)


def hear(run: Run, *events: Command, observation: Observation = BLIND) -> Run:
    return with_commands(run, events, observation, observation.at)


def failing(**more: Any) -> Run:
    """Paused because instance 0 does not come back, instance 1 waits."""
    failed = batch(
        1, InstanceProgress("0", state=InstanceState.FAILED, reason="It has not come back.", answered=True),
        state=BatchState.FAILED, started_at=NOW,
    )  # fmt: skip
    fields = {"state": RunState.PAUSED, "reason": "Instance 0: It has not come back."} | more
    return run_of(failed, batch(2, "1"), **fields)


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
