"""What becomes of a run that waits for a person when nobody answers."""

from datetime import datetime

from planner.record.run import Run
from planner.schedule.latest_start import Latest, latest
from planner.words import standing_still as words


def if_nobody_answers(run: Run, now: datetime, last: Latest | None = None) -> str:
    """What a run that stands still comes to, until when an answer helps, and whom it holds up meanwhile.

    `last` is `latest(run, now)` where somebody has worked it out.
    """
    return f"{_comes_to(run, last or latest(run, now))} {held_up(run)}".strip()


def _comes_to(run: Run, last: Latest) -> str:
    left = sum(instance.waiting for instance in run.instances)
    if run.times.self_service is None or not left:
        return words.NOTHING_MORE_STARTED
    what = _what(run, left)
    if last.anything is None:
        return words.too_late_to_answer(run.times.self_service.end, what)
    if last.everything is None:
        return words.answer_for_some(last.anything, what)
    if last.everything < last.anything:
        return words.answer_for_all_or_some(last.everything, last.anything, what)
    return words.answer_in_time(last.everything, what)


def _what(run: Run, left: int) -> str:
    """Which instances Azure reboots then, and when."""
    window = run.times.scheduled
    between = (window.start, window.end) if window is not None else None
    return words.rebooted_by_azure(left, len(run.instances), between)


def held_up(run: Run) -> str:
    """Whom a paused run holds up, and until when they fit; empty where it holds up nobody."""
    who = whom_held_up(run)
    return words.holds_up(who) if who else ""


def whom_held_up(run: Run) -> str:
    """The same from the scale sets on."""
    others = run.standing.holds_up
    if others is None or not others.sets or run.people.lets_pass:
        return ""
    return words.other_scale_sets(others.sets, others.regions, others.until)
