"""What a start waits for: a reason that follows `Waiting:`, and begins and ends as the part of a sentence."""

from datetime import datetime, timedelta

from planner.text.phrases import long, say

APPROVAL = "approval"
POLL = "a poll of Azure"
NOTHING_LEFT = "nothing is left to start"

LEAD_TIME = "the lead time"
SELF_SERVICE_WINDOW = "the self-service window"
NEXT_ATTEMPT = "its next attempt"
ITS_TIME = "its time"


def waiting(reason: str) -> str:
    return f"Waiting: {reason}."


def waiting_for(what: str) -> str:
    return f"Waiting for {what}."


def until(what: str, at: datetime) -> str:
    return f"{what} until {say(at)}"


def next_attempt_at(at: datetime) -> str:
    return f"{NEXT_ATTEMPT} at {say(at)}"


def frozen_until(end: datetime, reason: str) -> str:
    return f"a freeze until {say(end)} ({reason})"


def next_window(opens: datetime) -> str:
    return f"the next window opens {say(opens)}"


def window_too_short(closes: datetime, lasting: timedelta, opens: datetime) -> str:
    """The open window closes too soon, the next one opens `opens`."""
    return (
        f"the time until {say(closes)} is shorter than the {long(lasting)} a batch is expected to "
        f"take; {next_window(opens)}"
    )


def no_window_long_enough(lasting: timedelta) -> str:
    return f"no window in the next 60 days is as long as the {long(lasting)} a batch is expected to take"


def no_time(freeze: str) -> str:
    """`freeze` is the one that lasts that long; empty where all of them together leave no time."""
    leave = f"{freeze} leaves" if freeze else "freezes and windows leave"
    return f"{leave} no time in the next 60 days"


def self_service_too_short(closes: datetime, expected: timedelta) -> str:
    return (
        f"nothing any more: the self-service window closes at {say(closes)}, sooner than the "
        f"{long(expected)} a batch is expected to take"
    )


def goes_first(name: str, state: str | None) -> str:
    """Another scale set goes first; `state` is that of its run, None without one."""
    return f"{name} goes first and {f'is {state}' if state else 'has not been planned yet'}"


def first_ended_badly(name: str, state: str) -> str:
    """A sentence for whoever has to say whether to go ahead: the scale set before it ended in `state`."""
    return f"It goes after {name}, whose run ended as {state}. Resume to go ahead anyway."


def look_back(days: int) -> str:
    return f"what Azure shows of its last {days} days, which is still being read"


def room_in_batch(allowed: int) -> str:
    return f"{allowed} instances may be down at once, no more for now"


def others_down(number: int, names: str, allowed: int) -> str:
    others = "1 other instance is" if number == 1 else f"{number} other instances are"
    return f"{others} down ({names}) and {allowed} may be down at once"


def nothing_startable(domain: str, instance: str, seen: str) -> str:
    """No instance of `domain` may be started; `seen` is how one of them was last seen, if one was."""
    example = f" (instance {instance}: {seen})" if instance else ""
    return f"an instance of {domain} that may be started{example}"
