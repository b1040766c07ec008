"""A person's approval belongs to a plan: its verdict, rules and order, not its times and forecasts.

Instances that leave do not void it, instances that join wait for their own.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind
from planner.record.run import Run
from planner.state.notices import with_question
from planner.text.phrases import many


def cleared(run: Run, batch: Batch) -> bool:
    """Whether everything of the batch that may still be started needs no approval, or has it."""
    waiting = [instance for instance in batch.instances if instance.waiting]
    asked = (instance for instance in waiting if instance.asks or run.terms.mode is Mode.APPROVE)
    return all(_has(run, instance) for instance in asked)


def wanted(run: Run) -> bool:
    """Whether anything waits for a person's approval."""
    return any(not cleared(run, batch) for batch in run.batches)


def holds_up(run: Run) -> bool:
    """Whether nothing can be started before somebody approves."""
    return run.waiting and not any(batch.waiting and cleared(run, batch) for batch in run.batches)


def asked(run: Run, why: str, now: datetime) -> Run:
    """The run with a notice that asks for approval of the plan as it is now."""
    left = sum(instance.waiting for instance in run.instances)
    sentence = f"Approve rebooting {many(left, 'instance')} of {run.target.name}. {why}"
    return with_question(run, Kind.APPROVAL, sentence, now, answers=(CommandKind.APPROVE, CommandKind.SKIP))


def asked_once(run: Run, now: datetime) -> Run:
    """Asked for this plan if nobody was: what was paused when it was planned comes to its approval later."""
    if any(notice.kind is Kind.APPROVAL and notice.at >= run.planned_at for notice in run.story.notices):
        return run
    return asked(run, "Nothing else holds it up any more.", now)


def given(run: Run) -> Run:
    """The run with its plan as it is now approved."""
    everything = frozenset(instance.id for instance in run.instances)
    run = replace(run, people=replace(run.people, approved=run.people.checksum))
    return replace(run, batches=_marked(run.batches, everything))


def kept(
    run: Run, batches: Sequence[Batch], *, same_rules: bool, checksum: str
) -> tuple[tuple[Batch, ...], str]:
    """The new batches with the approvals that still hold, and the checksum that is approved with them."""
    old = {instance.id: instance for instance in run.instances if not instance.settled}
    new = [instance.id for batch in batches for instance in batch.instances if not instance.settled]
    stay = set(old) & set(new)
    # What Azure put off is tried again behind the others: that changes no order anybody approved.
    steady = {key for key in stay if not old[key].retries}
    holds = same_rules and [key for key in old if key in steady] == [key for key in new if key in steady]
    approved = {key for key in stay if holds and _has(run, old[key])}
    return _marked(batches, approved), checksum if new and approved >= set(new) else ""


def _marked(batches: Iterable[Batch], approved: Collection[str]) -> tuple[Batch, ...]:
    def marked(progress: InstanceProgress) -> InstanceProgress:
        has = progress.id in approved
        stays = progress.settled or progress.approved == has
        return progress if stays else replace(progress, approved=has)

    return tuple(batch.each(marked) for batch in batches)


def _has(run: Run, progress: InstanceProgress) -> bool:
    return progress.approved or bool(run.people.approved and run.people.approved == run.people.checksum)
