"""Before a batch: every check runs again, and what may be started is sent in this very look or not at all."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance
from planner.decision import checks
from planner.observe.outstanding import outstanding
from planner.policy.health import describe
from planner.policy.resolve import HealthRule
from planner.record.cause import Cause
from planner.record.check import Check, Outcome
from planner.record.observation import Look, SetRepairs
from planner.record.run import Batch, Run
from planner.record.states import IN_FLIGHT
from planner.schedule.schedule import closes, fingerprint
from planner.start import eligible, gate, repairs
from planner.start.gate import AskPerson, PlanAgain, Wait
from planner.start.intents import with_intents
from planner.text.phrases import inner, say

FRESH = timedelta(seconds=30)
"""A start is sent within 30 seconds of the look that saw the instance (design: A start)."""


@dataclass(frozen=True, slots=True)
class First:
    """Something has to be done before the start; the next look goes on. `run` has the intent in it."""

    run: Run
    actions: tuple[SetRepairs, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Go:
    """The batch with its intents written, and until when they may be sent."""

    batch: Batch
    before: datetime


def prepare(run: Run, look: Look, now: datetime) -> Wait | AskPerson | PlanAgain | First | Go:
    """Decide on the next batch by what this look saw. Every check runs again; rules were read afresh."""
    held = gate.held(run, look, now)
    if held is not None:
        return held
    batch = gate.next_batch(run, now)
    if batch is None or look.instances is None or look.scale_set is None or look.rules is None:
        return Wait("a look at Azure", cause=Cause.LOOK)
    if fingerprint(look.rules) != run.rules:
        return PlanAgain("the policy or the tags have changed since the plan was made")
    # Protected instances are excused one by one below, also when nothing else is left.
    structural = [
        one
        for one in checks.blocking(
            checks.counter_indications(look.scale_set, outstanding(look.instances, run, now), look.rules, now)
        )
        if one.name != "protection"
    ]
    if structural:
        return PlanAgain(structural[0].reason)
    mine = frozenset(passage.id for passage in batch.instances)
    held = _conditions(run, look, mine)
    if held is not None:
        return held
    able = eligible.startable(batch, look, now)
    if not able:
        return _nothing_ready(batch, look)
    able = eligible.of_one_domain(batch, able, look)
    if not able:
        return PlanAgain(f"the instances of {batch.domain} are no longer in one domain")
    room = eligible.room(run, batch, look.instances, look)
    if isinstance(room, (Wait, PlanAgain)):
        return room
    able = dict(list(able.items())[:room])
    # Of its own batch, too, only what is down by our doing, or goes down now, may be down.
    flying = {passage.id for passage in batch.instances if passage.state in IN_FLIGHT}
    held = _conditions(run, look, frozenset(able) | flying)
    if held is not None:
        return held
    if run.repairs is not None and run.repairs.resuming_since is not None:
        return Wait("its automatic repairs to run again", cause=Cause.REPAIRS)
    cannot = repairs.refused(run, look, now)
    if cannot:
        return AskPerson(cannot)
    first = repairs.suspension(run, look, now)
    if first is not None:
        return First(*first, "its automatic repairs to be suspended")
    return Go(with_intents(batch, able, now), _before(look, able))


def with_checks(run: Run, look: Look, now: datetime) -> Run:
    """The run with its checks as this look finds them, where it has read what they need."""
    if look.instances is None or look.scale_set is None or look.rules is None:
        return run
    due = outstanding(look.instances, run, now)
    fresh = checks.counter_indications(look.scale_set, due, look.rules, now)
    return replace(run, checks=checks.evaluated_again(run.checks, fresh))


def _conditions(run: Run, look: Look, going_down: frozenset[str]) -> Wait | None:
    """What forbids a start at this moment beside `going_down`."""
    if look.instances is None or look.scale_set is None or look.rules is None:
        return Wait("a look at Azure", cause=Cause.LOOK)
    found = checks.conditions(
        look.scale_set,
        look.instances,
        look.rules,
        going_down=going_down,
        reported=run.reports,
        missing=tuple(run.missing),
        reporting=run.reporting,
    )
    first = next(iter(checks.blocking(found)), None)
    return Wait(inner(first.reason), cause=_cause(run, look, first)) if first is not None else None


def _cause(run: Run, look: Look, check: Check) -> Cause:
    if check.name in {"operation-in-flight", "provisioning-failed"}:
        return Cause.SCALE_SET
    if check.outcome is Outcome.UNKNOWN:
        return Cause.UNREADABLE
    # The plan's look and this one agree: that does not change by waiting.
    required = look.rules is not None and look.rules.health is HealthRule.REQUIRED
    silent = all(one.health is Health.NOT_REPORTED for one in look.instances or ())
    return Cause.HEALTH if required and silent and not run.reports else Cause.NEIGHBOUR


def _nothing_ready(batch: Batch, look: Look) -> Wait:
    waits = [one.retry_at for one in batch.instances if gate.to_start(one) and one.retry_at is not None]
    waits = [one for one in waits if one > look.at]
    if waits:
        return Wait(f"its next attempt at {say(min(waits))}", min(waits), cause=Cause.TIMES)
    down = next(
        (one for one in look.instances or () if one.id in {passage.id for passage in batch.instances}), None
    )
    seen = f" (instance {down.id}: {describe(down)})" if down is not None else ""
    strange = down is not None and (down.unreadable or (down.status is not None and down.status.unreadable))
    return Wait(
        f"an instance of {batch.domain} that may be started{seen}",
        cause=Cause.UNREADABLE if strange else Cause.NOT_STARTABLE,
    )


def _before(look: Look, able: dict[str, Instance]) -> datetime:
    ends = [look.at + FRESH]
    ends += [one.status.self_service.end for one in able.values() if one.status and one.status.self_service]
    if look.rules is not None:
        closing = closes(look.rules.windows, look.rules.freezes, look.at)
        if closing is not None:
            ends.append(closing)
    return min(ends)
