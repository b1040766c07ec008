"""What becomes of a run that waits for a person when nobody answers."""

from datetime import datetime

from planner.record.run import Run
from planner.schedule.latest_start import latest
from planner.text.phrases import many, say


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
