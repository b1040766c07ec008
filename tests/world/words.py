"""Every word that was answered 202 is in the history of its run exactly once."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from planner.run import Run


@dataclass(frozen=True, slots=True)
class Accepted:
    """A word a person was told is taken: its own id, the scale set's name, what was said and by whom."""

    id: str
    name: str
    kind: str
    actor: str


def lost_or_doubled(accepted: Iterable[Accepted], runs: Iterable[Run]) -> Iterator[str]:
    """`runs` are all there were, those of the archive too."""
    all_runs = list(runs)
    for word in accepted:
        lines = [
            entry
            for run in all_runs
            if run.target.name == word.name
            for entry in run.history
            if entry.id == word.id
        ]
        if len(lines) != 1:
            times = "not" if not lines else f"{len(lines)} times"
            yield f"{word.name}: {word.kind} of {word.actor} was accepted and is {times} in the history"
