"""Why instances were skipped, for whoever reads how a run ended."""

from planner.record.run import Run
from planner.record.states import InstanceState
from planner.words import endings as words

FIRST = 2
"""Instances whose reason is told; the others are counted."""


def skip_reasons(run: Run) -> str:
    """The first ones with their reason, the others counted; empty when none was skipped."""
    skipped = [instance for instance in run.instances if instance.state is InstanceState.SKIPPED]
    said = [words.skipped(instance.id, instance.reason) for instance in skipped[:FIRST]]
    if len(skipped) > FIRST:
        said.append(words.more_skipped(len(skipped) - FIRST))
    return " ".join(said)
