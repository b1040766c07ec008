"""What people's commands are answered, and what they leave in the history."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from planner.text.phrases import many, say, some

TOO_LATE = "Came too late:"
NOT_APPLIED = "Not applied:"
"""How the history's line of a command begins that has changed nothing."""

NO_REASON = "No reason given."


def nothing_to_do(state: str, command: str, why: str) -> str:
    """The run is over or hands off; `why` is its own sentence."""
    return f"The run is {state}, there is nothing to {command}. {why}"


def too_late(state: str) -> str:
    return f"{TOO_LATE} the run is {state}."


def not_applied(why: str) -> str:
    return f"{NOT_APPLIED} {why}"


def values(raised: Mapping[str, str]) -> str:
    """What a command raises: `soak 10m, lead 0m`."""
    return ", ".join(f"{key} {value}" for key, value in raised.items())


def raised(what: str, why: str) -> str:
    """The history's line of a command that raises something."""
    return f"{what}. {why}"


def left_out(why: str, what: str) -> str:
    """The history's line of a command that skips; `what` says of which instances."""
    return f"{why} ({what})"


def approved(actor: str) -> str:
    return f"Approved by {actor}."


def held(actor: str, comment: str) -> str:
    return f"Held by {actor}: {comment or 'no reason given'}"


def held_and_more(holding: str, beneath: str) -> str:
    """A hold, and what the run is paused for apart from that."""
    return f"{holding.rstrip('.')}. Apart from the hold: {beneath}"


def quarantined(error: str) -> str:
    return f"A message about it failed five times and is in quarantine: {error}"


def resumed(actor: str, comment: str) -> str:
    return f"Resumed by {actor}. {comment}".strip()


def skipped_by(actor: str, comment: str) -> str:
    return f"Skipped by {actor}. {comment}".strip()


def raised_by(actor: str, what: str) -> str:
    """Why a new plan is asked for."""
    return f"{actor} raised {what} for this run"


def acknowledged(actor: str, comment: str, down: Sequence[str], deadline: datetime | None) -> str:
    """`down` are the instances that are down still; with a `deadline` nothing is, and time is short."""
    why = f": {comment.rstrip('.')}" if comment else ""
    left = f"Still down: instance{'s' if len(down) > 1 else ''} {some(down)}."
    if deadline is not None:
        left = f"The plan still does not fit before {say(deadline)}."
    return f"{acknowledged_by(actor)}{why}. {left}"


def acknowledged_by(actor: str) -> str:
    return f"{actor} has acknowledged it"


def new_plan_with(what: str) -> str:
    return f"A new plan is made with {what}."


STAYS_PAUSED = "It stays paused until somebody resumes it."
OTHERS_MAY_START = "The others may start now; it needs a place again before it goes on."


def pages_nobody(*, paused: bool) -> str:
    again = "It pages nobody any more until something else does."
    return f"{again} The run stays paused." if paused else again


def holds(unsent: Sequence[str], in_flight: int) -> str:
    """What a hold does: `unsent` may have been sent since, so many reboots are in progress."""
    said = "Held: nothing new starts from now on."
    if unsent:
        said += f" On its way already, and may still go out: {some(unsent)}."
    if in_flight:
        said += f" Reboots in progress will finish: {many(in_flight, 'instance')} watched until healthy."
    return said


def skips(ids: Iterable[str], rest: str) -> str:
    """What a command skips; `rest` says where those stand that it names and does not skip."""
    said = f"Skipped: {some(ids)}."
    return f"{said} Not skipped: {rest}." if rest else said


def standing(by_state: Mapping[str, Sequence[str]]) -> str:
    """Where instances stand: `0, 3 rebooted, 4 rebooting`."""
    return ", ".join(f"{some(ids)} {state}" for state, ids in by_state.items())


def no_such_instance(names: Iterable[str], can_skip: str) -> str:
    """`can_skip` is what can be skipped, a sentence, here and below."""
    return f"The plan has no instance {some(names)}. {can_skip}"


def no_such_domain(names: Iterable[str], domains: Iterable[str]) -> str:
    return f"The plan has no domain {some(names, '; ')}. It has {some(domains, '; ')}."


def cannot_be_skipped(stand: str, can_skip: str) -> str:
    return f"Nothing of that can be skipped: {stand}. {can_skip}"


def nothing_left_to_skip(counts: str, can_skip: str) -> str:
    return f"Nothing is left to skip; name what you mean: {counts or 'it has no plan'}. {can_skip}"


NOTHING_CAN_BE_SKIPPED = "Nothing can be skipped any more."


def can_be_skipped(by_domain: Iterable[tuple[str, Sequence[str]]], failed: Sequence[str]) -> str:
    """Domains with what of them can be skipped; what has failed has to be named."""
    parts = [f"{some(ids)} ({domain})" for domain, ids in by_domain]
    by_name = f" Failed, so skipped only by name or domain: {some(failed)}." if failed else ""
    return f"What can be skipped: {some(parts, '; ')}.{by_name}"


def mode_asks_nobody(mode: str) -> str:
    return f"Nothing waits for approval: its mode is {mode}."


APPROVED_ALREADY = "Nothing waits for approval: what is left of the plan is approved already."


def names_no_plan(checksum: str) -> str:
    return f"An approval names the plan it is for, in `checksum`. {_plan_now(checksum)}"


def for_another_plan(approved: str, checksum: str) -> str:
    return f"The plan has changed since you saw it: this approval is for {approved}. {_plan_now(checksum)}"


def _plan_now(checksum: str) -> str:
    return f"The plan is {checksum} now: look at it, then approve it with that checksum."


def held_already(why: str) -> str:
    return f"It is held already. {why}"


PAUSED_ALREADY = "It is paused for this already."


def waits_for_approval(checksum: str, why: str) -> str:
    return f"It is not paused, it waits for approval: approve the plan {checksum}. {why}"


def not_paused(state: str, why: str) -> str:
    return f"It is neither held nor paused: it is {state}. {why}"


RAISES_NOTHING = "It names nothing to raise."


def raised_already(values: str) -> str:
    return f"This run has that already: {values}."


def nothing_pages(state: str, why: str) -> str:
    return f"Nothing of it pages: the run is {state}. {why}"


EARLIER_TROUBLE = "It was about an earlier trouble; something else has happened since. Look at the run again."


def taken_already(actor: str, at: datetime) -> str:
    return f"{actor} has taken it already, at {say(at)}."


def only_paused_lets_pass(state: str) -> str:
    return f"The run is {state} and not paused: only a paused run can let the others pass."


LETS_OTHERS_GO_ALREADY = "It lets the others pass already."
TAKES_NO_PLACE = "Nothing of it was started, so it takes no place and holds up nobody."


def still_watched(instance: str) -> str:
    return f"Instance {instance} is still being watched after its start; try again once that is over."
