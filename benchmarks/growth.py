"""Sizes, rounds, growth and plain tables: what the figures of the planner's CPU have in common."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

LINEAR = 1.15
"""Growth up to this much above the growth in instances still counts as linear: rounds differ that much."""

HEADS = ("policy", "sets", "instances", "rounds", "min ms", "median ms")


@dataclass(frozen=True, slots=True)
class Size:
    """So many scale sets of so many instances."""

    sets: int
    each: int

    @property
    def instances(self) -> int:
        return self.sets * self.each


@dataclass(frozen=True, slots=True)
class Times:
    """Nanoseconds of CPU, one figure a round."""

    rounds: tuple[float, ...]

    @property
    def middle(self) -> float:
        return median(self.rounds)

    def cells(self, policy: str, size: Size) -> list[str]:
        """What stands under `HEADS`."""
        return [
            policy,
            f"{size.sets:,}",
            f"{size.instances:,}",
            str(len(self.rounds)),
            f"{min(self.rounds) / 1e6:.2f}",
            f"{self.middle / 1e6:.2f}",
        ]


def timed(once: Callable[[], float], *, most: int, seconds: float) -> Times:
    """Rounds of `once`, which says its own nanoseconds: as many as fit into `seconds` of CPU, at least one."""
    rounds: list[float] = []
    while len(rounds) < most and (not rounds or sum(rounds) * (1 + 1 / len(rounds)) < seconds * 1e9):
        gc.collect()
        rounds.append(once())
    return Times(tuple(rounds))


def grown(before: float | None, after: float) -> str:
    """How many times as much, empty for the first step."""
    return "" if before is None else f"x{after / before:.1f}"


def worse_than_linear(what: str, cost: tuple[float, float], instances: tuple[int, int]) -> str:
    """A sentence when the cost grows faster than the instances, else empty."""
    more, expected = cost[1] / cost[0], instances[1] / instances[0]
    if more <= expected * LINEAR:
        return ""
    return (
        f"Worse than linear: {what}, from {instances[0]:,} to {instances[1]:,} instances "
        f"x{more:.1f} for x{expected:g}."
    )


def noise_of(ratios: Sequence[float]) -> float:
    """How far rounds that should be the same differ: half of what lies between their quartiles."""
    if len(ratios) < 2:
        return 0.0
    first, _, third = quantiles(ratios, n=4, method="inclusive")
    return (third - first) / 2


def show(heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]) -> None:
    """Print a table and what is to be said of its growth."""
    print(table(heads, rows))
    said = [one for one in notes if one]
    print("\n".join(said) if said else "Never worse than linear.")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as they need, the first to the left, figures to the right."""
    lines = [tuple(heads), *(tuple(one) for one in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if at == 0 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
