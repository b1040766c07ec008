"""What people say to a run, applied once by the event's id."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from planner import approval
from planner.durations import parse_duration
from planner.look import ASKS, FIT, ORDER, Event, Look, Word
from planner.notice import Kind, Urgency
from planner.run import (
    ACTIVE,
    IN_FLIGHT,
    Batch,
    BatchState,
    InstanceState,
    Passage,
    Run,
    RunState,
)
from planner.telling import if_nobody_answers, moved, noted, told

REMEMBERED = 50  # ids of events kept to apply each once; a message is redelivered within hours


def heard(run: Run, events: Iterable[Event], look: Look, now: datetime) -> Run:
    """The run after people's words. An unknown or late word changes nothing but the history."""
    for event in events:
        if event.id in run.events:
            continue
        run = replace(run, events=(*run.events, event.id)[-REMEMBERED:])
        if run.state not in ACTIVE:
            run = noted(run, str(event.word), f"Came too late: the run is {run.state}.", now, event.actor)
            continue
        run = _HEARD[event.word](run, event, look, now)
    return run


def _approved(run: Run, event: Event, look: Look, now: datetime) -> Run:
    del look
    if event.checksum and event.checksum != run.checksum:
        return noted(
            run, "approve", f"Not applied: given for plan {event.checksum}, it is {run.checksum} now.", now,
            event.actor,
        )  # fmt: skip
    run = approval.given(run)
    run = noted(run, "approve", _why(event), now, event.actor)
    if run.state is RunState.AWAITING_APPROVAL:
        begun = any(batch.started_at for batch in run.batches)
        state = RunState.RUNNING if begun else RunState.SCHEDULED
        run = moved(run, state, f"Approved by {event.actor}.", now, event.actor)
    return run


def _held(run: Run, event: Event, look: Look, now: datetime) -> Run:
    reason = f"Held by {event.actor}: {event.comment or 'no reason given'}"
    run = moved(replace(run, holding=reason), RunState.PAUSED, reason, now, event.actor)
    return told(
        run, Kind.PAUSED, Urgency.ACT, reason, now,
        instances=look.instances, otherwise=if_nobody_answers(run, now), answers=("resume", "skip"),
    )  # fmt: skip


def _resumed(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """A person takes the trouble for settled: watch the failed again, let predecessors pass."""
    # Only an order that asked for a person is waived: whoever was merely held still waits for its turn.
    asked = [one for one in look.predecessors if look.order_problem or one.state in ASKS]
    waiting = tuple(one.name for one in asked if one.name not in run.waived)
    if look.order_problem:
        waiting = (*waiting, ORDER)
    if run.misfit:
        waiting = (*waiting, FIT)
    batches = tuple(
        replace(
            batch,
            instances=tuple(_again(one, now) for one in batch.instances),
            state=BatchState.VERIFYING if batch.state is BatchState.FAILED else batch.state,
        )
        for batch in run.batches
    )
    run = replace(
        run,
        holding="",
        misfit="",
        choices=(),
        batches=batches,
        waived=(*run.waived, *waiting) if run.state is RunState.PAUSED and not run.holding else run.waived,
    )
    if run.state is not RunState.PAUSED:
        return noted(run, "resume", _why(event), now, event.actor)
    begun = any(batch.started_at for batch in batches)
    state = RunState.RUNNING if begun else RunState.SCHEDULED
    run = moved(run, state, f"Resumed by {event.actor}. {event.comment}".strip(), now, event.actor)
    return told(run, Kind.RESUMED, Urgency.KNOW, run.reason, now)


def _again(passage: Passage, now: datetime) -> Passage:
    if passage.state is not InstanceState.FAILED:
        return passage
    if passage.proof_at is not None:
        return replace(passage, state=InstanceState.VERIFYING, since=now, healthy_looks=0)
    if passage.answered:
        return replace(passage, state=InstanceState.REBOOTING, since=now)
    return replace(passage, state=InstanceState.PENDING, since=None, intent_at=None, attempts=0)


def _skipped(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Excuse what is named, or all that has not been started; a failed instance only by its name."""
    del look
    of_domains = {one.id for batch in run.batches if batch.domain in event.domains for one in batch.instances}
    named = frozenset(event.instances) | of_domains
    some = bool(event.instances or event.domains)

    def skipped(passage: Passage) -> Passage:
        waiting = passage.state in {InstanceState.PENDING, InstanceState.ASIDE}
        failed = passage.state is InstanceState.FAILED and passage.id in event.instances
        if failed or (waiting and (not some or passage.id in named)):
            reason = f"Excused: skipped by {event.actor}. {event.comment}".strip()
            return replace(passage, state=InstanceState.EXCUSED, reason=reason, finished_at=now)
        return passage

    batches = tuple(replace(one, instances=tuple(map(skipped, one.instances))) for one in run.batches)
    return noted(replace(run, batches=batches), "skip", _why(event), now, event.actor)


def _raised(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Change what the plan goes by for this run alone; the next plan is made with it."""
    del look
    what = ", ".join(f"{key} {value}" for key, value in event.raised.items())
    run = replace(
        run, raised={**run.raised, **event.raised}, replan=f"{event.actor} raised {what} for this run"
    )
    if "lead" in event.raised and run.lead_over is not None:
        # Somebody who knows the plan says how much longer people need.
        lead = parse_duration(event.raised["lead"])
        over = event.at + lead
        batches = tuple(_sooner(one, over) for one in run.batches)
        run = replace(run, lead=lead, lead_over=min(run.lead_over, over), batches=batches)
    return noted(run, "raise", f"{what}. {_why(event)}", now, event.actor)


def _let_pass(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Give its place under the limits to the others; it needs one again before it starts anything more."""
    del look
    refused = cannot_let_pass(run)
    if refused:
        return noted(run, "let-pass", f"Not applied: {refused}", now, event.actor)
    run = replace(run, lets_pass=True, holds_up=None)
    return noted(
        run, "let-pass", f"It counts against no limit until it goes on. {_why(event)}", now, event.actor
    )


def cannot_let_pass(run: Run) -> str:
    """Why `let-pass` would change nothing, a sentence; empty when it lets others pass."""
    if run.state is not RunState.PAUSED:
        return f"The run is {run.state} and not paused: only a paused run can let the others pass."
    if run.lets_pass:
        return "The run lets the others pass already."
    if not run.claims:
        return "Nothing of the run has been started, so it counts against no limit and holds up nobody."
    flying = next((one.id for one in run.passages if one.state in IN_FLIGHT), "")
    if flying:
        return f"Instance {flying} is still being watched after its start; say it once that is over."
    return ""


def _sooner(batch: Batch, over: datetime) -> Batch:
    """A batch that joined later has a lead time of its own; one that Azure put off keeps its back-off."""
    if batch.held_until is None or any(one.retries for one in batch.instances):
        return batch
    return replace(batch, held_until=min(batch.held_until, over))


def _quarantined(run: Run, event: Event, look: Look, now: datetime) -> Run:
    reason = f"A message about it failed again and again and is in quarantine: {event.comment}"
    run = moved(replace(run, holding=reason), RunState.PAUSED, reason, now, event.actor)
    return told(
        run, Kind.PAUSED, Urgency.ACT, reason, now,
        instances=look.instances, otherwise=if_nobody_answers(run, now), answers=("resume", "skip"),
    )  # fmt: skip


def _why(event: Event) -> str:
    some = (*event.instances, *event.domains)
    what = f" ({', '.join(some)})" if some else ""
    return (event.comment or "No reason given.") + what


_HEARD = {
    Word.APPROVE: _approved,
    Word.HOLD: _held,
    Word.RESUME: _resumed,
    Word.SKIP: _skipped,
    Word.RAISE: _raised,
    Word.LET_PASS: _let_pass,
    Word.QUARANTINED: _quarantined,
}
