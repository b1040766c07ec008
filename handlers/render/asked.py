"""The first lines of a message: what a run is about to do, what that takes away, how to answer."""

from datetime import datetime

from handlers.render import facts
from handlers.render.moments import Clock
from handlers.render.outside_text import one_line
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice
from planner.record.run import Run
from planner.record.states import ACTIVE, InstanceState, RunState
from planner.text.phrases import many, some

NAMED = 3
"""Instances that a headline or a line of advice names."""


def how(run: Run, clock: Clock) -> str:
    """What is still to be rebooted: `3 instances, one at a time, Sun 6 Dec 02:00-05:00 CET`; or empty."""
    left = [instance for instance in run.instances if instance.waiting]
    if not left or run.state not in ACTIVE:
        return ""
    more = "more " if run.begun else ""
    said = [many(len(left), f"{more}instance"), _pace(run), _span(run, clock)]
    return ", ".join(filter(None, said))


def _pace(run: Run) -> str:
    sizes = [number for batch in run.batches if (number := sum(each.waiting for each in batch.instances))]
    if sum(sizes) == 1:
        return ""
    if len(sizes) == 1:
        return "both at once" if sizes[0] == 2 else "all at once"
    return "one at a time" if max(sizes) == 1 else f"at most {max(sizes)} at a time"


def _span(run: Run, clock: Clock) -> str:
    first, end = facts.begins(run), run.times.forecast_end
    if first is not None and end is not None:
        return clock.span(max(first, clock.now), end) if end > clock.now else ""
    if first is not None:
        return f"not before {clock.at(first)}"
    return f"done by {clock.at(end)}" if end is not None and end > clock.now else ""


def at_most_down(run: Run) -> str:
    """`At most 1 of 3 is down at a time.`, of those that serve; empty where nothing is to go down."""
    most = max((sum(each.waiting for each in batch.instances) for batch in run.batches), default=0)
    of = run.fleet.serving or len(run.fleet.members)
    if not most or not of or run.state not in ACTIVE:
        return ""
    return f"At most {min(most, of)} of {of} {'is' if most == 1 else 'are'} down at a time."


def question(run: Run, clock: Clock) -> str:
    """What somebody is asked to approve, and what that takes away; empty where nobody is."""
    if run.state is not RunState.AWAITING_APPROVAL:
        return ""
    plan = how(run, clock)
    what = f"Approve rebooting {one_line(run.target.name, 80)}{f': {plan}' if plan else ''}."
    return " ".join(filter(None, (what, at_most_down(run))))


def failed(run: Run) -> tuple[InstanceProgress, ...]:
    """The instances that failed and that nobody has dealt with."""
    return tuple(each for each in run.instances if each.state is InstanceState.FAILED)


def instances(ids: tuple[str, ...]) -> str:
    """`instance 1`, `instances 1, 2 and 4 more`."""
    return f"instance{'s' if len(ids) > 1 else ''} {some(ids, most=NAMED)}"


def what_to_do(run: Run, notice: Notice) -> str:
    """What a person can do about a run that is paused or cannot be read, in one line."""
    if notice.kind is Kind.TROUBLE and run.gaps.trouble is not None and run.state in ACTIVE:
        return "Breakwater goes on trying. Check that Azure answers and its identity still has its role."
    if run.state is not RunState.PAUSED or notice.kind not in {Kind.PAUSED, Kind.REMINDER}:
        return ""
    left = tuple(each.id for each in run.instances if each.waiting)
    if run.people.holding:
        return "Resume it when you are ready, or leave it to Azure."
    if run.people.misfit:
        return "Choose below what to change, or leave it to Azure."
    if ill := failed(run):
        which = "it" if len(ill) == 1 else "them"
        rest = f"leave {instances(left)} to Azure" if left else f"skip {which}"
        return f"Fix {which} and resume, or {rest}."
    return "Settle it and resume, or leave it to Azure." if left else "Settle it and resume."


def answers(run: Run, notice: Notice) -> tuple[CommandKind, ...]:
    """What can be answered to a notice; to an approval, also that it is not the time."""
    if run.state is RunState.AWAITING_APPROVAL and CommandKind.APPROVE in notice.answers:
        return tuple(dict.fromkeys((*notice.answers, CommandKind.HOLD)))
    rings = run.ringing is not None
    return tuple(answer for answer in notice.answers if rings or answer is not CommandKind.ACKNOWLEDGE)


def left_to_answer(notice: Notice, now: datetime) -> bool:
    """Whether somebody is asked for something, and it is not too late."""
    return bool(notice.answers) and notice.answer_by is not None and notice.answer_by >= now
