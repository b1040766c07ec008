"""When Azure maintains what is left to it: in its scheduled window, domain after domain, when it likes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from planner.azure.fleet import Instance, Interval, ScaleSet, domain_of, natural
from planner.rehearsal.trouble import drawn

LONGEST = timedelta(hours=2)
"""So much of the window is kept free at its end for the last domain, where there is room."""


def moments(
    scale_set: ScaleSet, instances: Iterable[Instance], window: Interval, seed: int
) -> Mapping[str, datetime]:
    """When each of these goes down (aware UTC), by instance id: those of one domain together.

    The domains come in their order, at times drawn from the seed: Azure says only within which days
    (azure-compute-docs, maintenance notifications).
    """
    domains: dict[tuple[tuple[tuple[int, int, str], ...], ...], list[str]] = {}
    for each in instances:
        where = tuple(natural(part) for part in domain_of(scale_set, each))
        domains.setdefault(where, []).append(each.id)
    room = max(window.end - window.start - LONGEST, timedelta(0))
    shares = sorted(drawn(seed, scale_set.key, f"azure {number}")[0] for number in range(len(domains)))
    found: dict[str, datetime] = {}
    for share, where in zip(shares, sorted(domains), strict=True):
        at = window.start + timedelta(seconds=round(room.total_seconds() * share))
        found |= dict.fromkeys(domains[where], at)
    return found
