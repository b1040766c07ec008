"""A run that may start by its times and does not: counted by cause, told once `stalled-after` has gone by.

Only time in which a batch could have started counts: a closed window adds nothing and resets nothing. Each
cause is told once, when it alone has lasted that long; the first of all when they have together, so that a
run whose causes take turns is told too. A start resets the count.
"""

from datetime import datetime

from planner.calendar.openings import NOTHING, usable
from planner.record.cause import AT_ONCE, QUIET, WAY_ON, Cause
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.waits import Stalled, Waited
from planner.schedule.latest_start import fits
from planner.schedule.options import misfit
from planner.schedule.timing import MINUTE
from planner.start.gate import Wait
from planner.state.notices import with_question
from planner.text.phrases import long, say


def waiting(run: Run, wait: Wait, observation: Observation, now: datetime) -> Run:
    """The run after a poll in which it waits: the time counted, and told where that is due."""
    if observation.rules is not None:
        run = replace(run, terms=replace(run.terms, stalled_after=observation.rules.stalled_after))
    old = run.standing.stalled
    counted = _counted(run, old, now) if old is not None else ()
    if wait.cause in QUIET:
        if old is None:
            return run
        passed = old.passed or (old.active and wait.cause is Cause.TIMES)
        return replace(
            run,
            standing=replace(run.standing, stalled=replace(old, active=False, passed=passed, waited=counted)),
        )
    if not any(waited.cause is wait.cause for waited in counted):
        counted = (*counted, Waited(wait.cause, now))
    held = Stalled(wait.cause, wait.reason, now, passed=old is not None and old.passed, waited=counted)
    run = replace(run, standing=replace(run.standing, stalled=held))
    mine = next(waited for waited in counted if waited.cause is wait.cause)
    since = f"{run.reason} Held up since {say(mine.since)}."
    if mine.told:
        return replace(run, reason=since)
    left = run.terms.stalled_after - (mine.spent if held.told else held.spent)
    if left > NOTHING and wait.cause not in AT_ONCE:
        return replace(run, due=min(run.due, now + left))
    told = tuple(replace(waited, told=True) if waited is mine else waited for waited in counted)
    held = replace(held, waited=told)
    # In the queue with a place in time it asks nobody for anything.
    queues = wait.cause is Cause.LIMIT and observation.turn.start is not None and not misfit(run, now)
    return with_question(
        replace(run, reason=since, standing=replace(run.standing, stalled=held)),
        Kind.STALLED,
        f"{sentence(held, windows=bool(run.terms.windows))} {WAY_ON[held.cause]} {fits(run, now)}".strip(),
        now,
        urgency=Urgency.KNOW if queues else Urgency.ACT,
        instances=observation.instances,
        answers=(CommandKind.SKIP, CommandKind.HOLD),
    )


def _counted(run: Run, held: Stalled, now: datetime) -> tuple[Waited, ...]:
    """The causes with the time since the last poll that met one, so far as a batch could have started."""
    if not held.active:
        return held.waited
    more = usable(run.terms.windows, run.terms.freezes, held.seen, now, run.times.expected)
    return tuple(
        replace(waited, spent=waited.spent + more) if waited.cause is held.cause else waited
        for waited in held.waited
    )


def sentence(held: Stalled, *, windows: bool) -> str:
    """What it waits for and since when; how long of that it could have started, where `windows` are less."""
    since = (held.of(held.cause) or held).since
    lost = f" ({long(held.spent)}{' inside its windows' if windows else ''})" if held.spent >= MINUTE else ""
    return f"Held up since {say(since)}{lost}: {held.what}."
