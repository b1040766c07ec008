"""What Azure answered to the starts of a look, added to the run that wrote their intents."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.gate import open_batch
from planner.look import Answer, Answered
from planner.notice import Kind, Urgency
from planner.run import BatchState, InstanceState, Passage, Run, RunState, Trouble
from planner.saying import say
from planner.telling import begun_told, if_nobody_answers, moved, noted, told

FINAL = frozenset({"OperationNotAllowed"})
"""Codes by which Azure says it will not start this instance (perform maintenance: not eligible)."""

REFUSED_AGAIN, MOST_DOUBLINGS = timedelta(minutes=5), 6
"""When what Azure refused for another reason is tried again: twice as long each time, up to 5 h 20 min."""

TOLD_AFTER = timedelta(minutes=30)

RUNNING_ALREADY = ("in progress", "another operation", "preempted", "conflict")


def answered(run: Run, answers: Iterable[Answer], now: datetime) -> Run:
    """The run with the answers in it. A start nobody answered stays an intent in doubt."""
    by_id = {one.instance: one for one in answers}
    batch = open_batch(run)
    if batch is None or not by_id:
        return run
    passages = tuple(
        _with_answer(one, by_id[one.id], now)
        if one.id in by_id and one.state is InstanceState.STARTING and not one.answered
        else one
        for one in batch.instances
    )
    state = BatchState.REBOOTING if any(one.answered for one in passages) else batch.state
    changed = replace(batch, instances=passages, state=state)
    run = replace(run, batches=tuple(changed if one.number == batch.number else one for one in run.batches))
    run = begun_told(_withdrawn(run, tuple(by_id.values()), now), now)
    refused = [one for one in by_id.values() if one.answered is Answered.REFUSED]
    if refused:
        sentence = _refused(refused)
        run = told(noted(run, "refused", sentence, now, "azure"), Kind.TROUBLE, Urgency.KNOW, sentence, now)
    person = next((one for one in by_id.values() if one.needs_person), None)
    if person is not None:
        reason = f"Azure does not let Breakwater start maintenance: {person.message}"
        run = moved(run, RunState.PAUSED, reason, now)
        run = told(
            run,
            Kind.PAUSED,
            Urgency.ACT,
            reason,
            now,
            otherwise=if_nobody_answers(run, now),
            answers=("resume", "skip"),
        )
    return run


def _refused(refused: Sequence[Answer]) -> str:
    first, one = refused[0], len(refused) == 1
    which = f"{'instance' if one else 'instances'} {', '.join(each.instance for each in refused)}"
    final = all(each.code in FINAL for each in refused)
    then = "Azure maintains {} in its own window." if final else "Starting {} is tried again later."
    why = f": {first.message.rstrip('.')}" if first.message else ""
    return f"Azure refused to start {which} ({first.code}){why}. {then.format('it' if one else 'them')}"


def _withdrawn(run: Run, answers: Sequence[Answer], now: datetime) -> Run:
    """Starts that could not be sent in time or at all, again and again, are told once after half an hour."""
    unsent = [one for one in answers if one.answered is Answered.WITHDRAWN and not one.needs_person]
    if len(unsent) < len(answers):
        return replace(run, unsent=None)
    old = run.unsent or Trouble(since=now, count=0, error="")
    trouble = Trouble(old.since, old.count + 1, unsent[0].message, old.told)
    reason = f"No start could be sent since {say(trouble.since)}: {trouble.error.rstrip('.')}."
    run = replace(run, unsent=trouble, reason=reason)
    if trouble.told or now - trouble.since < TOLD_AFTER:
        return run
    run = told(run, Kind.TROUBLE, Urgency.ACT, reason, now, otherwise=if_nobody_answers(run, now))
    return replace(run, unsent=replace(trouble, told=True))


def _with_answer(passage: Passage, answer: Answer, now: datetime) -> Passage:
    if answer.answered is Answered.ACCEPTED:
        return replace(
            passage,
            state=InstanceState.REBOOTING,
            answered=True,
            operation=answer.operation,
            reason="Azure took the start; waiting for proof of the maintenance.",
        )
    if answer.answered is Answered.LOST:
        return replace(passage, reason=f"In doubt: {answer.message}")
    words = f"{answer.code} {answer.message}".lower()
    if answer.answered is Answered.REFUSED and any(word in words for word in RUNNING_ALREADY):
        # Another operation runs on it, perhaps our own earlier start: watched, never assumed to be free.
        return replace(passage, reason=f"In doubt: Azure says {answer.code} {answer.message}".strip())
    if answer.answered is Answered.REFUSED and answer.code in FINAL:
        return replace(
            passage,
            state=InstanceState.EXCUSED,
            reason=f"Excused: Azure refused it ({answer.code}: {answer.message.rstrip('.')}). "
            "Azure maintains it in its own window.",
            finished_at=now,
        )
    wait = now + answer.retry_after if answer.retry_after is not None else None
    if answer.answered is Answered.REFUSED:
        again = now + REFUSED_AGAIN * 2 ** min(passage.retries, MOST_DOUBLINGS)
        wait = max(again, wait or again)
        passage = replace(passage, retries=passage.retries + 1)
    return replace(
        passage,
        state=InstanceState.PENDING if answer.answered is Answered.WITHDRAWN else InstanceState.ASIDE,
        reason=f"Not started: {answer.code} {answer.message}".strip(),
        intent_at=None,
        attempts=max(0, passage.attempts - 1),
        since=wait,
    )
