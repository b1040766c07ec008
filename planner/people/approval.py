"""A person's approval belongs to a plan: its verdict, rules and order, not its times and forecasts.

Instances that leave do not void it, instances that join wait for their own.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.run import Run
from planner.state.journal import if_nobody_answers, with_notice
from planner.text.phrases import lower


def cleared(run: Run, batch: Batch) -> bool:
    """Whether everything of the batch that may still be started needs no approval, or has it."""
    waiting = [instance for instance in batch.instances if instance.waiting]
    return all(_has(run, one) for one in waiting if one.asks or run.terms.mode is Mode.APPROVE)


def wanted(run: Run) -> bool:
    """Whether anything waits for a person's approval."""
    return any(not cleared(run, batch) for batch in run.batches)


def holds_up(run: Run) -> bool:
    """Whether nothing can be started before somebody approves."""
    open_ones = [batch for batch in run.batches if batch.waiting]
    return bool(open_ones) and not any(cleared(run, one) for one in open_ones)


def asked(run: Run, why: str, now: datetime) -> Run:
    """The run with a notice that asks for approval of the plan as it is now."""
    return with_notice(
        run,
        Kind.APPROVAL,
        Urgency.ACT,
        f"The plan waits for approval: {lower(why)}",
        now,
        otherwise=if_nobody_answers(run, now),
        answers=("approve", "skip"),
    )


def asked_once(run: Run, now: datetime) -> Run:
    """Asked for this plan if nobody was: what was paused when it was planned comes to its approval later."""
    if any(notice.kind is Kind.APPROVAL and notice.at >= run.planned_at for notice in run.story.notices):
        return run
    return asked(run, "nothing else holds it up any more.", now)


def given(run: Run) -> Run:
    """The run with its plan as it is now approved."""
    batches = tuple(
        replace(
            batch,
            instances=tuple(
                instance if instance.settled else replace(instance, approved=True)
                for instance in batch.instances
            ),
        )
        for batch in run.batches
    )
    return replace(run, batches=batches, people=replace(run.people, approved=run.people.checksum))


def kept(
    run: Run, batches: Sequence[Batch], *, same_rules: bool, checksum: str
) -> tuple[tuple[Batch, ...], str]:
    """The new batches with the approvals that still hold, and the checksum that is approved with them."""
    old = {instance.id: instance for instance in run.instances if not instance.settled}
    new = [instance.id for batch in batches for instance in batch.instances if not instance.settled]
    stay = set(old) & set(new)
    # What Azure put off is tried again behind the others: that changes no order anybody approved.
    steady = {one for one in stay if not old[one].retries}
    holds = same_rules and [one for one in old if one in steady] == [one for one in new if one in steady]
    approved = {key for key in stay if holds and _has(run, old[key])}
    marked = tuple(
        replace(
            batch,
            instances=tuple(
                instance if instance.settled else replace(instance, approved=instance.id in approved)
                for instance in batch.instances
            ),
        )
        for batch in batches
    )
    return marked, checksum if new and approved >= set(new) else ""


def _has(run: Run, progress: InstanceProgress) -> bool:
    # A record of an earlier version knows only the checksum of the approved plan.
    return progress.approved or bool(run.people.approved and run.people.approved == run.people.checksum)
