"""What is said of one instance: where it stands, how it was last seen, and what became of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from planner.text.phrases import long, say

_STATES: Mapping[str, str] = MappingProxyType(
    {"maintained": "rebooted", "by_azure": "by Azure", "aside": "set aside"}
)
"""What people call a state, where that is not its name."""


def standing(state: str) -> str:
    """An instance's state, in words for people."""
    return _STATES.get(state, str(state))


def counted(states: Iterable[str]) -> str:
    """How many instances stand where: `3 rebooted, 1 skipped`."""
    return ", ".join(f"{number} {standing(state)}" for state, number in Counter(states).items())


NO_HEALTH = "reports no health"
HEALTH_UNKNOWN = "health unknown"
SILENT_AS_BEFORE = "reporting no health, as before,"
"""How an instance without a verdict of its health was seen."""


def off(power: str) -> str:
    return f"It is {power}."


DELETED = "The instance was deleted."
SCALE_SET_DELETED = "The scale set was deleted."

CANCELLED_BEFORE_START = "The wave was cancelled before it was started."
STATUS_GONE = "Azure shows no maintenance for it any more; a second poll has to confirm it."
STATUS_BACK = "Azure shows its maintenance again."
NOT_STARTED_HERE = "Its maintenance status is gone and nobody here started it."
BY_OTHERS = "Rebooted by Azure, or by somebody outside of Breakwater."


def maybe_by_others(result: str) -> str:
    return f"Azure shows {result}, and nobody here started it; a second poll has to confirm it."


def window_closed(closed: datetime, azures: tuple[datetime, datetime] | None) -> str:
    """The self-service window closed before its start; Azure reboots it in its own, if that is known."""
    later = f" Azure reboots it between {say(azures[0])} and {say(azures[1])}." if azures else ""
    return f"The self-service window closed at {say(closed)} before it was started.{later}"


OPERATION_SUCCEEDED = "Azure's operation succeeded"
STATUS_GONE_AFTER_START = "its maintenance status is gone"
WENT_DOWN_AND_NO_LONGER_OFFERED = "it went down and Azure no longer offers its maintenance"
"""Proofs of its maintenance."""


def result_changed(result: str) -> str:
    return f"its result code changed to {result}"


def proven(proof: str) -> str:
    return f"{rebooted(proof)}; waiting for it to be healthy."


def rebooted(proof: str) -> str:
    """The beginning of a sentence."""
    return f"Rebooted ({proof})"


def still_offered(proof: str) -> str:
    return f"{rebooted(proof)} and healthy, but Azure still offers its maintenance."


def maintained(proof: str, health: str) -> str:
    return f"Rebooted: {proof}, running and {health} on two polls."


def operation_failed(status: str, code: str, message: str) -> str:
    error = f"{code}: {message}".strip(": ")
    return f"Azure's operation ended {status}: {error}"


FAILED_AND_CALLED_OFF = (
    "Azure's operation failed, but its maintenance status is gone and it is healthy: nothing left to do."
)


def minutes(time: timedelta) -> str:
    """How long something may take, as it is said of an instance: `60 minutes`."""
    seconds = int(time.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def without_proof(started: datetime, within: timedelta, seen: str) -> str:
    """`seen` is how it was last seen, here and below."""
    return (
        f"Started at {say(started)}; after {minutes(within)} nothing proves that it "
        f"was rebooted (last seen: {seen})."
    )


def not_back(rebooted_at: datetime, within: timedelta, seen: str) -> str:
    return (
        f"Rebooted {say(rebooted_at)}, still not healthy {minutes(within)} after its start "
        f"(last seen: {seen})."
    )


def no_longer_serving(healthy_at: datetime, since: datetime, seen: str) -> str:
    return f"Rebooted and healthy at {say(healthy_at)}, unhealthy since {say(since)} ({seen})."


def stopped_later(actor: str) -> str:
    return f"Rebooted; stopped since by {actor}."


def stopped(before: str, actor: str) -> str:
    """`before` is what had happened to it, the beginning of a sentence, here and below."""
    return f"{before}, then stopped by {actor}."


def off_by_somebody(healthy_at: datetime, power: str) -> str:
    return f"Rebooted and healthy at {say(healthy_at)}, then {power} by somebody."


def off_for_now(before: str, power: str) -> str:
    return f"{before}, and it is {power}; a second poll has to confirm it."


def off_by_nobody(before: str, power: str) -> str:
    return f"{before}, and it did not come back: it is {power}, and nobody is known to have stopped it."


def for_a_person(reason: str) -> str:
    """A failed instance, with its reason, when nothing can be tried again."""
    return f"{reason} The self-service window has closed; somebody has to look at it."


def down_since(at: datetime, seen: str) -> str:
    return f"Down since {say(at)} ({seen})."


def unhealthy_since(at: datetime, seen: str) -> str:
    return f"Unhealthy since {say(at)} ({seen})."


BY_AZURE_UNSEEN = "Rebooted by Azure between two polls, healthy afterwards."


def by_azure(down: datetime, up: datetime) -> str:
    return f"Rebooted by Azure: down from {say(down)} to {say(up)} ({long(up - down)}), healthy afterwards."


def by_azure_and_down(down: datetime, now: datetime, seen: str) -> str:
    return (
        f"Rebooted by Azure: down since {say(down)}, still unhealthy {long(now - down)} later "
        f"(last seen: {seen})."
    )
