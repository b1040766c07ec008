"""Why an ended run is opened again: nobody else would watch its scale set until the wave ends."""

from datetime import timedelta

from planner.azure.fleet import Instance
from planner.decision.decide import Decision
from planner.observe.outstanding import due_again
from planner.record.instance import InstanceProgress
from planner.record.run import Run, Verdict
from planner.record.states import InstanceState
from planner.words import replans as words

EVERY = timedelta(hours=6)
"""How often an ended run is polled while a wave of it is open."""

NAMED = 3


def why(run: Run, decision: Decision) -> str:
    """What is due now and was not when the run ended, in a sentence; empty when it stays closed.

    What has merely been left over (missed, and Azure will do it) opens nothing: that was told.
    """
    instances = {instance.id: instance for instance in run.instances}
    found = {each.id: _reason(instances.get(each.id), each, decision) for each in decision.concerned}
    due = [(key, reason) for key, reason in found.items() if reason]
    return words.opened_again(due[:NAMED], len(due[NAMED:])) if due else ""


def _reason(progress: InstanceProgress | None, instance: Instance, decision: Decision) -> str:
    if progress is None:
        return words.JOINED
    if due_again(progress, instance):
        skipped = progress.state is InstanceState.SKIPPED
        return words.CAN_BE_MAINTAINED if skipped else words.NEW_WINDOW
    if progress.state is InstanceState.SKIPPED or decision.verdict is not Verdict.SELF_SERVICE:
        # What skipped it has not passed: each opening would only find the same and say so again.
        return ""
    return words.OFFERED
