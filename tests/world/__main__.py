"""`make chaos`: worlds that lie, as many as one likes, on all cores.

    python -m tests.world --seed 7 --worlds 2000

Prints each finding with its seed and the smallest world that still has it, and its story. Exit status 1 when
there is one.
"""

import argparse
import logging
import os
import sys
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import replace

from simulator.lies import Lies
from simulator.lies.lies import listed
from tests.world.trial import Trial, kind_of, shrunk, spoken_of, story


def _quiet() -> None:
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")


def _played(trial: Trial, seconds: float) -> tuple[Trial, list[str], float]:
    began = time.perf_counter()
    findings, _ = trial.play(seconds)
    return trial, findings, time.perf_counter() - began


def _tell(trial: Trial, finding: str, *, shrink: bool, seconds: float) -> None:
    print(f"\nSEED {trial.seed}: {finding}", flush=True)
    if not shrink:
        print(f"  {trial}")
        return
    smallest, findings, world = shrunk(trial, finding, seconds=seconds)
    found = next((one for one in findings if kind_of(one) == kind_of(finding)), finding)
    print(f"  smallest world: {smallest}\n  {found}")
    print("\n".join(story(world, spoken_of(found, world))), flush=True)


def main() -> int:
    """Play the worlds; 1 when a promise was broken in one of them."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--worlds", type=int, default=100, help="how many worlds (default 100)")
    parser.add_argument("--lies", help="these lies in every world instead of random ones")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument(
        "--limit", type=float, default=120, help="seconds of CPU a world may take (default 120)"
    )
    parser.add_argument("--kinds", type=int, default=5, help="kinds of findings told with their story")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--list-lies", action="store_true")
    chosen = parser.parse_args()
    if chosen.list_lies or chosen.lies == "help":
        print(listed())
        return 0
    try:
        given = None if chosen.lies is None else Lies.parse(chosen.lies)
    except ValueError as wrong:
        parser.error(str(wrong))
    trials = [Trial.of(seed) for seed in range(chosen.seed, chosen.seed + chosen.worlds)]
    if given is not None:
        trials = [replace(one, lies=Lies(given.shares, one.seed)) for one in trials]
    return _report(trials, chosen)


def _report(trials: list[Trial], chosen: argparse.Namespace) -> int:
    began = time.perf_counter()
    kinds: Counter[str] = Counter()
    bad: list[int] = []
    slowest = (0.0, 0)
    with ProcessPoolExecutor(chosen.jobs, initializer=_quiet) as pool:
        waiting = [pool.submit(_played, one, chosen.limit) for one in trials]
        for number, done in enumerate(as_completed(waiting), 1):
            trial, findings, took = done.result()
            slowest = max(slowest, (took, trial.seed))
            if findings:
                bad.append(trial.seed)
            for finding in findings:
                kinds[kind_of(finding)] += 1
                if kinds[kind_of(finding)] == 1 and len(kinds) <= chosen.kinds:
                    _quiet()
                    _tell(trial, finding, shrink=not chosen.no_shrink, seconds=chosen.limit)
            if number % 25 == 0:
                span = time.perf_counter() - began
                print(f"{number} of {len(trials)} worlds, {len(bad)} with findings, {span:.0f} s", flush=True)
    for kind, times in kinds.most_common():
        print(f"  {times:5} times: {kind}")
    took = time.perf_counter() - began
    print(
        f"Seeds {trials[0].seed} to {trials[-1].seed}: {len(trials)} worlds, {len(bad)} with findings, in "
        f"{took:.0f} s on {chosen.jobs} processes; the slowest was seed {slowest[1]} with {slowest[0]:.1f} s."
    )
    if bad:
        print(f"Seeds with findings: {', '.join(map(str, sorted(bad)))}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
