"""People's commands to a run: each applied once, by its id, and recorded with who gave it and why."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from planner.people import approval, no_effect, paused_run, skipping
from planner.policy.durations import parse_duration
from planner.policy.overrides import raised_further
from planner.record.batch import Batch
from planner.record.command import Command, CommandKind
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.observation import ASKS, Observation
from planner.record.run import People, Run
from planner.record.states import ACTIVE, BatchState, InstanceState, RunState, transition
from planner.state.change import in_state, with_batches
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.phrases import many, some

REMEMBERED = 50  # ids of events kept to apply each once; a message is redelivered within hours


NO_EFFECT = ("Came too late:", "Not applied:")
"""How the history's line of a command begins that has changed nothing."""


@dataclass(frozen=True, slots=True)
class Handling:
    """How a command is handled.

    `no_effect` is why it would change nothing (empty: it does), `apply` makes the run after it. `others`: it
    depends on the records of other runs and of the waves, so the observation has to have them.
    """

    no_effect: Callable[[Run, Command], str]
    apply: Callable[[Run, Command, Observation, datetime], Run]
    others: bool = False


def refusal(run: Run, command: Command) -> str:
    """Why the command would change nothing now, in a sentence; empty when it has an effect."""
    if run.state not in ACTIVE:
        return f"The run is {run.state}, there is nothing to {command.kind}. {run.reason}"
    return WORDS[command.kind].no_effect(run, command)


def with_commands(run: Run, commands: Iterable[Command], observation: Observation, now: datetime) -> Run:
    """The run after people's commands. One without effect or too late changes nothing but the history."""
    for command in commands:
        if command.id in run.people.events:
            continue
        run = replace(run, people=replace(run.people, events=(*run.people.events, command.id)[-REMEMBERED:]))
        why = refusal(run, command)
        if run.state not in ACTIVE:
            why = f"{NO_EFFECT[0]} the run is {run.state}."
        elif why:
            why = f"{NO_EFFECT[1]} {why}"
        run = with_entry(
            run, str(command.kind), why or _why(run, command), now, command.actor, command=command.id
        )
        if not why:
            run = WORDS[command.kind].apply(run, command, observation, now)
    return run


def effect(before: Run, after: Run, command: Command) -> str:
    """What the command has done, for whoever said it."""
    if command.kind is CommandKind.SKIP:
        rest = after.state is RunState.PAUSED and any(not instance.settled for instance in after.instances)
        paused = " It stays paused until somebody resumes it." if rest else ""
        return skipping.words(before, command) + paused
    if command.kind is CommandKind.RAISE:
        return f"A new plan is made with {_what(command)}."
    if command.kind is CommandKind.LET_PASS:
        return "The others may start now; it needs a place again before it goes on."
    if command.kind is CommandKind.ACKNOWLEDGE:
        return "It pages nobody any more until something else goes down. The run stays paused."
    return _hold_effect(before) if command.kind is CommandKind.HOLD else after.reason


def _hold_effect(before: Run) -> str:
    """What still happens after a hold: a start whose intent was written before it may be on its way."""
    flying = [instance for instance in before.instances if instance.in_flight]
    unsent = [
        instance.id
        for instance in flying
        if instance.state is InstanceState.STARTING and not instance.answered
    ]
    said = "Held: nothing new starts from now on."
    if unsent:
        said += f" On its way already, and may still go out: {some(unsent)}."
    if flying:
        said += f" Reboots in progress will finish: {many(len(flying), 'instance')} watched until healthy."
    return said


def _approved(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    del observation
    run = approval.given(run)
    if run.state is RunState.AWAITING_APPROVAL:
        state = RunState.RUNNING if run.begun else RunState.SCHEDULED
        run = in_state(run, state, f"Approved by {command.actor}.", now, command.actor)
    return run


def _held(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """Nothing new starts; what it was paused for stays to be read."""
    holding = f"Held by {command.actor}: {command.comment or 'no reason given'}"
    return _paused(run, holding, command, observation, now)


def _quarantined(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    reason = f"A message about it failed five times and is in quarantine: {command.comment}"
    if run.people.holding:
        return paused_run.apart(run, [reason], observation, now)
    return _paused(run, reason, command, observation, now)


def _paused(run: Run, holding: str, command: Command, observation: Observation, now: datetime) -> Run:
    beneath = run.reason if run.state is RunState.PAUSED else ""
    run = replace(run, people=replace(run.people, holding=holding, beneath=beneath))
    run = in_state(run, RunState.PAUSED, run.people.held, now, command.actor)
    return paused_run.told_again(run, observation, now)


def _resumed(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """A person takes the trouble for settled: watch the failed again, let predecessors pass.

    After a hold whatever else keeps it from going on is found anew by the next poll.
    """
    if run.state is not RunState.PAUSED:
        # It asked whether to go on though time is short.
        return replace(run, people=replace(run.people, choices=(), deadline_waived=True))
    # Only an order that asked for a person is waived: whoever was merely held still waits for its turn.
    people = run.people if run.people.holding else _waived(run.people, observation)
    run = with_batches(run, [_tried_again(batch, now) for batch in run.batches], now, command.actor)
    run = replace(
        run,
        people=replace(people, holding="", beneath="", misfit="", choices=()),
    )
    state = RunState.RUNNING if run.begun else RunState.SCHEDULED
    run = in_state(run, state, f"Resumed by {command.actor}. {command.comment}".strip(), now, command.actor)
    return with_notice(run, Kind.RESUMED, Urgency.KNOW, run.reason, now)


def _waived(people: People, observation: Observation) -> People:
    """What the run was paused for, waived."""
    asked = (
        predecessor.name
        for predecessor in observation.predecessors
        if observation.order_problem or predecessor.state in ASKS
    )
    return replace(
        people,
        waived=tuple(dict.fromkeys((*people.waived, *asked))),
        order_waived=people.order_waived or bool(observation.order_problem),
        deadline_waived=people.deadline_waived or bool(people.misfit),
    )


def _tried_again(batch: Batch, now: datetime) -> Batch:
    batch = batch.each(lambda progress: _again(progress, now))
    if batch.state is not BatchState.FAILED:
        return batch
    return replace(batch, state=transition(batch.state, BatchState.VERIFYING))


def _again(progress: InstanceProgress, now: datetime) -> InstanceProgress:
    if progress.state is not InstanceState.FAILED:
        return progress
    if progress.proof_at is not None:
        return replace(
            progress, state=transition(progress.state, InstanceState.VERIFYING), since=now, healthy_polls=0
        )
    if progress.answered:
        return replace(progress, state=transition(progress.state, InstanceState.REBOOTING), since=now)
    # It went down in an attempt that has failed: what is due again has to be seen to go down again.
    return replace(
        progress,
        state=transition(progress.state, InstanceState.PENDING),
        since=None,
        intent_at=None,
        attempts=0,
        seen_down=False,
    )


def _skipped(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    del observation
    return skipping.skipped(run, command, now)


def _raised(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """Change what the plan goes by for this run alone; the next plan is made with it."""
    del observation, now
    run = replace(
        run,
        replan=f"{command.actor} raised {_what(command)} for this run",
        terms=replace(run.terms, raised=raised_further(run.terms.raised, command.raised)),
    )
    if "lead" in command.raised and run.times.lead_over is not None:
        # Somebody who knows the plan says how much longer people need.
        lead = parse_duration(command.raised["lead"])
        over = command.at + lead
        run = replace(
            run,
            batches=tuple(_sooner(batch, over) for batch in run.batches),
            terms=replace(run.terms, lead=lead),
            times=replace(run.times, lead_over=min(run.times.lead_over, over)),
        )
    return run


def _what(command: Command) -> str:
    return ", ".join(f"{key} {value}" for key, value in command.raised.items())


def _others_pass(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """Give its place under the limits to the others; it needs one again before it starts anything more."""
    del command, observation, now
    return replace(
        run, people=replace(run.people, lets_pass=True), standing=replace(run.standing, holds_up=None)
    )


def _acknowledged(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """It pages nobody any more; everything else about the run stays as it is."""
    del observation
    alarm = run.standing.alarm
    assert alarm is not None
    alarm = replace(alarm, taken_by=command.actor, taken_at=now)
    run = replace(run, standing=replace(run.standing, alarm=alarm))
    down = f"instance{'s' if len(alarm.instances) > 1 else ''} {some(alarm.instances)}"
    why = f": {command.comment.rstrip('.')}" if command.comment else ""
    sentence = f"{command.actor} has acknowledged it{why}. Still down: {down}."
    return with_notice(run, Kind.ACKNOWLEDGED, Urgency.KNOW, sentence, now)


def _sooner(batch: Batch, over: datetime) -> Batch:
    """A batch that joined later has a lead time of its own; one that Azure put off keeps its back-off."""
    if batch.held_until is None or any(instance.retries for instance in batch.instances):
        return batch
    return replace(batch, held_until=min(batch.held_until, over))


def _why(run: Run, command: Command) -> str:
    """The line of history of a command: why, and what it is about."""
    why = command.comment or "No reason given."
    if command.kind is CommandKind.RAISE:
        return f"{_what(command)}. {why}"
    if command.kind is CommandKind.SKIP:
        return f"{why} ({skipping.words(run, command)})"
    return why


WORDS: Mapping[CommandKind, Handling] = MappingProxyType(
    {
        CommandKind.APPROVE: Handling(no_effect.approve, _approved),
        CommandKind.HOLD: Handling(no_effect.hold, _held),
        CommandKind.RESUME: Handling(no_effect.resume, _resumed, others=True),
        CommandKind.SKIP: Handling(skipping.pointless, _skipped),
        CommandKind.RAISE: Handling(no_effect.raised, _raised),
        CommandKind.LET_PASS: Handling(no_effect.let_pass, _others_pass),
        CommandKind.ACKNOWLEDGE: Handling(no_effect.acknowledge, _acknowledged),
        CommandKind.QUARANTINED: Handling(no_effect.quarantined, _quarantined),
    }
)
"""Every command a run takes. A new one needs its line here, and the sentence in docs/people.md."""

SAYABLE = tuple(word for word in WORDS if word is not CommandKind.QUARANTINED)
"""The commands for people; the other one is bury's."""
