"""Every word that was answered 202 is in the history of its run exactly once."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

from planner.record.run import Run

type Accepted = tuple[str, str, str, datetime]
"""The run's name, the word's id, what was said, and when it was answered."""


def lost_or_doubled(accepted: Iterable[Accepted], runs: Iterable[Run]) -> Iterator[str]:
    """`runs` are all there were, those of the archive too; one may be in both places."""
    lines: Counter[tuple[str, str]] = Counter()
    for run in runs:
        lines |= Counter((run.target.name, entry.id) for entry in run.story.history if entry.id)
    for name, word, kind, at in accepted:
        if lines[name, word] != 1:
            yield f"{kind}, said to {name} and accepted at {at}, is in the history {lines[name, word]} times"
