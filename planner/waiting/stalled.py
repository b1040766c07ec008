"""A run that may start by its times and does not: counted by cause, told once `stalled-after` has gone by.

Only time in which a batch could have started counts: a closed window neither counts nor begins anew. Each
cause is told once, when it alone has lasted so long; the first of all when they have together, so that a run
whose causes take turns is told too. A start begins anew.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from planner.calendar.openings import usable
from planner.record.cause import AT_ONCE, QUIET, WAY_ON, Cause
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.waits import Stalled, Waited
from planner.schedule.latest_start import fits
from planner.start.gate import Wait
from planner.state.notices import with_notice
from planner.state.unanswered import if_nobody_answers
from planner.text.phrases import long, say

NOTHING, MINUTE = timedelta(0), timedelta(minutes=1)


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
    if not any(one.cause is wait.cause for one in counted):
        counted = (*counted, Waited(wait.cause, now))
    passed = old is not None and old.passed
    held = Stalled(wait.cause, wait.reason, now, passed=passed, waited=counted)
    run = replace(run, standing=replace(run.standing, stalled=held))
    left = _left(run, held)
    if left is None:
        return _said(run, held)
    if left <= NOTHING:
        return _told(run, held, observation, now)
    return replace(run, due=min(run.due, now + left))


def _counted(run: Run, held: Stalled, now: datetime) -> tuple[Waited, ...]:
    """The causes with the time since the last poll that met one, so far as a batch could have started."""
    if not held.active:
        return held.waited
    more = usable(run.terms.windows, run.terms.freezes, held.seen, now, run.times.expected)
    return tuple(
        replace(one, spent=one.spent + more) if one.cause is held.cause else one for one in held.waited
    )


def _left(run: Run, held: Stalled) -> timedelta | None:
    """How much longer it may wait for this cause before people are told; None when they have been."""
    mine = held.of(held.cause)
    if mine is None or mine.told:
        return None
    if held.cause in AT_ONCE:
        return NOTHING
    return run.terms.stalled_after - (mine.spent if held.told else held.spent)


def _told(run: Run, held: Stalled, observation: Observation, now: datetime) -> Run:
    waited = tuple(replace(one, told=True) if one.cause is held.cause else one for one in held.waited)
    held = replace(held, waited=waited)
    run = _said(replace(run, standing=replace(run.standing, stalled=held)), held)
    return with_notice(
        run,
        Kind.STALLED,
        Urgency.ACT,
        f"{sentence(held, windows=bool(run.terms.windows))} {WAY_ON[held.cause]} {fits(run, now)}".strip(),
        now,
        instances=observation.instances,
        otherwise=if_nobody_answers(run, now),
        answers=("skip", "hold"),
    )


def sentence(held: Stalled, *, windows: bool) -> str:
    """What it waits for and since when; how long of that it could have started, where `windows` are less."""
    begun = held.of(held.cause)
    since = held.since if begun is None else begun.since
    lost = ""
    if held.spent >= timedelta(minutes=1):
        lost = f" ({long(held.spent)}{' inside its windows' if windows else ''})"
    return f"Held up since {say(since)}{lost}: {held.what}."


def _said(run: Run, held: Stalled) -> Run:
    """Its own sentence says since when, once people were told."""
    mine = held.of(held.cause)
    if mine is None or not mine.told:
        return run
    return replace(run, reason=f"{run.reason} Held up since {say(mine.since)}.")
