"""A whole wave in virtual time: `python -m benchmarks.rehearsal [--sets 160] [--instances 20] [--seed 1]`.

The product's stages over storage and an Azure in memory, from the alert to the end of the self-service window:
messages, ARM calls, storage transactions and CPU beside what was due, forecasts of day 0 beside what came.
Waves of half and, from 320 sets on, a quarter of the size show how costs grow; one in which all goes as planned,
how good forecasts are; one with a tenth of the published buckets, what throttling adds; and a worker in a process
of its own, how much memory it takes. Ends with 1 when a target is missed.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.growth import Size
from benchmarks.rehearsal import costs, targets, worker
from benchmarks.rehearsal.play import Wanted, play
from benchmarks.rehearsal.scene import A_PLACE, CALM, SUBSCRIPTIONS, Shares

HOSTS = 40
"""That work at the same time in a wave with throttling: as far as the plan scales out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play, print, judge; 1 when a target is missed, else 0."""
    asked = _asked(arguments)
    logging.getLogger("handlers").setLevel(logging.ERROR)
    wanted = Wanted(
        Size(asked.sets, asked.instances),
        seed=asked.seed,
        days=asked.days,
        shares=Shares(windows=asked.windows, approvals=asked.approvals, trouble=asked.trouble),
        regions=asked.regions,
    )
    found: list[targets.Target] = []
    if "memory" in asked.parts:
        found.append(targets.of_memory(worker.measured(replace(wanted, days=asked.memory_days))))
    grown = []
    sizes = [asked.sets] if {"wave", "growth"} & {*asked.parts} else []
    for sets in _sizes(asked.sets) if "growth" in asked.parts else sizes:
        played = play(replace(wanted, size=Size(sets, asked.instances)))
        grown.append(costs.costs(played))
        if sets == asked.sets:
            costs.show(played)
            found += targets.of_costs(grown[-1])
        del played
    if len(grown) > 1:
        targets.show_growth(grown)
        found += targets.of_growth(grown)
    if "forecast" in asked.parts:
        print("\nAll goes as planned: ", end="")
        calm = play(replace(wanted, shares=replace(CALM, windows=asked.windows)))
        costs.show_forecasts(calm)
        found += targets.of_forecasts(calm)
        del calm
    if "throttled" in asked.parts:
        print()
        limited = play(replace(wanted, left=asked.left, pace=wanted.pace / HOSTS))
        costs.show(limited)
        found += targets.of_costs(costs.costs(limited), throttled=True)
        del limited
    return targets.judged(found)


def _sizes(sets: int) -> list[int]:
    """That size, and a half and a quarter of it as long as their places are their share, too."""
    smallest = 2 * A_PLACE * len(SUBSCRIPTIONS)
    return [*(sets // parts for parts in (4, 2) if sets // parts >= smallest), sets]


PARTS = ("wave", "growth", "forecast", "throttled", "memory")


def _asked(arguments: Sequence[str] | None) -> argparse.Namespace:
    shares = Shares()
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rehearsal", description=__doc__)
    parser.add_argument("--sets", type=int, default=160)
    parser.add_argument("--instances", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=float, default=35, help="of the wave's self-service window")
    parser.add_argument("--regions", type=int, default=2, help="in which something may be in flight at once")
    parser.add_argument("--windows", type=float, default=shares.windows, help="share with nightly windows")
    parser.add_argument("--approvals", type=float, default=shares.approvals, help="share that asks a person")
    parser.add_argument("--trouble", type=float, default=shares.trouble, help="share in which one fails")
    parser.add_argument("--left", type=float, default=0.1, help="share of the buckets that others leave us")
    parser.add_argument(
        "--memory-days", type=float, default=1.2, help="that the worker apart is measured for"
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is played; else all")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
