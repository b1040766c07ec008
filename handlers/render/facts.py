"""What there is to know about a run beside its state: the same words on pages, in mail, cards and JSON."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from handlers.render.vocabulary import OUTCOMES
from handlers.render.words import count, one_line, span, when, when_and_how_far
from planner.record.batch import Batch
from planner.record.cause import FOR
from planner.record.check import Check, Outcome
from planner.record.notice import Choice, Kind, Notice
from planner.record.run import Run
from planner.record.states import ACTIVE, RunState
from planner.record.waits import HeldUp
from planner.schedule.capacity import share
from planner.state.journal import whom_held_up

NOTHING, MINUTE = timedelta(0), timedelta(minutes=1)
STANDS_OUT = (Outcome.BLOCK, Outcome.UNKNOWN, Outcome.ACCEPTED)
"""Outcomes a reader wants to see first; the rest passed."""


def begun(run: Run) -> bool:
    """Whether anything of the run has been started."""
    return run.begun


def start_by(run: Run) -> datetime | None:
    """The latest first start that meets the deadline; says nothing once something was started."""
    return run.times.start_by if run.state in ACTIVE and not begun(run) else None


def plan(run: Run, now: datetime) -> str:
    """Who goes down together, from when on and until when; empty without a plan of ours."""
    if not run.batches or run.state not in ACTIVE:
        return ""
    said = f"{count(len(run.instances), 'instance')} in {count(len(run.batches), 'batch', 'batches')}"
    domains = "; ".join(dict.fromkeys(one_line(batch.domain, 100) for batch in run.batches[:6]))
    said += f" ({domains}{'; …' if len(run.batches) > 6 else ''})"
    first = next((batch.not_before for batch in run.batches if batch.not_before), run.times.lead_over)
    if first is not None and not begun(run):
        said += f", the first not before {when_and_how_far(first, now)}"
    if run.times.forecast_end is not None:
        said += f", done by {when(run.times.forecast_end)} by our forecast"
    return f"{said}."


def capacity(run: Run) -> str:
    """What the batches to come take away, in a sentence; empty when none is to come."""
    return run.fleet.capacity if run.state in ACTIVE else ""


def takes_away(run: Run, batch: Batch) -> int | None:
    """How many percent of the serving instances a batch of ours takes away; Azure goes its own way."""
    return share(batch, run.fleet.serving) if run.state is not RunState.LEFT_TO_AZURE else None


def slack(run: Run) -> str:
    """`slack 2 d 18 h`, or by how much the forecast misses the deadline; empty when nobody can say."""
    if run.times.slack is None:
        return ""
    return (
        f"slack {span(run.times.slack)}"
        if run.times.slack >= NOTHING
        else f"{span(-run.times.slack)} too late"
    )


def repairs(run: Run) -> str:
    """Since when automatic repairs are suspended, and what ends that; empty when this run has not done it."""
    held = run.repairs
    if held is None:
        return ""
    said = "Suspended" if held.seen_suspended or held.resuming_since else "Being suspended"
    words = f"{said} by this run since {when(held.since)}"
    if held.resuming_since is not None:
        words += f", and being resumed since {when(held.resuming_since)}."
    else:
        words += "; they are resumed as soon as nothing of it reboots or is being verified."
    return f"{words} {f'Azure said: {held.error}' if held.error else ''}".strip()


def holding_up(run: Run) -> HeldUp | None:
    """The scale sets that wait for a limit while it is paused; None when nobody does."""
    paused = run.state is RunState.PAUSED and not run.people.lets_pass
    return (
        run.standing.holds_up
        if paused and run.standing.holds_up is not None and run.standing.holds_up.sets
        else None
    )


def waits(run: Run) -> str:
    """What keeps it back although it may start by its times, since when, and how long that cost it."""
    held = run.waits
    if held is None:
        return ""
    lost = f", {span(held.spent)} in which it could have started" if held.spent >= MINUTE else ""
    return f"For {FOR[held.cause]}, since {when(held.since)}{lost}: {held.what}."


def raised(run: Run) -> str:
    """What people have raised for this run alone: `soak 10m, lead 0m`."""
    return ", ".join(f"{key} {text}" for key, text in run.terms.raised.items())


def short(run: Run) -> Notice | None:
    """The notice that says time is short, while it is and no person has let the run go on all the same."""
    late = run.times.slack is not None and run.times.slack < NOTHING
    if run.state not in ACTIVE or run.needs_person or not late or run.people.deadline_waived:
        return None
    return next((notice for notice in reversed(run.story.notices) if notice.kind is Kind.SLACK), None)


def held(run: Run) -> Notice | None:
    """The notice that it is held up, while it is and people were told."""
    if run.waits is None or not run.waits.told:
        return None
    kinds = {Kind.STALLED, Kind.REMINDER}
    return next((notice for notice in reversed(run.story.notices) if notice.kind in kinds), None)


def choices(run: Run) -> tuple[Choice, ...]:
    """What would make the plan fit, while it does not."""
    if run.state is RunState.PAUSED and run.people.misfit:
        return run.people.choices
    warning = short(run)
    return warning.choices if warning is not None else ()


def standing_out(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that block, could not be read, or are accepted, in this order."""
    found = (check for check in checks if check.outcome in STANDS_OUT)
    return tuple(sorted(found, key=lambda one: STANDS_OUT.index(one.outcome)))


def checked(run: Run) -> str:
    """How the checks came out: `16 passed, 2 not declared, 1 unknown (often-resized)`."""
    counts = Counter(check.outcome for check in run.checks)
    parts = []
    for outcome in Outcome:
        word = "blocking" if outcome is Outcome.BLOCK else OUTCOMES[outcome][1]
        if counts[outcome]:
            names = [check.name for check in run.checks if check.outcome is outcome]
            which = f" ({', '.join(names[:6])})" if outcome in STANDS_OUT else ""
            parts.append(f"{counts[outcome]} {word}{which}")
    return ", ".join(parts)


def sentences(run: Run) -> tuple[str, ...]:
    """The checks that stand out, each with its sentence, unless the run's own reason says it already."""
    return tuple(
        f"{one.name} ({OUTCOMES[one.outcome][1]}): {one_line(one.reason, 600)}"
        for one in standing_out(run.checks)
        if one.reason not in run.reason
    )


def facts(run: Run, now: datetime) -> tuple[tuple[str, str], ...]:
    """The plan in figures and what is special about it, as terms and words."""
    first, going = start_by(run), run.state in ACTIVE
    by = f"{when_and_how_far(run.times.deadline, now)}, {slack(run)}".strip(", ")
    given = (
        ("Deadline", by if run.times.deadline and going else ""),
        (
            "Forecast end",
            when_and_how_far(run.times.forecast_end, now) if run.times.forecast_end and going else "",
        ),
        ("Waits", waits(run)),
        (
            "Holds up",
            whom_held_up(run) if holding_up(run) is not None else "",
        ),
        ("Limits", "It lets the others pass until it goes on." if run.people.lets_pass and going else ""),
        ("Start by", f"{when_and_how_far(first, now)}, to meet the deadline" if first else ""),
        ("Capacity", capacity(run)),
        ("Second time", run.story.again),
        ("Automatic repairs", repairs(run)),
        ("Raised for this run", raised(run)),
    )
    return tuple((term, one_line(text, 1500)) for term, text in given if text)


def more_down(left: int) -> str:
    """What stands for the instances a long list leaves out."""
    return f"And {count(left, 'more instance')} down."
