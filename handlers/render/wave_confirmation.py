"""What a command for a whole wave would do, before a person says it: to whom, and what it undoes."""

from collections.abc import Callable, Sequence
from datetime import datetime

from handlers.render.clock import said, zone_of
from handlers.render.confirmation import IDS, MOST_ROWS, UNCHANGED, Confirmation, Row
from handlers.wire.wave_request import WaveRequest
from planner.azure.fleet import natural
from planner.places.outlook import Outlook
from planner.policy.limits import numbers
from planner.record.command import CommandKind
from planner.record.run import Run
from planner.text.phrases import many, some, to_the_minute


def wave_confirmation(asked: WaveRequest, seen: Outlook, runs: Sequence[Run]) -> Confirmation:
    """What would become of these runs, which have no place in time, or of the limits that hold them."""
    if asked.limits:
        return _limits(asked, seen, runs)
    if asked.command.kind is CommandKind.SKIP:
        return _skipped(seen, runs)
    return _raised(asked, seen, runs)


def to_go_on(actor: str, since: datetime, sets: int) -> Confirmation:
    """What becomes of a command that somebody gave and that may not have reached every scale set."""
    whom = f"each of {many(sets, 'scale set')} that has not heard it" if sets else "the limits"
    return Confirmation(
        label="Go on with it",
        happens=(f"It is said to {whom}, as {actor} said it. What is done stays as it is.",),
        caption="",
        rows=(),
        more="",
        undoes="Nothing that was not to be undone before.",
        back="As for the command itself.",
        lead=f"{actor} began with this at {to_the_minute(since)}, and it is not known to be done.",
    )


def _limits(asked: WaveRequest, seen: Outlook, runs: Sequence[Run]) -> Confirmation:
    now, more = numbers(seen.limits), asked.limits.items()
    what = " and ".join(f"`{key}` goes from {now.get(key, 0)} to {most}" for key, most in more)
    return Confirmation(
        label=f"Raise {' and '.join(f'{key} to {most}' for key, most in more)}",
        happens=(
            f"{what}, in subscription {seen.subscription}, until the wave is over: so many go down at once.",
            f"{many(len(runs), 'scale set')} without a place in time then {_have(runs)} one.",
            UNCHANGED,
        ),
        caption="What has no place in time now",
        rows=_rows(runs, lambda _: "as soon as it has a place"),
        more=_more(runs),
        undoes="The smaller number in the policy file, until the wave is over.",
        back="No command takes it back. To stop everything, set `stop: true` in the policy file.",
        first="Scale set",
        lead=seen.sentence,
    )


def _skipped(seen: Outlook, runs: Sequence[Run]) -> Confirmation:
    left = (
        f"{many(len(runs), 'scale set')} with {_instances(runs)} {_are(runs)} left to Azure, which restarts "
        "what is left to it in its own window, in an order of its own."
    )
    return Confirmation(
        label=f"Leave {many(len(runs), 'scale set')} to Azure",
        happens=(left,),
        caption="What will be left to Azure",
        rows=_rows(runs, _azures_turn),
        more=_more(runs),
        undoes="Their plans: Breakwater will not start them in this wave.",
        back="No command takes it back.",
        first="Scale set",
        lead=seen.sentence,
    )


def _raised(asked: WaveRequest, seen: Outlook, runs: Sequence[Run]) -> Confirmation:
    what = ", ".join(f"{key} {text}" for key, text in asked.command.raised.items())
    anew = (
        f"A new plan is made for each of {many(len(runs), 'scale set')}, with {what}, for this wave alone. "
        "What fits is carried out without asking again, unless its mode is `approve`."
    )
    return Confirmation(
        label=f"Plan {many(len(runs), 'scale set')} anew: {what}",
        happens=(anew, UNCHANGED),
        caption="What the new plans are for, and the windows of the present ones",
        rows=_rows(runs, _windows),
        more=_more(runs),
        undoes="The present plans, and their approvals where those were for other times.",
        back="Change it again by the command `raise`. What has been started by then is not taken back.",
        first="Scale set",
        lead=seen.sentence,
    )


def _rows(runs: Sequence[Run], when: Callable[[Run], str]) -> tuple[Row, ...]:
    return tuple(
        Row(run.target.name, some(sorted(_waiting(run), key=natural), most=IDS), when(run))
        for run in runs[:MOST_ROWS]
    )


def _waiting(run: Run) -> list[str]:
    return [one.id for one in run.instances if one.waiting]


def _more(runs: Sequence[Run]) -> str:
    left = len(runs) - MOST_ROWS
    return f"{many(left, 'more scale set')}: the wave's page has them." if left > 0 else ""


def _azures_turn(run: Run) -> str:
    theirs = run.times.scheduled
    if theirs is None:
        return "when Azure likes"
    zone = zone_of(run)
    return f"between {said(theirs.start, zone)} and {said(theirs.end, zone)}"


def _windows(run: Run) -> str:
    return "; ".join(str(window) for windows in run.terms.windows for window in windows) or "any time"


def _instances(runs: Sequence[Run]) -> str:
    return many(sum(map(len, map(_waiting, runs))), "instance")


def _are(runs: Sequence[Run]) -> str:
    return "is" if len(runs) == 1 else "are"


def _have(runs: Sequence[Run]) -> str:
    return "has" if len(runs) == 1 else "have"
