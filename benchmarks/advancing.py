"""What whole runs cost in CPU, poll by poll; a part of `python -m benchmarks.deciding`."""

from collections.abc import Callable, Sequence
from statistics import median

from benchmarks.fleets import CASES, PLAIN, Case
from benchmarks.growth import HEADS, Size, grown, show, timed, worse_than_linear
from benchmarks.whole_runs import Played, play

DEAREST_ONLY = 100
"""Larger waves take a minute a round, so they are played to their end with the dearer policy only."""


def measure(title: str, sizes: Sequence[Size], rounds: int) -> None:
    """Print the table of whole runs: what they cost, and what a poll of theirs costs."""
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
            each_poll = run / last.polls
            rows.append(
                [
                    *times.cells(case.name, size),
                    grown(before[0] if before else None, run),
                    f"{last.batches:,}",
                    f"{last.polls:,}",
                    f"{each_poll / 1e3:.0f}",
                    f"{median(one.advance for one in played) / last.polls / 1e3:.0f}",
                    f"{min(one.worst for one in played) / 1e6:.2f}",
                    f"{each_poll / size.each / 1e3:.2f}",
                    grown(before[0] / before[1].polls if before else None, each_poll),
                ]
            )
            if before is not None:
                notes += _notes(case, before, (run, last, size))
            before = run, last, size
    polls = ("batches", "looks", "µs a poll", "of it advance", "worst ms", "µs an instance", "growth")
    show([*HEADS, "growth", *polls], rows, notes)


def _played(case: Case, size: Size, played: list[Played]) -> Callable[[], float]:
    def once() -> float:
        played.append(play(case, size.sets, size.each))
        return played[-1].poll

    return once


def _notes(case: Case, old: tuple[float, Played, Size], new: tuple[float, Played, Size]) -> list[str]:
    polls = f"{case.name}, whole run (looks x{new[1].polls / old[1].polls:.1f})"
    each = old[0] / old[1].polls, new[0] / new[1].polls
    return [
        worse_than_linear(polls, (old[0], new[0]), (old[2].instances, new[2].instances)),
        # In a wave a poll stays a poll of one set.
        worse_than_linear(f"{case.name}, one poll", each, (old[2].each, new[2].each)),
    ]
