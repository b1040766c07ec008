"""What people read about a run beside its state, the same on pages, in mail, cards and JSON."""

from collections.abc import Collection
from datetime import datetime, timedelta

from handlers.render.outside_text import one_line
from handlers.render.vocabulary import ANSWERS, OUTCOMES
from planner.record.batch import Batch
from planner.record.check import Outcome
from planner.record.command import CommandKind
from planner.record.notice import Choice, Down, Kind, Notice
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.record.waits import HeldUp
from planner.schedule.capacity import share
from planner.state import unanswered
from planner.text.phrases import many, say_how_far, short, some, to_the_minute, upper
from planner.words.standing_still import CAUSES

NOTHING, MINUTE = timedelta(0), timedelta(minutes=1)
STANDS_OUT = (Outcome.BLOCK, Outcome.UNKNOWN, Outcome.ACCEPTED)
"""Outcomes a reader wants to see first; the rest passed."""


def start_by(run: Run) -> datetime | None:
    """The latest first start that meets the deadline; says nothing once something was started."""
    return run.times.start_by if run.state in ACTIVE and not run.begun else None


def plan(run: Run, now: datetime) -> str:
    """Who goes down together, from when on and until when; empty without a plan of ours."""
    return f"{batches(run)} {_forecast(run, now)}".strip()


def begins(run: Run) -> datetime | None:
    """The earliest start of a run that has not begun."""
    if run.begun or run.state not in ACTIVE:
        return None
    return next((batch.not_before for batch in run.batches if batch.not_before), run.times.lead_over)


def times(run: Run, now: datetime) -> str:
    """When it should start and end, and by when it has to."""
    said = [_forecast(run, now)]
    if run.times.deadline is not None:
        left = slack(run)
        said.append(f"Must be done by {to_the_minute(run.times.deadline)}{f', {left}' if left else ''}.")
    if (first := start_by(run)) is not None:
        said.append(f"To make that, it must start by {to_the_minute(first)}.")
    return " ".join(filter(None, said))


def _forecast(run: Run, now: datetime) -> str:
    first, end = begins(run), run.times.forecast_end if run.state in ACTIVE else None
    parts = [f"starts {say_how_far(first, now)} at the earliest"] if first is not None else []
    parts += [f"should be done by {to_the_minute(end)}"] if end is not None and run.batches else []
    return f"{upper(', '.join(parts))}." if parts else ""


def batches(run: Run) -> str:
    """Who goes down together; empty without a plan of ours."""
    if not run.batches or run.state not in ACTIVE:
        return ""
    domains = list(dict.fromkeys(one_line(batch.domain, 100) for batch in run.batches))
    return (
        f"{many(len(run.instances), 'instance')} in {many(len(run.batches), 'batch', 'batches')} "
        f"({some(domains, '; ', most=6)})."
    )


def capacity(run: Run) -> str:
    """What the batches to come take away, in a sentence; empty when none is to come."""
    return run.fleet.capacity if run.state in ACTIVE else ""


def takes_away(run: Run, batch: Batch) -> int | None:
    """How many percent of the serving instances a batch takes away; None where Azure chooses the order."""
    return share(batch, run.fleet.serving) if run.state is not RunState.LEFT_TO_AZURE else None


def slack(run: Run) -> str:
    """`2 d 18 h to spare`, or by how much the forecast misses the deadline; empty when nobody can say."""
    left = run.times.slack
    if left is None:
        return ""
    return f"{short(left)} to spare" if left >= NOTHING else f"{short(left)} too late"


def repairs(run: Run) -> str:
    """Since when automatic repairs are suspended, and what ends that; empty when this run has not done it."""
    held = run.repairs
    if held is None:
        return ""
    said = "Suspended" if held.seen_suspended or held.resuming_since else "Being suspended"
    end = (
        f", being switched back on since {to_the_minute(held.resuming_since)}."
        if held.resuming_since is not None
        else ". They go back on as soon as no reboot is in progress."
    )
    answer = f" Azure said: {held.error}" if held.error else ""
    return f"{said} by this run since {to_the_minute(held.since)}{end}{answer}"


def holding_up(run: Run) -> HeldUp | None:
    """The scale sets that wait for a limit while it is paused; None when nobody does."""
    others = run.standing.holds_up
    paused = run.state is RunState.PAUSED and not run.people.lets_pass
    return others if paused and others is not None and others.sets else None


def waits(run: Run) -> str:
    """What keeps it back although it may start by its times, since when, and how long that cost it."""
    held = run.waits
    if held is None:
        return ""
    lost = f", {short(held.spent)} of which it could have started" if held.spent >= MINUTE else ""
    return f"By {CAUSES[held.cause]}, since {to_the_minute(held.since)}{lost}: {held.what}."


def asks(run: Run) -> bool:
    """Whether somebody should choose: the run needs a person, is held up, or its time is short."""
    return run.needs_person or warning(run) is not None


def warning(run: Run) -> Notice | None:
    """The notice that says what the run's state does not: that its time is short, or that it is held up."""
    held_up = {Kind.STALLED, Kind.REMINDER}
    return time_is_short(run) or (_last(run, held_up) if run.waits is not None and run.waits.told else None)


def time_is_short(run: Run) -> Notice | None:
    """The notice that says time is short, while it is and no person has let the run go on all the same."""
    late = run.times.slack is not None and run.times.slack < NOTHING
    if run.state not in ACTIVE or run.needs_person or not late or run.people.deadline_waived:
        return None
    return _last(run, {Kind.SLACK})


def _last(run: Run, kinds: Collection[Kind]) -> Notice | None:
    return next((notice for notice in reversed(run.story.notices) if notice.kind in kinds), None)


def asked(run: Run) -> Notice | None:
    """The notice whose sentences belong to what the run asks now."""
    last = next((notice for notice in reversed(run.story.notices) if notice.answers), None)
    return warning(run) or last


def answers(run: Run) -> tuple[str, ...]:
    """The commands a person may send now; an approval is asked for by the state, whatever was told before.

    A command that stands among the choices is not offered twice.
    """
    if run.state is RunState.AWAITING_APPROVAL:
        return (CommandKind.APPROVE, CommandKind.SKIP)
    notice = asked(run)
    told: tuple[CommandKind, ...] = (CommandKind.RESUME, CommandKind.SKIP)
    if notice and CommandKind.APPROVE not in notice.answers:
        told = notice.answers
    now_and_then = {CommandKind.LET_PASS, CommandKind.ACKNOWLEDGE}
    hidden = {choice.word for choice in choices(run) if not choice.to} | now_and_then
    passing = (CommandKind.LET_PASS,) if holding_up(run) is not None else ()
    taking = (CommandKind.ACKNOWLEDGE,) if run.ringing is not None else ()
    return (*(command for command in told if command not in hidden), *passing, *taking)


def label(run: Run, action: str) -> str:
    """What a button says that gives this command to this run."""
    if action == CommandKind.HOLD and run.state is RunState.AWAITING_APPROVAL:
        return "Not now"
    if action == CommandKind.SKIP and run.begun:
        return "Leave the rest to Azure"
    return ANSWERS.get(action, action)


def if_nobody_answers(run: Run, notice: Notice, now: datetime) -> str:
    """What happens if nobody answers, as of now: what the notice said may be past."""
    going = notice.otherwise and run.state in ACTIVE
    return unanswered.if_nobody_answers(run, now) if going else notice.otherwise


def choices(run: Run) -> tuple[Choice, ...]:
    """What would make the plan fit, while it does not."""
    if run.state is RunState.PAUSED and run.people.misfit:
        return run.people.choices
    late = time_is_short(run)
    return late.choices if late is not None else ()


def checked(run: Run) -> str:
    """How the checks came out: `16 passed, 2 not declared, 1 unknown (often-resized)`."""
    parts = []
    for outcome in Outcome:
        word = "blocking" if outcome is Outcome.BLOCK else OUTCOMES[outcome][1]
        names = [check.name for check in run.checks if check.outcome is outcome]
        which = f" ({', '.join(names[:6])})" if outcome in STANDS_OUT else ""
        if names:
            parts.append(f"{len(names)} {word}{which}")
    return ", ".join(parts)


def sentences(run: Run) -> tuple[str, ...]:
    """The checks that stand out, each with its sentence, unless the run's own reason says it already.

    Those of which the same is said share a sentence: before Azure has answered, that is most of them.
    """
    alike: dict[tuple[Outcome, str], list[str]] = {}
    for outcome in STANDS_OUT:
        for check in run.checks:
            if check.outcome is outcome and check.reason not in run.reason:
                alike.setdefault((outcome, check.reason), []).append(check.name)
    return tuple(
        f"{', '.join(names)} ({OUTCOMES[outcome][1]}): {one_line(reason, 600)}"
        for (outcome, reason), names in alike.items()
    )


def facts(run: Run, now: datetime) -> tuple[tuple[str, str], ...]:
    """The plan in figures and what is special about it, as terms and words."""
    times, going = run.times, run.state in ACTIVE
    found: dict[str, str] = {}
    if times.deadline and going:
        found["Deadline"] = ", ".join(filter(None, (say_how_far(times.deadline, now), slack(run))))
    if times.forecast_end and going:
        found["Expected end"] = say_how_far(times.forecast_end, now)
    found["Held up"] = waits(run)
    if holding_up(run) is not None:
        found["Holds up"] = unanswered.whom_held_up(run)
    if run.people.lets_pass and going:
        found["Limits"] = "It lets the others pass until it resumes."
    if (first := start_by(run)) is not None:
        found["Start by"] = f"{say_how_far(first, now)}, to make the deadline"
    found["Capacity"] = capacity(run)
    found["Second time"] = run.story.again
    found["Automatic repairs"] = repairs(run)
    found["Raised for this run"] = ", ".join(f"{key} {text}" for key, text in run.terms.raised.items())
    return tuple((term, one_line(text, 1500)) for term, text in found.items() if text)


def down(notice: Notice, most: int) -> tuple[str, ...]:
    """What a notice says is down, an instance a line; of more than `most` the rest is counted."""
    left = len(notice.down) - most
    named = (_down(instance, notice.sentence) for instance in notice.down[:most])
    return (*named, *((f"{many(left, 'more instance')} down; the page names them.",) if left > 0 else ()))


def _down(down: Down, told: str) -> str:
    """An instance that is down, with its error unless the notice tells it."""
    zone = f"zone {down.zone}" if down.zone and "zone" not in down.domain else ""
    place = ", ".join(filter(None, (zone, down.domain)))
    error = f" {down.error}" if down.error and down.error not in told else ""
    return f"Instance {down.instance}{f' ({place})' if place else ''}: {down.seen}.{error}"
