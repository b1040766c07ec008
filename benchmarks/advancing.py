"""What whole runs cost in CPU, look by look; a part of `python -m benchmarks.deciding`."""

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.fleets import CASES, PLAIN, Case
from benchmarks.growth import HEADS, Size, grown, show, timed, worse_than_linear
from benchmarks.passage import Played, play

DEAREST_ONLY = 100
"""Larger waves take a minute a round, so they are played to their end with the dearer policy only."""


def measure(title: str, sizes: Sequence[Size], rounds: int) -> None:
    """Print the table of whole runs: what they cost, and what a look of theirs costs."""
    print(f"\n{title}", flush=True)
    rows: list[list[str]] = []
    notes: list[str] = []
    for case in CASES:
        before: tuple[float, Played, Size] | None = None
        for size in sizes:
            if case is PLAIN and size.sets > DEAREST_ONLY:
                continue
            played: list[Played] = []
            times = timed(_played(case, size, played), most=rounds, seconds=12)
            run, last = times.middle, played[-1]
            look = run / last.looks
            rows.append(
                [
                    *times.cells(case.name, size),
                    grown(before[0] if before else None, run),
                    f"{last.batches:,}",
                    f"{last.looks:,}",
                    f"{look / 1e3:.0f}",
                    f"{median(one.advance for one in played) / last.looks / 1e3:.0f}",
                    f"{min(one.worst for one in played) / 1e6:.2f}",
                    f"{look / size.each / 1e3:.2f}",
                    grown(before[0] / before[1].looks if before else None, look),
                ]
            )
            if before is not None:
                notes += _notes(case, before, (run, last, size))
            before = run, last, size
    looks = ("batches", "looks", "µs a look", "of it advance", "worst ms", "µs an instance", "growth")
    show([*HEADS, "growth", *looks], rows, notes)


def _played(case: Case, size: Size, played: list[Played]) -> Callable[[], float]:
    def once() -> float:
        played.append(play(case, size.sets, size.each))
        return played[-1].look

    return once


def _notes(case: Case, old: tuple[float, Played, Size], new: tuple[float, Played, Size]) -> list[str]:
    looks = f"{case.name}, whole run (looks x{new[1].looks / old[1].looks:.1f})"
    each = old[0] / old[1].looks, new[0] / new[1].looks
    return [
        worse_than_linear(looks, (old[0], new[0]), (old[2].instances, new[2].instances)),
        # In a wave a look stays a look at one set.
        worse_than_linear(f"{case.name}, one look", each, (old[2].each, new[2].each)),
    ]
