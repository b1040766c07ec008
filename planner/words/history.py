"""What a line of a run's history calls the thing that happened."""

from collections.abc import Sequence

from planner.text.phrases import some

LEFT_OUT = ("left out", "Lines after this one were left out.")
"""The event, and why, where the history of a run has become too long."""


WENT_AHEAD = "went ahead"
"""The event of a run that has gone ahead of others."""


def of_instances(ids: Sequence[str], event: str) -> str:
    several = "s" if len(ids) > 1 else ""
    return f"instance{several} {some(ids)} {event}"


def changed(before: str, after: str) -> str:
    """A change of state."""
    return f"{before} -> {after}"


def batch(number: int, event: str) -> str:
    return f"batch {number} {event}"


def of_domain(domain: str, what: str) -> str:
    """Why, on a batch's line."""
    return f"{domain}: {what}"


def started(ids: Sequence[str]) -> str:
    return f"instances {', '.join(ids)}"
