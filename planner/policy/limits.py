"""Limits in flight: how many scale sets and regions of a subscription may be under maintenance at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from planner.azure.wave import normal_region
from planner.policy.model import Limits
from planner.words import queue as words


@dataclass(frozen=True, slots=True)
class RaisedLimits:
    """What a person has raised of a subscription's limits while a wave is open, and why.

    `numbers` is key under `limits` to number; `at` is aware UTC.
    """

    tracking_id: str
    subscription: str
    numbers: Mapping[str, int]
    actor: str
    comment: str
    at: datetime
    v: int = 1


def numbers(limits: Limits) -> dict[str, int]:
    """What the limits say, by the key under `limits` that says it."""
    per_region = {"per-region": limits.per_region} if limits.per_region is not None else {}
    by_match = {f"by-match.{name}.scale-sets": number for name, number in limits.named.items()}
    return {"scale-sets": limits.scale_sets, "regions": limits.regions, **per_region, **by_match}


def with_number(limits: Limits, key: str, number: int) -> Limits:
    """The limits with another number under this key."""
    if key == "scale-sets":
        return replace(limits, scale_sets=number)
    if key == "regions":
        return replace(limits, regions=number)
    if key == "per-region":
        return replace(limits, per_region=number)
    by_match = (
        replace(each, scale_sets=number) if key == f"by-match.{each.name}.scale-sets" else each
        for each in limits.by_match
    )
    return replace(limits, by_match=tuple(by_match))


def raised(limits: Limits, more: Iterable[RaisedLimits]) -> Limits:
    """The limits of the file as people have raised them; where the file says more by now, that counts."""
    for each in more:
        for key, number in each.numbers.items():
            if number > numbers(limits).get(key, number):
                limits = with_number(limits, key, number)
    return limits


@dataclass(frozen=True, slots=True)
class Claim:
    """A scale set in flight. A paused run keeps its claim, so that trouble in a few stops the spread.

    `counts_in` names the limits by match it counts in.
    """

    path: str
    location: str
    counts_in: tuple[str, ...] = ()


def over(claims: Iterable[Claim], mine: Claim, limits: Limits) -> str:
    """Why `mine` is too many beside the other claims of its subscription; empty when it is not.

    The sentence has the number, the limit and how to lift it.
    """
    others = [claim for claim in claims if claim.path != mine.path]
    if len(others) + 1 > limits.scale_sets:
        return words.limit_reached(words.scale_sets_under_way(len(others)), "scale-sets", limits.scale_sets)
    regions = {normal_region(claim.location) for claim in others}
    if len(regions | {normal_region(mine.location)}) > limits.regions:
        return words.limit_reached(words.regions_under_way(regions), "regions", limits.regions)
    region = normal_region(mine.location)
    here = sum(normal_region(claim.location) == region for claim in others)
    if limits.per_region is not None and here + 1 > limits.per_region:
        return words.limit_reached(words.under_way_in(here, region), "per-region", limits.per_region)
    for name in mine.counts_in:
        same, most = sum(name in claim.counts_in for claim in others), limits.named.get(name)
        if most is not None and same + 1 > most:
            return words.limit_reached(words.under_way_under(same, name), f"by-match.{name}", most)
    return ""
