"""People as a rehearsal has them: asked once, they approve, or repair and resume; paged, they say so."""

from datetime import datetime, timedelta

from planner.record.command import Command, CommandKind
from planner.record.states import RunState
from planner.rehearsal.part import Part
from planner.rehearsal.trouble import Trouble
from planner.rehearsal.trouble import answer as drawn_answer

ACTOR = "somebody"


def answers_after(part: Part, trouble: Trouble, seed: int) -> timedelta | None:
    """How long the answer takes to what the run asks now; None where nobody answers."""
    approves = part.record.state is RunState.AWAITING_APPROVAL
    span = trouble.approves if approves else trouble.resumes
    return drawn_answer(trouble, span, seed, part.key, part.questions)


def answer(part: Part, now: datetime) -> Command:
    """The answer to what the run asks; what is down is repaired before it is resumed."""
    run = part.record
    name = f"{part.key} {part.questions}"
    if run.state is RunState.AWAITING_APPROVAL:
        return Command(name, CommandKind.APPROVE, ACTOR, "", now, checksum=run.people.checksum)
    part.machines.repair(now)
    return Command(name, CommandKind.RESUME, ACTOR, "", now)


def acknowledgement(part: Part, number: int, now: datetime) -> Command:
    """Somebody has read the page by the notice `number`, and sees to it."""
    return Command(f"{part.key} page {number}", CommandKind.ACKNOWLEDGE, ACTOR, "", now)
