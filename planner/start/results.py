"""What Azure answered to the starts of a poll, added to the run that wrote their intents."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from planner.azure.refusal import Refusal, classified
from planner.record.action import StartOutcome, StartResult
from planner.record.command import CommandKind
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind
from planner.record.run import Run, again
from planner.record.states import BatchState, InstanceState, RunState, transition
from planner.start import refusal_notices
from planner.start.gate import open_batch
from planner.start.locks import locked
from planner.state.change import in_state, with_batches
from planner.state.notices import with_question, with_started_notice
from planner.text.backoff import back_off
from planner.words import refusals
from planner.words import starts as words

POLL_INTERVAL = timedelta(seconds=60)


def answered(
    run: Run, answers: Iterable[StartResult], now: datetime, poll_interval: timedelta = POLL_INTERVAL
) -> Run:
    """The run with the answers in it. A start nobody answered stays an intent in doubt.

    `poll_interval` is the interval that back-off is counted in.
    """
    by_id = {result.instance: result for result in answers}
    batch = open_batch(run)
    if batch is None or not by_id:
        return run

    def with_answer(instance: InstanceProgress) -> InstanceProgress:
        result = by_id.get(instance.id)
        if result is None or instance.state is not InstanceState.STARTING or instance.answered:
            return instance
        return _with_answer(instance, result, now, poll_interval)

    changed = batch.each(with_answer)
    if any(instance.answered for instance in changed.instances):
        changed = replace(changed, state=transition(changed.state, BatchState.REBOOTING))
    run = with_batches(run, [changed if each is batch else each for each in run.batches], now)
    results = tuple(by_id.values())
    run = with_started_notice(_withdrawn(run, results, now), now)
    refused = [result for result in results if result.answered is StartOutcome.REFUSED]
    return _asked(refusal_notices.told_by_cause(run, refused, now), results, now)


def _asked(run: Run, answers: Sequence[StartResult], now: datetime) -> Run:
    """The run paused where only a person can go on: it asks once, and a resume is the next attempt."""
    reason = next((_ask(run, result) for result in answers if _ask(run, result)), "")
    if not reason:
        return run
    run = in_state(run, RunState.PAUSED, reason, now)
    return with_question(run, Kind.PAUSED, reason, now, answers=(CommandKind.RESUME, CommandKind.SKIP))


def _ask(run: Run, answer: StartResult) -> str:
    """What a person has to do before Azure takes this start; empty when nobody has to."""
    if answer.needs_person:
        return words.not_allowed(answer.message)
    if answer.answered is StartOutcome.REFUSED and classified(answer.code, answer.message) is Refusal.LOCKED:
        ask = locked(run.target, answer.message, keeps_from=refusals.starting(run.target.name))
        return refusals.then_resume(ask)
    return ""


def _withdrawn(run: Run, answers: Sequence[StartResult], now: datetime) -> Run:
    """Starts that could not be sent in time or at all, again and again, are told once after half an hour."""
    unsent = [
        result for result in answers if result.answered is StartOutcome.WITHDRAWN and not result.needs_person
    ]
    if len(unsent) < len(answers) or run.state is RunState.PAUSED:
        return replace(run, gaps=replace(run.gaps, unsent=None))
    trouble = again(run.gaps.unsent, unsent[0].message, now)
    reason = words.none_sent(trouble.since, trouble.error)
    if trouble.to_tell(now):
        run = with_question(run, Kind.TROUBLE, reason, now)
        trouble = replace(trouble, told=True)
    return replace(run, reason=reason, gaps=replace(run.gaps, unsent=trouble))


def _with_answer(
    progress: InstanceProgress, answer: StartResult, now: datetime, poll_interval: timedelta
) -> InstanceProgress:
    if answer.answered is StartOutcome.ACCEPTED:
        return replace(
            progress,
            state=transition(progress.state, InstanceState.REBOOTING),
            answered=True,
            operation=answer.operation,
            reason=words.TAKEN,
        )
    if answer.answered is StartOutcome.LOST:
        return replace(progress, reason=words.lost(answer.message))
    if answer.answered is StartOutcome.REFUSED:
        return _refused(progress, answer, now, poll_interval)
    progress = _not_started(progress)
    return replace(
        progress,
        state=transition(progress.state, InstanceState.PENDING),
        reason=words.not_sent(answer.message),
        retry_at=now + answer.retry_after if answer.retry_after is not None else None,
    )


def _refused(
    progress: InstanceProgress, answer: StartResult, now: datetime, poll_interval: timedelta
) -> InstanceProgress:
    refusal = classified(answer.code, answer.message)
    said = refusals.said_by_azure(answer.code, answer.message)
    progress = replace(progress, refusal=refusal, refused=said)
    if refusal is Refusal.IN_DOUBT:
        # Another operation runs on it, perhaps our own earlier start: watched, never assumed to be free.
        return replace(progress, reason=words.answered_in_doubt(said))
    progress = _not_started(progress)
    if refusal is Refusal.LOCKED:
        # The run is paused, and whoever resumes it wants to see it tried; its batch stays as it was planned.
        return replace(
            progress,
            state=transition(progress.state, InstanceState.PENDING),
            reason=refusals.needs_lock_removed(said),
        )
    later = now + max(back_off(poll_interval, progress.retries), answer.retry_after or timedelta(0))
    return replace(
        progress,
        state=transition(progress.state, InstanceState.ASIDE),
        reason=refusals.again_after(said, later),
        retries=progress.retries + 1,
        retry_at=later,
    )


def _not_started(progress: InstanceProgress) -> InstanceProgress:
    return replace(progress, intent_at=None, attempts=max(0, progress.attempts - 1), since=None)
