"""What becomes of a run that waits for a person when nobody answers."""

from datetime import datetime

from planner.record.run import Run
from planner.schedule.latest_start import Latest, latest
from planner.text.phrases import many, say


def if_nobody_answers(run: Run, now: datetime, last: Latest | None = None) -> str:
    """What a run that stands still comes to, until when an answer helps, and whom it holds up meanwhile.

    `last` is `latest(run, now)` where somebody has worked it out.
    """
    return f"{_comes_to(run, last or latest(run, now))} {held_up(run)}".strip()


def _comes_to(run: Run, last: Latest) -> str:
    left = sum(instance.waiting for instance in run.instances)
    if run.times.self_service is None or not left:
        return "If nobody answers, nothing more is started."
    what = _what(run, left)
    if last.anything is None:
        closing = say(run.times.self_service.end)
        return (
            "It is too late to answer: nothing more can start before the self-service window closes at "
            f"{closing}, and Azure reboots {what}."
        )
    if last.everything is None:
        by = say(last.anything)
        return f"If nobody answers by {by}, Azure reboots {what}. Part of it is too late already."
    if last.everything < last.anything:
        return (
            f"If nobody answers by {say(last.everything)}, not all of it fits; by {say(last.anything)} "
            f"nothing does, and Azure reboots {what}."
        )
    return f"If nobody answers by {say(last.everything)}, Azure reboots {what}."


def _what(run: Run, left: int) -> str:
    """Which instances Azure reboots then, and when: `all 3 at a time it chooses between ... and ...`."""
    of = len(run.instances)
    if left == of:
        which = "it" if left == 1 else "both" if left == 2 else f"all {left}"
    else:
        which = "the one that is left" if left == 1 else f"the {left} that are left"
    window = run.times.scheduled
    when = f" between {say(window.start)} and {say(window.end)}" if window else ""
    return f"{which} at a time it chooses{when}"


def held_up(run: Run) -> str:
    """Whom a paused run holds up, and until when they fit; empty where it holds up nobody."""
    who = whom_held_up(run)
    return f"Holds up {who}" if who else ""


def whom_held_up(run: Run) -> str:
    """The same from the scale sets on."""
    others = run.standing.holds_up
    if others is None or not others.sets or run.people.lets_pass:
        return ""
    where = f" in {', '.join(others.regions)}" if others.regions else ""
    if others.until is None:
        fit = ""
    elif others.sets == 1:
        fit = f"; it still fits until {say(others.until)}"
    else:
        fit = f"; they still fit until {say(others.until)}"
    return f"{many(others.sets, 'other scale set')}{where}{fit}."
