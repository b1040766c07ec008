"""Why instances were skipped, for whoever reads how a run ended."""

from planner.record.run import Run
from planner.record.states import InstanceState
from planner.text.phrases import lower, many, shortened

FIRST = 2
"""Instances whose reason is told; the others are counted."""

LONGEST = 400
"""Characters of one reason: Azure's words are in it."""


def skip_reasons(run: Run) -> str:
    """The first ones with their reason, the others counted; empty when none was skipped."""
    skipped = [instance for instance in run.instances if instance.state is InstanceState.SKIPPED]
    said = [
        f"Instance {instance.id}: {shortened(lower(instance.reason), LONGEST)}"
        for instance in skipped[:FIRST]
    ]
    if len(skipped) > FIRST:
        said.append(f"{many(len(skipped) - FIRST, 'more instance')} skipped.")
    return " ".join(said)
