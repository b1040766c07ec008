"""The history of a run: one line for each thing that happened, with who did it and why."""

from collections.abc import Iterable
from datetime import datetime

from planner.record.copying import replace
from planner.record.run import Entry, Run

BREAKWATER = "breakwater"

MOST_LINES, FIRST_LINES, DROPPED = 400, 20, 80
"""A record is replaced whole at every write: a run that goes back and forth for weeks must stay small."""


def with_entry(
    run: Run,
    event: str,
    reason: str,
    now: datetime,
    actor: str = BREAKWATER,
    *,
    command: str = "",
    instances: Iterable[str] = (),
) -> Run:
    """The run with one more line of history; `command` is the id of the command that it records.

    Of a very long history the beginning, the latest lines and what people said are kept.
    """
    history = run.story.history
    if len(history) >= MOST_LINES:
        first, later = history[:FIRST_LINES], history[FIRST_LINES:]
        gap = Entry(later[0].at, BREAKWATER, "left out", "Lines after this one were left out.")
        dropped = frozenset([place for place, entry in enumerate(later) if not entry.id][:DROPPED])
        kept = tuple(entry for place, entry in enumerate(later) if place not in dropped)
        history = (*first, gap, *kept[-2 * MOST_LINES :])
    entry = Entry(now, actor, event, reason, command, tuple(instances))
    return replace(run, story=replace(run.story, history=(*history, entry)))
