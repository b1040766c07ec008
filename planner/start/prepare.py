"""Before a batch: every check runs again, and a start is sent in the poll that saw it allowed or never."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance
from planner.decision import checks
from planner.observe.outstanding import outstanding
from planner.policy.fingerprint import rules_fingerprint
from planner.policy.health import describe
from planner.policy.model import CheckName, HealthRule
from planner.record.action import SetRepairs
from planner.record.batch import Batch
from planner.record.cause import Cause
from planner.record.check import Check, Outcome
from planner.record.copying import replace
from planner.record.observation import Observation
from planner.record.run import Run
from planner.schedule.timing import closes
from planner.start import eligible, gate, repairs
from planner.start.gate import AskPerson, PlanAgain, Wait
from planner.start.intents import with_intents
from planner.text.phrases import inner, say

FRESH = timedelta(seconds=30)
"""A start is sent within 30 seconds of the poll that saw the instance (docs/promises.md)."""


@dataclass(frozen=True, slots=True)
class First:
    """Something has to be done before the start; the next poll goes on. `run` has the intent in it."""

    run: Run
    actions: tuple[SetRepairs, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Go:
    """The batch with its intents written, and until when they may be sent."""

    batch: Batch
    before: datetime


def prepare(run: Run, observation: Observation, now: datetime) -> Wait | AskPerson | PlanAgain | First | Go:
    """Decide on the next batch by what this poll saw. Every check runs again; rules were read afresh."""
    held = gate.held(run, observation, now)
    if held is not None:
        return held
    batch = gate.next_batch(run, now)
    if (
        batch is None
        or observation.instances is None
        or observation.scale_set is None
        or observation.rules is None
    ):
        return Wait("a poll of Azure", cause=Cause.POLL)
    if rules_fingerprint(observation.rules) != run.terms.fingerprint:
        return PlanAgain("the policy or the tags have changed since the plan was made")
    # Protected instances are skipped one by one below, also when nothing else is left.
    structural = [
        check
        for check in checks.blocking(
            checks.counter_indications(
                observation.scale_set, outstanding(observation.instances, run, now), observation.rules, now
            )
        )
        if check.name != CheckName.PROTECTION
    ]
    if structural:
        return PlanAgain(structural[0].reason)
    mine = frozenset(progress.id for progress in batch.instances)
    held = _conditions(run, observation, mine)
    if held is not None:
        return held
    able = eligible.startable(batch, observation, now)
    if not able:
        return _nothing_ready(batch, observation)
    able = eligible.of_one_domain(batch, able, observation)
    if not able:
        return PlanAgain(f"the instances of {batch.domain} are no longer in one domain")
    room = eligible.room(run, batch, observation.instances, observation)
    if isinstance(room, (Wait, PlanAgain)):
        return room
    able = dict(list(able.items())[:room])
    # Of its own batch, too, only what is down by our doing, or goes down now, may be down.
    flying = {progress.id for progress in batch.instances if progress.in_flight}
    held = _conditions(run, observation, frozenset(able) | flying)
    if held is not None:
        return held
    if run.repairs is not None and run.repairs.resuming_since is not None:
        return Wait("its automatic repairs to run again", cause=Cause.REPAIRS)
    cannot = repairs.refused(run, observation, now)
    if cannot:
        return AskPerson(cannot)
    first = repairs.suspension(run, observation, now)
    if first is not None:
        return First(*first, "its automatic repairs to be suspended")
    return Go(with_intents(batch, able, now), _before(observation, able))


def with_checks(run: Run, observation: Observation, now: datetime) -> Run:
    """The run with its checks as this poll finds them, where it has read what they need."""
    if observation.instances is None or observation.scale_set is None or observation.rules is None:
        return run
    due = outstanding(observation.instances, run, now)
    fresh = checks.counter_indications(observation.scale_set, due, observation.rules, now)
    return replace(run, checks=checks.evaluated_again(run.checks, fresh))


def _conditions(run: Run, observation: Observation, going_down: frozenset[str]) -> Wait | None:
    """What forbids a start at this moment beside `going_down`."""
    if observation.instances is None or observation.scale_set is None or observation.rules is None:
        return Wait("a poll of Azure", cause=Cause.POLL)
    found = checks.conditions(
        observation.scale_set,
        observation.instances,
        observation.rules,
        going_down=going_down,
        reported=run.fleet.reports,
        missing=tuple(run.gaps.missing),
        reporting=run.fleet.reporting,
    )
    first = next(iter(checks.blocking(found)), None)
    return Wait(inner(first.reason), cause=_cause(run, observation, first)) if first is not None else None


def _cause(run: Run, observation: Observation, check: Check) -> Cause:
    if check.name in {CheckName.OPERATION_IN_FLIGHT, CheckName.PROVISIONING_FAILED}:
        return Cause.SCALE_SET
    if check.outcome is Outcome.UNKNOWN:
        return Cause.UNREADABLE
    # The plan's poll and this one agree: that does not change by waiting.
    required = observation.rules is not None and observation.rules.health is HealthRule.REQUIRED
    silent = all(instance.health is Health.NOT_REPORTED for instance in observation.instances or ())
    return Cause.HEALTH if required and silent and not run.fleet.reports else Cause.NEIGHBOUR


def _nothing_ready(batch: Batch, observation: Observation) -> Wait:
    waits = [each.retry_at for each in batch.instances if each.waiting and each.retry_at is not None]
    first = min((wait for wait in waits if wait > observation.at), default=None)
    if first is not None:
        return Wait(f"its next attempt at {say(first)}", first, cause=Cause.TIMES)
    mine = {progress.id for progress in batch.instances}
    down = next((instance for instance in observation.instances or () if instance.id in mine), None)
    seen = f" (instance {down.id}: {describe(down)})" if down is not None else ""
    strange = down is not None and (down.unreadable or (down.status is not None and down.status.unreadable))
    return Wait(
        f"an instance of {batch.domain} that may be started{seen}",
        cause=Cause.UNREADABLE if strange else Cause.NOT_STARTABLE,
    )


def _before(observation: Observation, able: dict[str, Instance]) -> datetime:
    ends = [observation.at + FRESH]
    windows = (instance.status.self_service for instance in able.values() if instance.status)
    ends += [window.end for window in windows if window is not None]
    if observation.rules is not None:
        closing = closes(observation.rules.windows, observation.rules.freezes, observation.at)
        if closing is not None:
            ends.append(closing)
    return min(ends)
