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
from planner.words import commands as words

REMEMBERED = 50  # ids of events kept to apply each once; a message is redelivered within hours


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
        return words.nothing_to_do(run.state, command.kind, run.reason)
    return HANDLED[command.kind].no_effect(run, command)


def with_commands(run: Run, commands: Iterable[Command], observation: Observation, now: datetime) -> Run:
    """The run after people's commands. One without effect or too late changes nothing but the history."""
    for command in commands:
        if command.id in run.people.events:
            continue
        run = replace(run, people=replace(run.people, events=(*run.people.events, command.id)[-REMEMBERED:]))
        why = refusal(run, command)
        if run.state not in ACTIVE:
            why = words.too_late(run.state)
        elif why:
            why = words.not_applied(why)
        run = with_entry(
            run, str(command.kind), why or _why(run, command), now, command.actor, command=command.id
        )
        if not why:
            run = HANDLED[command.kind].apply(run, command, observation, now)
    return run


def effect(before: Run, after: Run, command: Command) -> str:
    """What the command has done, for whoever said it."""
    if command.kind is CommandKind.SKIP:
        rest = after.state is RunState.PAUSED and any(not instance.settled for instance in after.instances)
        said = skipping.said(before, command)
        return f"{said} {words.STAYS_PAUSED}" if rest else said
    if command.kind is CommandKind.RAISE:
        return words.new_plan_with(words.values(command.raised))
    if command.kind is CommandKind.LET_PASS:
        return words.OTHERS_MAY_START
    if command.kind is CommandKind.ACKNOWLEDGE:
        return words.pages_nobody(paused=after.state is RunState.PAUSED)
    return _hold_effect(before) if command.kind is CommandKind.HOLD else after.reason


def _hold_effect(before: Run) -> str:
    """What still happens after a hold: a start whose intent was written before it may be on its way."""
    flying = [instance for instance in before.instances if instance.in_flight]
    unsent = [
        instance.id
        for instance in flying
        if instance.state is InstanceState.STARTING and not instance.answered
    ]
    return words.holds(unsent, len(flying))


def _approved(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    del observation
    run = approval.given(run)
    if run.state is RunState.AWAITING_APPROVAL:
        state = RunState.RUNNING if run.begun else RunState.SCHEDULED
        run = in_state(run, state, words.approved(command.actor), now, command.actor)
    return run


def _held(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    """Nothing new starts; what it was paused for stays to be read."""
    return _paused(run, words.held(command.actor, command.comment), command, observation, now)


def _quarantined(run: Run, command: Command, observation: Observation, now: datetime) -> Run:
    reason = words.quarantined(command.comment)
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
    run = in_state(run, state, words.resumed(command.actor, command.comment), now, command.actor)
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
        replan=words.raised_by(command.actor, words.values(command.raised)),
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
    sentence = words.acknowledged(command.actor, command.comment, alarm.instances, alarm.deadline)
    return with_notice(run, Kind.ACKNOWLEDGED, Urgency.KNOW, sentence, now)


def _sooner(batch: Batch, over: datetime) -> Batch:
    """A batch that joined later has a lead time of its own; one that Azure put off keeps its back-off."""
    if batch.held_until is None or any(instance.retries for instance in batch.instances):
        return batch
    return replace(batch, held_until=min(batch.held_until, over))


def _why(run: Run, command: Command) -> str:
    """The line of history of a command: why, and what it is about."""
    why = command.comment or words.NO_REASON
    if command.kind is CommandKind.RAISE:
        return words.raised(words.values(command.raised), why)
    if command.kind is CommandKind.SKIP:
        return words.left_out(why, skipping.said(run, command))
    return why


HANDLED: Mapping[CommandKind, Handling] = MappingProxyType(
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

SAYABLE = tuple(kind for kind in HANDLED if kind is not CommandKind.QUARANTINED)
"""The commands for people; the other one is bury's."""
