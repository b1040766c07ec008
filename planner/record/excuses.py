"""Why instances were excused, for whoever reads how a run ended."""

from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import many

FIRST = 2
"""Instances whose excuse is told; the others are counted."""

LONGEST = 400
"""Characters of one excuse: Azure's words are in it."""


def excuses(run: Run) -> str:
    """The first ones with their reason, the others counted; empty when none was excused."""
    excused = [one for one in run.passages if one.state is InstanceState.EXCUSED]
    said = [f"Instance {one.id}: {one.reason.removeprefix('Excused: ')[:LONGEST]}" for one in excused[:FIRST]]
    if len(excused) > FIRST:
        said.append(f"{many(len(excused) - FIRST, 'more instance')} excused.")
    return " ".join(said)
