"""What is to be reached, and whether it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.growth import LINEAR, table
from benchmarks.rehearsal.costs import Costs
from benchmarks.rehearsal.play import Played

MOST_MESSAGES, MOST_CALLS, MOST_CALLS_THROTTLED = 1.10, 1.05, 1.20
FORECAST, MOST_OFF = 0.10, 0.02
"""How far off a forecast may be, and of how many it may be more: a last batch that misses the end of its night by
a minute ends a night later."""

MEMORY = 512.0
"""MiB."""

CPU_NOISE = 1.15
"""CPU of the same work differs that much from one play to the next on a busy machine."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to be reached: at most `most`."""

    what: str
    came: float
    most: float

    @property
    def kept(self) -> bool:
        return self.came <= self.most

    def __str__(self) -> str:
        return f"{'kept  ' if self.kept else 'MISSED'}  {self.what}: {self.came:.3g}, at most {self.most:g}"


def of_costs(found: Costs, *, throttled: bool = False) -> list[Target]:
    """Messages and ARM calls against what was due."""
    most = MOST_CALLS_THROTTLED if throttled else MOST_CALLS
    with_429 = " with throttling" if throttled else ""
    return [
        Target(f"messages over looks and plans due{with_429}", found.messages_ratio, MOST_MESSAGES),
        Target(f"ARM calls over those needed{with_429}", found.calls_ratio, most),
    ]


def of_forecasts(calm: Played) -> list[Target]:
    """The forecasts of day 0 where every batch takes as long as planned and nobody comes between."""
    planned = [each.share for each in calm.forecasts if each.as_planned]
    sets = calm.wanted.size.sets
    return [
        Target(
            f"share of the forecasts of day 0 off by more than {FORECAST:.0%} where all goes as planned",
            sum(share > FORECAST for share in planned) / len(planned),
            MOST_OFF,
        ),
        Target("scale sets of that wave not over as planned", sets - len(planned), 0),
    ]


def of_memory(mebibytes: float) -> Target:
    return Target("MiB of a worker at most", mebibytes, MEMORY)


def of_growth(sizes: Sequence[Costs]) -> list[Target]:
    """Each cost of a scale set against that at half the size; the largest growth counts.

    Laying places grows with the runs that wait, each time one of them ends; it is shown, and judged with
    the stages that it is a part of.
    """
    found: dict[str, float] = {}
    for small, large in pairwise(sizes):
        before, after = small.each(), large.each()
        for what in before:
            if before[what] > 0 and not what.startswith("ms of CPU, of it"):
                found[what] = max(found.get(what, 0.0), after[what] / before[what])
    return [
        Target(f"growth a doubling, {what}", grown, LINEAR * CPU_NOISE if _timed(what) else LINEAR)
        for what, grown in found.items()
    ]


def _timed(what: str) -> bool:
    return what.startswith("ms of CPU")


def show_growth(sizes: Sequence[Costs]) -> None:
    heads = ("a scale set costs", *(f"{one.size.sets:,} sets" for one in sizes), "a doubling, at most")
    each = [one.each() for one in sizes]
    rows = []
    for what in each[0]:
        values = [one[what] for one in each]
        grown = [b / a for a, b in pairwise(values) if a > 0]
        rows.append([what, *(f"{value:,.1f}" for value in values), f"x{max(grown, default=0):.2f}"])
    print(f"\n{table(heads, rows)}")


def judged(targets: Sequence[Target]) -> int:
    """Print each; the exit status."""
    print("\n" + "\n".join(map(str, targets)))
    return 0 if all(target.kept for target in targets) else 1
