"""Limits in flight: how many scale sets and regions of a subscription may be under maintenance at once."""

from collections.abc import Iterable
from dataclasses import dataclass

from planner.azure.wave import normal_region
from planner.policy.model import Limits
from planner.text.phrases import many


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
        return (
            f"{_in_flight(len(others), 'scale set')}, and `limits.scale-sets` allows {limits.scale_sets}. "
            "Raise it in the policy file to go faster."
        )
    regions = {normal_region(claim.location) for claim in others}
    if len(regions | {normal_region(mine.location)}) > limits.regions:
        return (
            f"{_in_flight(len(regions), 'region')} ({', '.join(sorted(regions))}), and `limits.regions` "
            f"allows {limits.regions}. Raise it in the policy file to go faster."
        )
    region = normal_region(mine.location)
    here = sum(normal_region(claim.location) == region for claim in others)
    if limits.per_region is not None and here + 1 > limits.per_region:
        return (
            f"{_in_flight(here, 'scale set', f'in {region}')}, and `limits.per-region` allows "
            f"{limits.per_region}. Raise it in the policy file to go faster."
        )
    for name in mine.counts_in:
        same, most = sum(name in claim.counts_in for claim in others), limits.named.get(name)
        if most is not None and same + 1 > most:
            return (
                f"{_in_flight(same, 'scale set', f'under `{name}`')}, and `limits.by-match.{name}` allows "
                f"{most}. Raise it in the policy file to go faster."
            )
    return ""


def _in_flight(number: int, what: str, where: str = "of this subscription") -> str:
    return f"{many(number, what)} {where} {'is' if number == 1 else 'are'} in flight"
