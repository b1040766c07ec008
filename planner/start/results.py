"""What Azure answered to the starts of a look, added to the run that wrote their intents."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from planner.azure.refusal import Refusal, classified
from planner.record.notice import Kind, Urgency
from planner.record.observation import Answer, Answered
from planner.record.run import Passage, Run, Trouble
from planner.record.states import BatchState, InstanceState, RunState, transition
from planner.start import refused
from planner.start.gate import open_batch
from planner.start.locks import locked
from planner.state.journal import begun_told, if_nobody_answers, moved, told
from planner.text.backoff import back_off
from planner.text.phrases import say

TOLD_AFTER = timedelta(minutes=30)

LOOK_AGAIN = timedelta(seconds=60)


def answered(run: Run, answers: Iterable[Answer], now: datetime, look_again: timedelta = LOOK_AGAIN) -> Run:
    """The run with the answers in it. A start nobody answered stays an intent in doubt.

    `look_again` is the interval that back-off is counted in.
    """
    by_id = {one.instance: one for one in answers}
    batch = open_batch(run)
    if batch is None or not by_id:
        return run
    passages = tuple(
        _with_answer(one, by_id[one.id], now, look_again)
        if one.id in by_id and one.state is InstanceState.STARTING and not one.answered
        else one
        for one in batch.instances
    )
    state = BatchState.REBOOTING if any(one.answered for one in passages) else batch.state
    changed = replace(batch, instances=passages, state=transition(batch.state, state))
    run = replace(run, batches=tuple(changed if one.number == batch.number else one for one in run.batches))
    run = begun_told(_withdrawn(run, tuple(by_id.values()), now), now)
    run = refused.told_by_cause(run, [one for one in by_id.values() if one.answered is Answered.REFUSED], now)
    return _asked(run, tuple(by_id.values()), now)


def _asked(run: Run, answers: Sequence[Answer], now: datetime) -> Run:
    """The run paused where only a person can go on: it asks once, and a resume is the next attempt."""
    reason = next((_ask(run, one) for one in answers if _ask(run, one)), "")
    if not reason:
        return run
    run = moved(run, RunState.PAUSED, reason, now)
    return told(
        run,
        Kind.PAUSED,
        Urgency.ACT,
        reason,
        now,
        otherwise=if_nobody_answers(run, now),
        answers=("resume", "skip"),
    )


def _ask(run: Run, answer: Answer) -> str:
    """What a person has to do before Azure takes this start; empty when nobody has to."""
    if answer.needs_person:
        return f"Azure does not let Breakwater start maintenance: {answer.message}"
    if answer.answered is Answered.REFUSED and classified(answer.code, answer.message) is Refusal.LOCKED:
        doing = f"starting maintenance of {run.target.name}"
        return f"{locked(run.target, answer.message, keeps_from=doing)} Then resume."
    return ""


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


def _with_answer(passage: Passage, answer: Answer, now: datetime, look_again: timedelta) -> Passage:
    if answer.answered is Answered.ACCEPTED:
        return replace(
            passage,
            state=transition(passage.state, InstanceState.REBOOTING),
            answered=True,
            operation=answer.operation,
            reason="Azure took the start; waiting for proof of the maintenance.",
        )
    if answer.answered is Answered.LOST:
        return replace(passage, reason=f"In doubt: {answer.message}")
    if answer.answered is Answered.REFUSED:
        return _refused(passage, answer, now, look_again)
    passage = _not_started(passage)
    return replace(
        passage,
        state=transition(passage.state, InstanceState.PENDING),
        reason=f"Not started: {answer.message}",
        retry_at=now + answer.retry_after if answer.retry_after is not None else None,
    )


def _refused(passage: Passage, answer: Answer, now: datetime, look_again: timedelta) -> Passage:
    refusal = classified(answer.code, answer.message)
    passage = replace(passage, refusal=refusal, refused=refused.words(answer))
    if refusal is Refusal.IN_DOUBT:
        # Another operation runs on it, perhaps our own earlier start: watched, never assumed to be free.
        return replace(passage, reason=f"In doubt: Azure answered {passage.refused}.")
    passage = _not_started(passage)
    said = f"Azure refused it ({passage.refused})"
    if refusal is Refusal.LOCKED:
        # The run is paused, and whoever resumes it wants to see it tried; its batch stays as it was planned.
        return replace(
            passage,
            state=transition(passage.state, InstanceState.PENDING),
            reason=f"{said}; a lock has to be removed.",
        )
    again = now + max(back_off(look_again, passage.retries), answer.retry_after or timedelta(0))
    return replace(
        passage,
        state=transition(passage.state, InstanceState.ASIDE),
        reason=f"{said}; to be started again after {say(again)}.",
        retries=passage.retries + 1,
        retry_at=again,
    )


def _not_started(passage: Passage) -> Passage:
    return replace(passage, intent_at=None, attempts=max(0, passage.attempts - 1), since=None)
