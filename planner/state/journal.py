"""Writes into a run what people will read: transitions, history, notices."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner.azure.fleet import Instance
from planner.policy.health import describe, serving
from planner.record.notice import Choice, Down, Kind, Notice, Urgency
from planner.record.run import Entry, Run
from planner.record.states import InstanceState, RunState, transition
from planner.schedule.latest_start import latest
from planner.text.phrases import many, say

BREAKWATER = "breakwater"

LET_PASS = "let-pass"  # noqa: S105, a command for people
"""The command that lets others pass a paused run that holds them up."""

MOST_LINES, FIRST_LINES, DROPPED = 400, 20, 80
MOST_NOTICES = 200
"""A record is replaced whole at every write: a run that goes back and forth for weeks must stay small."""


def with_entry(
    run: Run,
    event: str,
    reason: str,
    now: datetime,
    actor: str = BREAKWATER,
    *,
    command: str = "",
    instance: str = "",
) -> Run:
    """The run with one more line of history; `command` is the id of the command that it records.

    Of a very long one the beginning, the latest and what people said are kept.
    """
    history = run.story.history
    if len(history) >= MOST_LINES:
        first, later = history[:FIRST_LINES], history[FIRST_LINES:]
        gap = Entry(later[0].at, BREAKWATER, "left out", "Lines after this one were left out.")
        dropped = frozenset([place for place, one in enumerate(later) if not one.id][:DROPPED])
        kept = tuple(one for place, one in enumerate(later) if place not in dropped)
        history = (*first, gap, *kept[-2 * MOST_LINES :])
    return replace(
        run, story=replace(run.story, history=(*history, Entry(now, actor, event, reason, command, instance)))
    )


def in_state(run: Run, state: RunState, reason: str, now: datetime, actor: str = BREAKWATER) -> Run:
    """The run in `state` with its sentence; only a change of state is a line of history."""
    if run.state is not state:
        run = with_entry(run, f"{run.state} -> {state}", reason, now, actor)
    return replace(run, state=transition(run.state, state), reason=reason)


def with_notice(
    run: Run,
    kind: Kind,
    urgency: Urgency,
    sentence: str,
    now: datetime,
    *,
    instances: Sequence[Instance] | None = None,
    on_record: bool = False,
    otherwise: str = "",
    answers: tuple[str, ...] = (),
    choices: tuple[Choice, ...] = (),
    deadline: datetime | None = None,
) -> Run:
    """The run with one more notice; what is down and what still serves come from the poll's instances.

    `on_record`: without a poll it says what is down by the run's own record. Numbers go on; of very many
    notices the oldest, told long ago, are dropped.
    """
    if answers and kind in {Kind.PAUSED, Kind.REMINDER} and held_up(run):
        answers = (*answers, LET_PASS)
    down = _down(run, instances or ())
    if instances is None and on_record:
        down = _down_on_record(run)
    notice = Notice(
        number=run.story.last_notice + 1,
        at=now,
        kind=kind,
        urgency=urgency,
        sentence=sentence,
        down=down if urgency is not Urgency.KNOW else (),
        serving=_serving(run, instances) if instances is not None else "",
        otherwise=otherwise,
        answers=answers,
        choices=choices,
        deadline=deadline,
    )
    return replace(run, story=replace(run.story, notices=(*run.story.notices, notice)[-MOST_NOTICES:]))


def with_started_notice(run: Run, now: datetime) -> Run:
    """The run with the notice that maintenance has begun, once something of it was taken or may have been."""
    if any(notice.kind is Kind.STARTED for notice in run.story.notices):
        return run
    batch = next((one for one in run.batches if any(each.answered for each in one.instances)), None)
    if batch is None:
        return run
    return with_notice(run, Kind.STARTED, Urgency.KNOW, f"Maintenance has begun with {batch.domain}.", now)


def if_nobody_answers(run: Run, now: datetime) -> str:
    """What a run that stands still comes to, until when an answer helps, and whom it holds up meanwhile."""
    return f"{_comes_to(run, now)} {held_up(run)}".strip()


def _comes_to(run: Run, now: datetime) -> str:
    left = sum(instance.waiting for instance in run.instances)
    if run.times.self_service is None or not left:
        return "If nobody answers, nothing more is started."
    what = "1 instance is" if left == 1 else f"{left} instances are"
    when = (
        f" between {say(run.times.scheduled.start)} and {say(run.times.scheduled.end)}"
        if run.times.scheduled
        else ""
    )
    azure = (
        f"{what} left to Azure, which maintains {'it' if left == 1 else 'them'}{when or ' when it likes'}."
    )
    found = latest(run, now)
    if found.anything is None:
        return (
            "No answer helps any more: nothing can be started before the self-service window closes at "
            f"{say(run.times.self_service.end)}, and {azure}"
        )
    last = f"by {say(found.anything)}, nothing more can be started and {azure}"
    if found.everything is None:
        return f"If nobody answers {last} As planned, not all of it fits."
    if found.everything < found.anything:
        return f"If nobody answers by {say(found.everything)}, there is no time left for all of it; {last}"
    return f"If nobody answers by {say(found.everything)}, there is no time left and {azure}"


def held_up(run: Run) -> str:
    """Whom a paused run holds up, and until when they fit; empty where it holds up nobody."""
    who = whom_held_up(run)
    return f"Meanwhile it holds up {who}" if who else ""


def whom_held_up(run: Run) -> str:
    """The same from the scale sets on."""
    others = run.standing.holds_up
    if others is None or not others.sets or run.people.lets_pass:
        return ""
    where = f" of {', '.join(others.regions)}" if others.regions else ""
    them, first = ("it", "it has") if others.sets == 1 else ("them", "the first of them has")
    until = f"; {first} to start by {say(others.until)}" if others.until is not None else ""
    return (
        f"{many(others.sets, 'scale set')}{where} that "
        f"{'waits' if others.sets == 1 else 'wait'} for a limit{until}. Say `let-pass` to let {them} pass."
    )


def _down(run: Run, instances: Sequence[Instance]) -> tuple[Down, ...]:
    domains = {one.id: (batch.domain, one) for batch in run.batches for one in batch.instances}
    found: list[Down] = []
    for instance in instances:
        if instance.switched_off or serving(instance, run.terms.health):
            continue
        domain, progress = domains.get(instance.id, ("", None))
        error = progress.reason if progress is not None and progress.state is InstanceState.FAILED else ""
        if not error and instance.status is not None:
            error = instance.status.message
        found.append(Down(instance.id, instance.zone, domain, describe(instance), error))
    return tuple(found)


_AS_RECORDED = {
    InstanceState.STARTING: "its start is on its way",
    InstanceState.REBOOTING: "rebooting when it was last looked at",
    InstanceState.VERIFYING: "not yet seen healthy twice",
    InstanceState.FAILED: "not serving when it was last looked at",
}


def _down_on_record(run: Run) -> tuple[Down, ...]:
    return tuple(
        Down(
            instance.id,
            instance.zone,
            batch.domain,
            _AS_RECORDED[instance.state],
            instance.reason if instance.state is InstanceState.FAILED else "",
        )
        for batch in run.batches
        for instance in batch.instances
        if instance.state in _AS_RECORDED
    )


def _serving(run: Run, instances: Sequence[Instance]) -> str:
    up = sum(serving(instance, run.terms.health) for instance in instances)
    return f"{up} of {len(instances)} instances are running and healthy"
