"""Automatic repairs: suspended from a batch's start to its verification, if they were found running.

The intent is on record before Azure is called, so that whoever comes after a crash knows that these are ours
to resume; what somebody else suspended is left alone.
"""

from datetime import datetime, timedelta

from planner.azure.fleet import RepairsState
from planner.azure.refusal import Refusal, classified
from planner.policy.model import CheckName
from planner.record.action import SetRepairs
from planner.record.copying import replace
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Repairs, Run
from planner.record.states import RunState
from planner.start.locks import locked
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.text.phrases import long, say

PATIENCE = timedelta(minutes=30)
"""How long resuming is tried before people are told and the run goes on to its end."""

PATIENT_POLLS = 3
"""Azure takes seconds to a minute to follow; asked again meanwhile, it would speak of a conflict."""

TRIES = 5
"""Looks may be far apart, and whoever asks Azure may die before: it is asked so often at least."""

WAITS = 10
"""Poll intervals for which suspended repairs wait for the start they were suspended for."""

STARTING = frozenset({RunState.SCHEDULED, RunState.RUNNING})


def suspension(
    run: Run, observation: Observation, now: datetime
) -> tuple[Run, tuple[SetRepairs, ...]] | None:
    """What to do before a start: the run with the intent and the call; None when the start may go."""
    if observation.scale_set is None or observation.rules is None:
        return None
    if (
        not observation.scale_set.automatic_repairs
        or CheckName.AUTOMATIC_REPAIRS in observation.rules.accept
        or observation.repairs != RepairsState.RUNNING
    ):
        return None
    held = run.repairs
    if held is None:
        run = with_entry(
            run, "suspends automatic repairs", "They would replace an instance that reboots.", now
        )
    if held is None or held.resuming_since is not None:
        held = Repairs(now)
    return _asked(run, held, observation, now, suspend=True)


def _asked(
    run: Run, held: Repairs, observation: Observation, now: datetime, *, suspend: bool
) -> tuple[Run, tuple[SetRepairs, ...]]:
    """The run with Azure asked, or asked again when it has had time to follow."""
    if held.asked_at is not None and now - held.asked_at < observation.poll_interval * PATIENT_POLLS:
        return replace(run, repairs=held), ()
    held = replace(held, asked_at=now, tries=held.tries + (not suspend))
    return replace(run, repairs=held), (SetRepairs(suspend=suspend),)


def refused(run: Run, observation: Observation, now: datetime) -> str:
    """What a person has to know when repairs run and Azure does not suspend them; empty when it does."""
    held = run.repairs
    if held is None or held.seen_suspended or observation.repairs != RepairsState.RUNNING:
        return ""
    waited = now - held.since
    if not held.denied and waited <= observation.poll_interval * WAITS:
        return ""
    why = held.error or f"Azure accepted the request, but nothing has changed after {long(waited)}."
    return (
        f"Automatic repairs are on and cannot be suspended: {why} Resume when that is settled, or accept "
        f"`{CheckName.AUTOMATIC_REPAIRS}` in the policy."
    )


def kept(run: Run, observation: Observation, now: datetime) -> tuple[Run, tuple[SetRepairs, ...]]:
    """The run after a poll of repairs it suspended: resumed once nothing of it is in flight any more."""
    held = run.repairs
    if held is None:
        return run, ()
    if observation.deleted:
        return replace(run, repairs=None), ()
    if _refused_to_us(held) and (
        observation.repairs == RepairsState.SUSPENDED or run.state is RunState.PAUSED
    ):
        # Azure had refused it, so whoever has suspended them since, it was not us.
        words = "Nothing is to be resumed: Azure had refused to suspend them for us."
        return with_entry(replace(run, repairs=None), "automatic repairs left alone", words, now), ()
    if observation.repairs == RepairsState.SUSPENDED and not held.seen_suspended:
        held = replace(held, seen_suspended=True, error="", denied=False)
        run = replace(run, repairs=held)
    in_flight = run.in_flight
    if observation.repairs == RepairsState.RUNNING and (
        held.seen_suspended or held.resuming_since is not None
    ):
        # Running again: by us, or somebody resumed them under our feet, and then they are theirs.
        words = (
            "They are back on."
            if not in_flight
            else "Somebody else resumed them while instances were rebooting."
        )
        return with_entry(replace(run, repairs=None), "automatic repairs run", words, now), ()
    if in_flight or _about_to_start(run, observation, now):
        return run, ()
    since = held.resuming_since or now
    if now - since > PATIENCE and held.tries >= TRIES:
        return _given_up(run, held, now), ()
    if held.resuming_since is None:
        run = with_entry(run, "resumes automatic repairs", _why(run), now)
        held = replace(held, resuming_since=since, asked_at=None)
    return _asked(run, held, observation, now, suspend=False)


def answered(run: Run, error: str, *, denied: bool) -> Run:
    """The run with what Azure said against the last call; the next poll sees what became of it.

    `denied`: asking again is of no use; otherwise another operation may only have been in the way.
    """
    if run.repairs is None or (run.repairs.error, run.repairs.denied) == (error, denied):
        return run
    return replace(run, repairs=replace(run.repairs, error=error, denied=denied))


def refused_by_azure(run: Run, code: str, message: str, *, suspend: bool) -> Run:
    """The run with Azure's refusal of the last call; a lock is final until somebody removes it."""
    if classified(code, message) is not Refusal.LOCKED:
        return answered(run, message, denied=False)
    doing = f"{'suspending' if suspend else 'resuming'} the automatic repairs of {run.target.name}"
    return answered(run, locked(run.target, message, keeps_from=doing), denied=True)


def _refused_to_us(held: Repairs) -> bool:
    """Whether the only call so far was the one to suspend them, and our role lacks the right.

    A conflict says nothing of the kind: an earlier order of ours may have been what was in the way.
    """
    return held.denied and not held.seen_suspended and held.resuming_since is None


def _about_to_start(run: Run, observation: Observation, now: datetime) -> bool:
    """Suspended for a batch that the next polls start; what takes longer must not keep them suspended."""
    held = run.repairs
    if held is None or held.resuming_since is not None or run.state not in STARTING or run.people.holding:
        return False
    started = any(batch.started_at is not None and batch.started_at >= held.since for batch in run.batches)
    return not started and now - held.since <= observation.poll_interval * 2 * WAITS


def _why(run: Run) -> str:
    if run.state is RunState.PAUSED:
        return "The run is paused, so they may repair what is unhealthy."
    return "No reboot is in progress any more."


def _given_up(run: Run, held: Repairs, now: datetime) -> Run:
    target = run.target
    words = (
        f"Switch the automatic repairs of {target.name} back on: Breakwater suspended them at "
        f"{say(held.since)} and could not resume them for {long(PATIENCE)}"
        f"{f': {held.error}' if held.error else '.'} By hand: "
        "az vmss set-orchestration-service-state --service-name AutomaticRepairs --action Resume "
        f"--name {target.name} --resource-group {target.resource_group} --subscription {target.subscription}"
    )
    run = with_entry(replace(run, repairs=None), "automatic repairs left suspended", words, now)
    return with_notice(run, Kind.TROUBLE, Urgency.ACT, words, now)
