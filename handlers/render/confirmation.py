"""What a command would do, before a person says it: to which instances, when, and what it undoes."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from handlers.render import facts
from handlers.render.clock import both, zone_of
from planner.people import skipping
from planner.record.batch import Batch
from planner.record.command import Command, CommandKind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from planner.state import unanswered
from planner.text.phrases import many, say_how_far, some, to_the_minute

MOST_ROWS = 60
"""Batches that the page shows; what comes later is counted."""

IDS = 60
"""Instances named in one row."""

UNCHANGED = "Windows, limits, freezes, the health of the others and a stop of everything count all the same."


@dataclass(frozen=True, slots=True)
class Row:
    """Instances that go down together, and when."""

    domain: str
    instances: str
    when: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is shown: sentences, a table under `caption`, what the command undoes, how to take it back.

    `first` is what the table's first column names; `lead` says how things stand where no run says so.
    """

    label: str
    happens: tuple[str, ...]
    caption: str
    rows: tuple[Row, ...]
    more: str
    undoes: str
    back: str
    first: str = "Domain"
    lead: str = ""


def confirmation(run: Run, command: Command, now: datetime) -> Confirmation:
    """What the command would do to the run as it is now, times on both clocks."""
    chosen = frozenset(instance.id for instance in run.instances if instance.waiting)
    if command.kind is CommandKind.SKIP:
        chosen = skipping.chosen(run, command)
    label = facts.label(run, command.kind)
    happens, caption, undoes, back = _SAID[command.kind](run, command, chosen, now)
    batches = [batch for batch in run.batches if any(one.id in chosen for one in batch.instances)]
    left = sum(one.id in chosen for batch in batches[MOST_ROWS:] for one in batch.instances)
    said = partial(both, zone=zone_of(run))
    rows = (_row(run, command, batch, chosen, now) for batch in batches[:MOST_ROWS])
    return Confirmation(
        label,
        tuple(said(text) for text in happens if text),
        caption,
        tuple(replace(row, when=said(row.when)) for row in rows),
        f"{many(left, 'more instance')} in later batches: the run's page has them." if left else "",
        said(undoes),
        said(back),
    )


def _row(run: Run, command: Command, batch: Batch, chosen: Collection[str], now: datetime) -> Row:
    ids = some((one.id for one in batch.instances if one.id in chosen), most=IDS)
    when = _azures_turn(run) if command.kind is CommandKind.SKIP else _when(batch, now)
    return Row(batch.domain, ids, when)


def _when(batch: Batch, now: datetime) -> str:
    known = [at for at in (batch.not_before, batch.waits_until) if at is not None]
    return f"not before {say_how_far(max(known), now)}" if known else "no time found for it"


def _azures_turn(run: Run) -> str:
    theirs = run.times.scheduled
    if theirs is None:
        return "when it likes"
    return f"between {to_the_minute(theirs.start)} and {to_the_minute(theirs.end)}"


def _verb(number: int, one: str, several: str) -> str:
    return f"{many(number, 'instance')} {one if number == 1 else several}"


type _Said = tuple[tuple[str, ...], str, str, str]
"""What happens, the table's caption, what it undoes, how to take it back."""


def _approve(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del command
    starts = (
        f"{many(len(chosen), 'instance')} of {run.target.name} will be rebooted, one line of the table "
        "after the other, each not before its time, and only while all other instances serve."
    )
    return (
        (starts, facts.times(run, now), facts.capacity(run), UNCHANGED),
        "What will be rebooted",
        "Nothing: until now the plan has only waited for this.",
        "Hold it, or skip what is left. What has been started by then is not taken back.",
    )


def _hold(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del command, now
    waits = f"Nothing more is started until somebody resumes it: {_verb(len(chosen), 'waits', 'wait')}."
    flying = [one.id for one in run.instances if one.in_flight]
    watched = f"Under way, and watched until they serve again: {some(flying, most=IDS)}."
    rest = ""
    if run.times.deadline and chosen:
        by = to_the_minute(run.times.deadline)
        rest = f"What is not done by {by} is left to Azure, which restarts it {_azures_turn(run)}."
    return (
        (waits, watched if flying else "", rest),
        "What will not be started, and when it would have been",
        f"It stops what goes on by itself now: {run.reason}",
        "Resume it.",
    )


def _resume(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del command
    goes_on = f"It goes on: {_verb(len(chosen), 'is', 'are')} still to be rebooted."
    failed = [one.id for one in run.instances if one.state is InstanceState.FAILED]
    again = f"Watched anew, or tried again where Azure never took the start: {some(failed, most=IDS)}."
    misfit = f"The plan is carried out as it is, though it does not fit: {run.people.misfit}"
    settled = "" if run.people.holding else "What it was paused for counts as settled."
    return (
        (
            goes_on,
            settled,
            again if failed else "",
            misfit if run.people.misfit else "",
            facts.times(run, now),
            UNCHANGED,
        ),
        "What will be rebooted",
        f"The pause: {run.people.held or run.reason}",
        "Hold it. What has been started by then is not taken back.",
    )


def _skip(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del now
    left = (
        f"{_verb(len(chosen), 'is', 'are')} left to Azure, which restarts what is left to it "
        f"{_azures_turn(run)}, in an order of its own."
    )
    named = "; ".join((*command.domains, *command.instances))
    return (
        (left, f"Only of: {named}." if named else ""),
        "What will be left to Azure",
        "The plan for these instances: Breakwater will not start them in this wave.",
        "No command takes it back.",
    )


def _raise(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del chosen, now
    what = ", ".join(f"{key} {text}" for key, text in command.raised.items())
    offered = (one for one in facts.choices(run) if one.word is command.kind and one.to == command.raised)
    sentence = next((one.sentence for one in offered), "")
    anew = (
        f"A new plan is made with {what}, for this run alone. If it fits, it is carried out without asking "
        "again, unless its mode is `approve`."
    )
    return (
        (sentence, anew, UNCHANGED),
        "What the new plan is for, and the times of the present one",
        "The present plan, and its approval where that was for other instances or times.",
        "Change it again by the command `raise`. What has been started by then is not taken back.",
    )


def _let_pass(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del command, now
    counts = "It counts against no limit until it goes on: the scale sets that wait for one may start."
    who = unanswered.whom_held_up(run)
    later = f"It needs a place again before it goes on: {_verb(len(chosen), 'is', 'are')} left."
    return (
        (counts, f"It holds up {who}" if who else "", later),
        "What is left of it, and when it would have been started",
        "Its place among the scale sets in flight.",
        "Resume it: it goes on as soon as a place is free.",
    )


def _acknowledge(run: Run, command: Command, chosen: Collection[str], now: datetime) -> _Said:
    del command, chosen, now
    alarm = run.standing.alarm
    down = f"Down: {some(alarm.instances, most=IDS)}." if alarm is not None and alarm.instances else ""
    stays = "the run stays paused until somebody resumes it or leaves it to Azure"
    if run.state is not RunState.PAUSED:
        stays = (
            "the plan goes on as far as it fits, and somebody still has to choose what becomes of the rest"
        )
    return (
        (
            "It pages nobody any more, and the history says that you have it.",
            "If something else goes wrong, that pages again.",
            down,
            f"Nothing else changes: {stays}.",
        ),
        "What is left of it, and when it would have been started",
        "The page, for everybody who gets it.",
        "No command takes it back.",
    )


_SAID = {
    CommandKind.APPROVE: _approve,
    CommandKind.HOLD: _hold,
    CommandKind.RESUME: _resume,
    CommandKind.SKIP: _skip,
    CommandKind.RAISE: _raise,
    CommandKind.LET_PASS: _let_pass,
    CommandKind.ACKNOWLEDGE: _acknowledge,
}
