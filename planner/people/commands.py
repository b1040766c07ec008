"""What people say to a run: each word once, by its id, on record with who said it and why."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from planner.people import approval, no_effect, pausing, skipping
from planner.policy.durations import parse_duration
from planner.policy.overrides import raised_further
from planner.record.notice import Kind, Urgency
from planner.record.observation import ASKS, FIT, ORDER, Event, Look, Word
from planner.record.run import Batch, Passage, Run
from planner.record.states import ACTIVE, IN_FLIGHT, SETTLED, BatchState, InstanceState, RunState, transition
from planner.state.journal import if_nobody_answers, moved, noted, told
from planner.text.phrases import many, some

REMEMBERED = 50  # ids of events kept to apply each once; a message is redelivered within hours


@dataclass(frozen=True, slots=True)
class Saying:
    """How a word is taken.

    `pointless` is why it would have no effect on a run (empty: it has one), `heard` the run after it.
    `others`: it depends on what the records of other runs and of the waves say, so the look has to hold that.
    """

    pointless: Callable[[Run, Event], str]
    heard: Callable[[Run, Event, Look, datetime], Run]
    others: bool = False


def refusal(run: Run, event: Event) -> str:
    """Why the word would change nothing now, in a sentence; empty when it has an effect."""
    if run.state not in ACTIVE:
        return f"The run is {run.state}, there is nothing to {event.word}. {run.reason}"
    return WORDS[event.word].pointless(run, event)


def heard(run: Run, events: Iterable[Event], look: Look, now: datetime) -> Run:
    """The run after people's words. A word without effect or too late changes nothing but the history."""
    for event in events:
        if event.id in run.events:
            continue
        run = replace(run, events=(*run.events, event.id)[-REMEMBERED:])
        why = refusal(run, event)
        if run.state not in ACTIVE:
            why = f"Came too late: the run is {run.state}."
        elif why:
            why = f"Not applied: {why}"
        run = noted(run, str(event.word), why or _why(run, event), now, event.actor, word=event.id)
        if not why:
            run = WORDS[event.word].heard(run, event, look, now)
    return run


def effect(before: Run, after: Run, event: Event) -> str:
    """What the word has done, for whoever said it."""
    if event.word is Word.SKIP:
        rest = after.state is RunState.PAUSED and any(one.state not in SETTLED for one in after.passages)
        paused = " It stays paused until somebody resumes it." if rest else ""
        return skipping.words(before, event) + paused
    if event.word is Word.RAISE:
        return f"A new plan is made with {_what(event)}."
    if event.word is Word.LET_PASS:
        return "It counts against no limit until it goes on; the others may start now."
    return _hold_effect(before) if event.word is Word.HOLD else after.reason


def _hold_effect(before: Run) -> str:
    """What still happens after a hold: a start whose intent was written before it may be on its way."""
    flying = [one for one in before.passages if one.state in IN_FLIGHT]
    unsent = [one.id for one in flying if one.state is InstanceState.STARTING and not one.answered]
    said = "Held: no start is written from now on."
    if unsent:
        said += f" Written before, so it may still be sent: {some(unsent)}."
    if flying:
        said += f" Watched until it serves again: {many(len(flying), 'instance')} under way."
    return said


def _approved(run: Run, event: Event, look: Look, now: datetime) -> Run:
    del look
    run = approval.given(run)
    if run.state is RunState.AWAITING_APPROVAL:
        begun = any(batch.started_at for batch in run.batches)
        state = RunState.RUNNING if begun else RunState.SCHEDULED
        run = moved(run, state, f"Approved by {event.actor}.", now, event.actor)
    return run


def _held(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Nothing new starts; what it was paused for stays to be read."""
    return _paused(run, f"Held by {event.actor}: {event.comment or 'no reason given'}", event, look, now)


def _quarantined(run: Run, event: Event, look: Look, now: datetime) -> Run:
    reason = f"A message about it failed again and again and is in quarantine: {event.comment}"
    if run.holding:
        return pausing.apart(run, [reason], look, now)
    return _paused(run, reason, event, look, now)


def _paused(run: Run, holding: str, event: Event, look: Look, now: datetime) -> Run:
    beneath = run.reason if run.state is RunState.PAUSED else ""
    run = replace(run, holding=holding, beneath=beneath)
    run = moved(run, RunState.PAUSED, run.held, now, event.actor)
    return told(
        run, Kind.PAUSED, Urgency.ACT, run.reason, now, instances=look.instances, on_record=True,
        otherwise=if_nobody_answers(run, now), answers=("resume", "skip"),
    )  # fmt: skip


def _resumed(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """A person takes the trouble for settled: watch the failed again, let predecessors pass.

    After a hold whatever else keeps it from going on is found anew by the next look.
    """
    if run.state is not RunState.PAUSED:
        # It asked whether to go on though time is short.
        return replace(run, choices=(), waived=_with(run.waived, FIT))
    # Only an order that asked for a person is waived: whoever was merely held still waits for its turn.
    waiting = () if run.holding else _let_pass(run, look)
    batches = tuple(
        replace(
            batch,
            instances=tuple(_again(one, now) for one in batch.instances),
            state=transition(
                batch.state, BatchState.VERIFYING if batch.state is BatchState.FAILED else batch.state
            ),
        )
        for batch in run.batches
    )
    run = replace(
        run,
        holding="",
        beneath="",
        misfit="",
        choices=(),
        batches=batches,
        waived=_with(run.waived, *waiting),
    )
    begun = any(batch.started_at for batch in batches)
    state = RunState.RUNNING if begun else RunState.SCHEDULED
    run = moved(run, state, f"Resumed by {event.actor}. {event.comment}".strip(), now, event.actor)
    return told(run, Kind.RESUMED, Urgency.KNOW, run.reason, now)


def _let_pass(run: Run, look: Look) -> tuple[str, ...]:
    asked = tuple(one.name for one in look.predecessors if look.order_problem or one.state in ASKS)
    return (*asked, *((ORDER,) if look.order_problem else ()), *((FIT,) if run.misfit else ()))


def _with(waived: tuple[str, ...], *more: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*waived, *more)))


def _again(passage: Passage, now: datetime) -> Passage:
    if passage.state is not InstanceState.FAILED:
        return passage
    if passage.proof_at is not None:
        return replace(
            passage, state=transition(passage.state, InstanceState.VERIFYING), since=now, healthy_looks=0
        )
    if passage.answered:
        return replace(passage, state=transition(passage.state, InstanceState.REBOOTING), since=now)
    # It went down in an attempt that has failed: what is due again has to be seen to go down again.
    return replace(
        passage,
        state=transition(passage.state, InstanceState.PENDING),
        since=None,
        intent_at=None,
        attempts=0,
        seen_down=False,
    )


def _skipped(run: Run, event: Event, look: Look, now: datetime) -> Run:
    del look
    return skipping.skipped(run, event, now)


def _raised(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Change what the plan goes by for this run alone; the next plan is made with it."""
    del look, now
    run = replace(
        run,
        raised=raised_further(run.raised, event.raised),
        replan=f"{event.actor} raised {_what(event)} for this run",
    )
    if "lead" in event.raised and run.lead_over is not None:
        # Somebody who knows the plan says how much longer people need.
        lead = parse_duration(event.raised["lead"])
        over = event.at + lead
        batches = tuple(_sooner(one, over) for one in run.batches)
        run = replace(run, lead=lead, lead_over=min(run.lead_over, over), batches=batches)
    return run


def _what(event: Event) -> str:
    return ", ".join(f"{key} {value}" for key, value in event.raised.items())


def _others_pass(run: Run, event: Event, look: Look, now: datetime) -> Run:
    """Give its place under the limits to the others; it needs one again before it starts anything more."""
    del event, look, now
    return replace(run, lets_pass=True, holds_up=None)


def _sooner(batch: Batch, over: datetime) -> Batch:
    """A batch that joined later has a lead time of its own; one that Azure put off keeps its back-off."""
    if batch.held_until is None or any(one.retries for one in batch.instances):
        return batch
    return replace(batch, held_until=min(batch.held_until, over))


def _why(run: Run, event: Event) -> str:
    """The line of history of a word: why, and what it is about."""
    why = event.comment or "No reason given."
    if event.word is Word.RAISE:
        return f"{_what(event)}. {why}"
    if event.word is Word.SKIP:
        return f"{why} ({skipping.words(run, event)})"
    return why


WORDS: Mapping[Word, Saying] = MappingProxyType(
    {
        Word.APPROVE: Saying(no_effect.approve, _approved),
        Word.HOLD: Saying(no_effect.hold, _held),
        Word.RESUME: Saying(no_effect.resume, _resumed, others=True),
        Word.SKIP: Saying(skipping.pointless, _skipped),
        Word.RAISE: Saying(no_effect.raised, _raised),
        Word.LET_PASS: Saying(no_effect.let_pass, _others_pass),
        Word.QUARANTINED: Saying(no_effect.quarantined, _quarantined),
    }
)
"""Every word a run takes. A new one needs its line here, and the sentence in docs/people.md."""

SAYABLE = tuple(word for word in WORDS if word is not Word.QUARANTINED)
"""The words for people; the other one is bury's."""
