"""What is said of a run that stands still: what holds it up, what helps, and what happens otherwise."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.text.phrases import inner, long, lower, many, say

CAUSES = {
    "neighbour": "an unhealthy instance",
    "scale_set": "an operation on the scale set",
    "room": "instances that are down already",
    "limit": "the limits",
    "predecessor": "a scale set that goes first",
    "unreadable": "something Azure does not show",
    "health": "missing application health",
    "repairs": "automatic repairs",
    "not_startable": "an instance that Azure does not let us start",
    "plan": "a new plan that does not come",
}
"""What holds scale sets up, in a digest's words: `2 are held up by the limits`."""

WAY_ON = {
    "neighbour": "Get that instance healthy, delete it, or leave the rest to Azure: nothing starts while "
    "another instance is unhealthy.",
    "scale_set": "Wait for the operation to end; failed provisioning clears with the next update of the "
    "scale set that succeeds. If the instances are fine anyway, accept `provisioning-failed` for this run "
    "(`raise` with `accept`) or for the scale set (policy file, or tag breakwater-accept).",
    "room": "Get the other instances healthy, or raise `max-unavailable` for this run.",
    "limit": "It goes on when one of those under way is done. To go faster, raise the limit in the "
    "policy file or for the wave, or, if one of them is paused, let the others pass (`let-pass`).",
    "predecessor": "Look at the scale set that goes first, or take it out of `after`.",
    "unreadable": "Look at the scale set in the portal: if it shows there what is missing here, check "
    "the role of the app's identity; if not, ask Azure support.",
    "health": "Install the application health extension or a load balancer probe, or set `health: "
    "if-reported` for this scale set in the policy file. Waiting does not help.",
    "repairs": "Look at the scale set's automatic repairs in the portal, or accept `automatic-repairs` "
    "for it: then they stay on.",
    "not_startable": "Start the instance if it is off, wait for an operation on it to end, or skip it.",
    "plan": "A new plan was asked for again and again and changed nothing: check the app's log and its "
    "quarantine for what keeps it from being made.",
}
"""What somebody can do about it, for the notice."""


TAKEN_UP_AGAIN = (
    "The platform ran no poll of it for more than half an hour. It is taken up again where it stood: nothing "
    "was started in that time, and nobody has to do anything. Its history says from when to when."
)


def not_polled(since: datetime, until: datetime) -> str:
    """No function of the app ran for a run that was due: for want of a worker, or a host that kept dying."""
    return (
        f"No poll of it ran from {say(since)} to {say(until)} ({long(until - since)}): the platform had no "
        "worker for it, or lost its messages. Nothing was started in that time."
    )


def held_up(since: datetime, spent: timedelta, why: str, *, windows: bool) -> str:
    """What it waits for and since when; how long of that it could have started, where `windows` are less."""
    lost = f" ({long(spent)}{' inside its windows' if windows else ''})" if spent else ""
    return f"Held up since {say(since)}{lost}: {why}."


def held_up_since(reason: str, since: datetime) -> str:
    """A run's reason, followed by since when it has been held up."""
    return f"{reason} Held up since {say(since)}."


def still_paused(reason: str) -> str:
    return f"Still paused: {reason.rstrip('.')}."


STILL_WAITING_FOR_APPROVAL = "Still waiting for approval."


def still_stopped(why: str) -> str:
    return f"Still stopped: {inner(why)}."


def still(sentence: str) -> str:
    return f"Still {lower(sentence)}"


def fits_if_settled(by: datetime, left: timedelta) -> str:
    """It fits if the matter is settled by then; `left` is how long that is, nothing where it is now."""
    how_far = f", {long(left)} from now" if left else ""
    return f"It still fits if that is settled by {say(by)}{how_far}."


def partly_too_late(last: datetime) -> str:
    return f"Not all of it fits any more; something can still start until {say(last)}."


TOO_LATE = "Nothing more can start in time."

NOTHING_MORE_STARTED = "If nobody answers, nothing more is started."


def too_late_to_answer(closes: datetime, what: str) -> str:
    """`what` is what Azure reboots then, here and below: see `rebooted_by_azure`."""
    return (
        "It is too late to answer: nothing more can start before the self-service window closes at "
        f"{say(closes)}, and Azure reboots {what}."
    )


def answer_in_time(by: datetime, what: str) -> str:
    return f"If nobody answers by {say(by)}, Azure reboots {what}."


def answer_for_some(by: datetime, what: str) -> str:
    return f"{answer_in_time(by, what)} Part of it is too late already."


def answer_for_all_or_some(everything: datetime, anything: datetime, what: str) -> str:
    return (
        f"If nobody answers by {say(everything)}, not all of it fits; by {say(anything)} "
        f"nothing does, and Azure reboots {what}."
    )


def rebooted_by_azure(left: int, instances: int, between: tuple[datetime, datetime] | None) -> str:
    """Which instances Azure reboots, and when: `all 3 at a time it chooses between ... and ...`."""
    if left == instances:
        which = "it" if left == 1 else "both" if left == 2 else f"all {left}"
    else:
        which = "the one that is left" if left == 1 else f"the {left} that are left"
    when = f" between {say(between[0])} and {say(between[1])}" if between else ""
    return f"{which} at a time it chooses{when}"


def holds_up(who: str) -> str:
    return f"Holds up {who}"


def other_scale_sets(number: int, regions: Sequence[str], fit_until: datetime | None) -> str:
    """Whom a run holds up, and until when they fit."""
    where = f" in {', '.join(regions)}" if regions else ""
    they = "it still fits" if number == 1 else "they still fit"
    fit = f"; {they} until {say(fit_until)}" if fit_until is not None else ""
    return f"{many(number, 'other scale set')}{where}{fit}."
