"""What deciding and advancing cost in CPU, and how it grows: `python -m benchmarks.deciding [--quick]`.

One scale set of 10, 100 and 1,000 instances, then a wave of 10, 100 and 1,000 scale sets of 20, in 5 update
domains, 3 zones and 2 placement groups; with a plain policy, and with windows, freezes and tags. Everything is
made up in this process: no Azure, no storage, an invented clock. CPU is the process's own, so waiting for a
busy machine does not count. Long measurements have fewer rounds; the wave of 1,000 runs is played once, with
the dearer policy. Ends with 1 when deciding for 1,000 instances misses its budget.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

from benchmarks import advancing
from benchmarks.fleets import ANNOUNCEMENT, CASES, START, Case, instances, scale_set
from benchmarks.growth import HEADS, Size, grown, show, timed, worse_than_linear
from benchmarks.whole_runs import planned
from planner.azure.fleet import Instance, ScaleSet
from planner.decision.decide import decide

SIZES = (10, 100, 1000)
IN_A_WAVE = 20
BUDGET, BUDGET_SIZE = 10.0, 1000
"""Milliseconds of CPU for one decision about so many instances (its budget)."""

type Fleet = Sequence[tuple[ScaleSet, tuple[Instance, ...]]]
type Work = Callable[[Case, Fleet], None]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 when the budget is missed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deciding", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, short runs and small waves")
    parser.add_argument(
        "--budget", type=float, default=BUDGET, help="milliseconds of CPU for 1,000 instances"
    )
    asked = parser.parse_args(arguments)
    alone = [Size(1, each) for each in SIZES]
    wave = [Size(sets, IN_A_WAVE) for sets in ((1, 2) if asked.quick else SIZES)]
    runs = [Size(1, each) for each in (5, 10)] if asked.quick else alone
    rounds, instances = (2, 2) if asked.quick else (9, 5)
    print(
        f"CPU of the planner, Python {sys.version.split()[0]}. Growth is the median's, from the line above; "
        "columns behind the polls are about one poll."
    )
    middle = _deciding("decide, one scale set", _decided, alone, rounds)
    _deciding("decide and begin the run, one scale set", _begun, alone, rounds)
    _deciding(f"decide, a wave of scale sets of {IN_A_WAVE} instances", _decided, wave, rounds)
    advancing.measure("advance, one scale set from its plan to its end", runs, instances)
    advancing.measure(f"advance, a wave of scale sets of {IN_A_WAVE} instances to its end", wave, instances)
    return _judged(middle, asked.budget)


def _judged(middle: dict[str, float], budget: float) -> int:
    slowest = max(middle, key=lambda name: middle[name])
    missed = middle[slowest] >= budget
    print(
        f"\nBudget: decide for {BUDGET_SIZE:,} instances in under {budget:g} ms of CPU; "
        f"{'MISSED' if missed else 'kept'} with {middle[slowest]:.2f} ms ({slowest})."
    )
    return 1 if missed else 0


def _decided(case: Case, fleet: Fleet) -> None:
    for this, there in fleet:
        decide(this, there, [ANNOUNCEMENT], case.policy, START)


def _begun(case: Case, fleet: Fleet) -> None:
    for this, there in fleet:
        planned(case, this, there)


def _deciding(title: str, work: Work, sizes: Sequence[Size], rounds: int) -> dict[str, float]:
    """Print the table; returns the median in milliseconds for the budget's size, by case."""
    print(f"\n{title}", flush=True)
    rows: list[list[str]] = []
    notes: list[str] = []
    judged: dict[str, float] = {}
    for case in CASES:
        before: tuple[float, Size] | None = None
        for size in sizes:
            times = timed(_round(work, case, size), most=rounds, seconds=3)
            now = times.middle
            rows.append(
                [
                    *times.cells(case.name, size),
                    f"{now / size.instances / 1e3:.2f}",
                    grown(before[0] if before else None, now),
                ]
            )
            if before is not None:
                counts = before[1].instances, size.instances
                notes.append(worse_than_linear(case.name, (before[0], now), counts))
            before = now, size
            if size.instances == BUDGET_SIZE:
                judged[case.name] = now / 1e6
    show([*HEADS, "µs an instance", "growth"], rows, notes)
    return judged


def _round(work: Work, case: Case, size: Size) -> Callable[[], float]:
    fleet = [(scale_set(number, case.tags), instances(size.each)) for number in range(size.sets)]
    # Small fleets are decided often enough for the clock to tell.
    times = max(1, 1000 // size.instances)

    def once() -> float:
        began = time.process_time_ns()
        for _ in range(times):
            work(case, fleet)
        return (time.process_time_ns() - began) / times

    return once


if __name__ == "__main__":
    raise SystemExit(main())
