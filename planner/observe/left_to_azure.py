"""What was left to Azure is followed to its end: when, in what order, how long, and healthy afterwards.

Nothing is started here. Times are those of our looks: `down_at` is the first look that saw an instance down,
`up_at` the first that saw it serve again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.fleet import COMPLETED, Instance
from planner.observe.absence import unclear
from planner.observe.batches import counted
from planner.observe.confirmation import STATUS, cleared, confirmed, sighted
from planner.policy.health import describe, serving
from planner.record.notice import Kind, Urgency
from planner.record.observation import Look
from planner.record.run import Batch, Passage, Run
from planner.record.states import SETTLED, BatchState, InstanceState, RunState, transition
from planner.schedule.capacity import left_behind
from planner.state.journal import noted, told
from planner.text.phrases import long, many, say

ANSWER_AGAIN = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
"""When an answer of the day is planned again: after 15 minutes, an hour, then every six hours."""

UNTOUCHED = (
    "The run is over and Breakwater does nothing more here: what does not serve stays so until somebody "
    "looks at it."
)

SELDOM = 5
"""Look-agains between looks in Azure's window while nothing is down."""


def to_follow(run: Run, now: datetime) -> bool:
    """Whether Azure may be maintaining instances of this run just now."""
    if run.state is not RunState.LEFT_TO_AZURE or run.scheduled is None:
        return False
    return now >= run.scheduled.start and any(one.state not in SETTLED for one in run.passages)


def planned_again(run: Run) -> datetime:
    """When an answer of the day wants a new plan."""
    return run.planned_at + ANSWER_AGAIN[min(run.looks, len(ANSWER_AGAIN) - 1)]


def due(run: Run, now: datetime) -> datetime:
    """When an answer of the day is to be looked at: at once in Azure's window, else for a new plan."""
    if to_follow(run, now):
        return now
    again = planned_again(run)
    left = run.state is RunState.LEFT_TO_AZURE and any(one.state not in SETTLED for one in run.passages)
    if left and run.scheduled is not None and now < run.scheduled.start:
        return min(again, run.scheduled.start)
    return again


def followed(run: Run, look: Look, now: datetime, gone: frozenset[str] = frozenset()) -> Run:
    """The run after a look at what Azure does; told once, when it is over. `gone` are certainly no more."""
    seen = {one.id: one for one in look.instances or ()}
    batches = tuple(_batch(run, one, seen, look, now, gone) for one in run.batches)
    before = {one.id: one for one in run.passages}
    run = replace(run, batches=batches)
    for one in run.passages:
        if one.state is not before[one.id].state:
            run = noted(
                run,
                f"instance {one.id} {one.state}".replace("by_azure", "by Azure"),
                one.reason,
                now,
                "azure",
            )
    if all(one.state in SETTLED for one in run.passages) and run.passages:
        return _over(run, seen, look, now)
    return run


def watched(
    run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime, *, gone: bool
) -> Passage:
    """The passage of an instance that a new plan no longer finds in maintenance, while Azure is at work."""
    return _passage(run, passage, instance, look, now, gone=gone)


def over(run: Run) -> str:
    """How it ended, in a sentence."""
    return f"Left to Azure, and it is over: {counted(run.passages)}.{_story(run.passages)}"


def called_off(run: Run) -> str:
    """What had come of it when its wave was cancelled, in a sentence."""
    return f"The wave was cancelled: {counted(run.passages)}.{_story(run.passages)}"


def next_look(run: Run, look: Look, now: datetime) -> datetime:
    """When to look again at what Azure does: soon while something is down or has to be confirmed."""
    down = any(one.down_at is not None and one.state not in SETTLED for one in run.passages)
    return now + look.look_again * (1 if down or unclear(run) else SELDOM)


def _batch(
    run: Run,
    batch: Batch,
    seen: dict[str, Instance],
    look: Look,
    now: datetime,
    gone: frozenset[str],
) -> Batch:
    if all(one.state in SETTLED for one in batch.instances):
        return batch
    passages = tuple(
        one if one.state in SETTLED else _passage(run, one, seen.get(one.id), look, now, gone=one.id in gone)
        for one in batch.instances
    )
    over = all(one.state in SETTLED for one in passages)
    began = min((one.down_at for one in passages if one.down_at is not None), default=None)
    return replace(
        batch,
        instances=passages,
        started_at=batch.started_at or began,
        state=transition(batch.state, BatchState.DONE if over else batch.state),
        finished_at=now if over else None,
    )


def _passage(
    run: Run, passage: Passage, instance: Instance | None, look: Look, now: datetime, *, gone: bool
) -> Passage:
    if gone:
        why = "the scale set was deleted" if look.deleted else "the instance was deleted"
        return _settled(passage, InstanceState.EXCUSED, f"Excused: {why}.", now, gone=True)
    if instance is None or instance.unreadable:
        return passage
    well = serving(instance, run.health)
    if instance.down and not instance.switched_off and passage.down_at is None:
        passage = replace(passage, down_at=now, reason=f"Down since {say(now)} ({describe(instance)}).")
    if passage.down_at is not None and well and passage.up_at is None:
        passage = replace(passage, up_at=now)
    status = instance.status
    if status is not None and (status.result != COMPLETED or status.allowed):
        return cleared(passage)
    if status is None and not confirmed(passage, STATUS, look):
        return sighted(passage, STATUS, look)
    without = status is None
    if status is not None:
        passage = replace(passage, window=status.self_service)
    if instance.switched_off:
        return _settled(
            passage, InstanceState.EXCUSED, f"Excused: it is {instance.power}.", now, gone=without
        )
    if well:
        return _settled(passage, InstanceState.BY_AZURE, _how(passage), now, gone=without)
    if passage.down_at is None:
        # Its status is gone and it does not serve: Azure's reboot fell between two looks.
        return replace(passage, down_at=now, reason=f"Not serving since {say(now)} ({describe(instance)}).")
    if now - passage.down_at > max(run.recover_within, timedelta(minutes=30)):
        words = (
            f"Maintained by Azure, down since {say(passage.down_at)} and not serving "
            f"{long(now - passage.down_at)} later (last seen: {describe(instance)})."
        )
        return _settled(passage, InstanceState.BY_AZURE, words, now, gone=without)
    return passage


def _settled(passage: Passage, state: InstanceState, reason: str, now: datetime, *, gone: bool) -> Passage:
    return replace(
        passage,
        state=transition(passage.state, state),
        reason=reason,
        finished_at=now,
        gone=gone,
        sighting=None,
    )


def _how(passage: Passage) -> str:
    if passage.down_at is None or passage.up_at is None:
        return "Maintained by Azure between two looks; running and healthy afterwards."
    return (
        f"Maintained by Azure: down from {say(passage.down_at)} to {say(passage.up_at)} "
        f"({long(passage.up_at - passage.down_at)}); running and healthy afterwards."
    )


def _over(run: Run, seen: dict[str, Instance], look: Look, now: datetime) -> Run:
    sick = [
        one.id
        for one in run.passages
        if one.state is InstanceState.BY_AZURE and one.id in seen and not serving(seen[one.id], run.health)
    ]
    reason, behind = over(run), left_behind(run, look)
    if sick:
        which = "instance" if len(sick) == 1 else "instances"
        reason += f" Not serving afterwards: {which} {', '.join(sick)}."
    reason += behind
    run = noted(replace(run, reason=reason), "followed to its end", reason, now, "azure")
    if not sick and not behind:
        return told(run, Kind.COMPLETED, Urgency.KNOW, reason, now, instances=look.instances)
    return told(run, Kind.TROUBLE, Urgency.ACT, reason, now, instances=look.instances, otherwise=UNTOUCHED)


def _story(passages: Sequence[Passage]) -> str:
    """When, in what order and how long, of the instances that looks saw go down."""
    timed = sorted(
        (one.down_at, one.id, one.up_at) for one in passages if one.down_at is not None and one.up_at
    )
    if not timed:
        return ""
    lengths = [up - down for down, _, up in timed if up is not None]
    order = ", ".join(one for _, one, _ in timed[:20]) + (" and others" if len(timed) > 20 else "")
    order = f", in the order {order}; each" if len(timed) > 1 else "; it"
    least, most = long(min(lengths)), long(max(lengths))
    return (
        f" Azure took {many(len(timed), 'instance')} between {say(timed[0][0])} and "
        f"{say(max(up for _, _, up in timed if up is not None))}{order} was down for "
        f"{least if least == most else f'{least} to {most}'}."
    )
