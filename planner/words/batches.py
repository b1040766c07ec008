"""What people call a batch and its domain, and how a batch stands."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from planner.text.phrases import say

MOST_NAMED = 2
"""Instances that the name of a Flexible set's batch spells out."""


def domain(parts: Iterable[str]) -> str:
    """Zone, placement group and update domain or instances, as far as there are any."""
    return ", ".join(parts)


def zone(name: str) -> str:
    return f"zone {name}"


def placement_group(name: str) -> str:
    return f"group {name}"


def update_domain(name: str) -> str:
    return f"domain {name}"


def unknown_domain(instance: str) -> str:
    """An update domain that Azure does not show, so that the instance stands alone."""
    return f"unknown, instance {instance}"


def alone(number: int) -> str:
    """A batch of what is tried again, which belongs to no domain."""
    return f"batch {number}"


def instances(ids: Sequence[str]) -> str:
    """A name has to be said and typed; the first and the last tell batches of one zone apart."""
    if len(ids) > MOST_NAMED:
        return f"instances {ids[0]} to {ids[-1]} ({len(ids)})"
    return f"{'instance' if len(ids) == 1 else 'instances'} {', '.join(ids)}"


def again(ids: Sequence[str]) -> str:
    """A batch of what Azure has put off."""
    return f"{instances(ids)}, again"


def watched(name: str, ends: datetime) -> str:
    """A batch that soaks."""
    return f"{name} is healthy and watched until {say(ends)}."


def stands(name: str, counts: str) -> str:
    return f"{name}: {counts}."
