"""Limits in flight: how many scale sets and regions of a subscription may be under maintenance at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from planner.policy import Limits
from planner.saying import many
from planner.wave import normal_region


@dataclass(frozen=True, slots=True)
class Claim:
    """A scale set in flight; claims are kept through pauses, so that trouble in a few stops the spread."""

    path: str
    location: str


def over(claims: Iterable[Claim], mine: Claim, limits: Limits) -> str:
    """Why `mine` is too many beside the other claims of its subscription, empty when it is not.

    The sentence has the number, the limit and how to lift it.
    """
    others = [one for one in claims if one.path != mine.path]
    if len(others) + 1 > limits.scale_sets:
        return (
            f"{_are(len(others), 'scale set')} of this subscription in flight, and `limits.scale-sets` "
            f"allows {limits.scale_sets}. Raise it in the policy file to go faster."
        )
    regions = {normal_region(one.location) for one in others}
    if len(regions | {normal_region(mine.location)}) > limits.regions:
        return (
            f"{_are(len(regions), 'region')} of this subscription in flight ({', '.join(sorted(regions))}), "
            f"and `limits.regions` allows {limits.regions}. Raise it in the policy file to go faster."
        )
    return ""


def _are(number: int, what: str) -> str:
    return f"{many(number, what)} {'is' if number == 1 else 'are'}"
