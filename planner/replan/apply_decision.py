"""A run after a decision: its rules, its times and its state, with why."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance, ScaleSet
from planner.decision.decide import Decision
from planner.decision.estimate import longest
from planner.observe import left_to_azure
from planner.people import approval
from planner.policy.fingerprint import rules_fingerprint
from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.run import Run, Verdict
from planner.record.states import BatchState, RunState, transition
from planner.schedule import options, timing
from planner.schedule.capacity import with_capacity, with_served
from planner.schedule.checksum import plan_checksum
from planner.schedule.deadline import deadline
from planner.state.change import with_batches
from planner.text.backoff import DAILY

MISFIT_AGAIN, NO_TIME_AGAIN = timedelta(minutes=15), timedelta(hours=1)


def adopted(
    run: Run,
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    decision: Decision,
    batches: Sequence[Batch],
    now: datetime,
) -> Run:
    """The run after `decision`, with `batches` as they are merged with what it has done already."""
    rules = decision.rules
    fingerprint = rules_fingerprint(rules)
    checksum = plan_checksum(decision.verdict, rules, batches)
    same = run.terms.fingerprint == fingerprint and run.verdict is decision.verdict
    marked, approved = approval.kept(run, batches, same_rules=same, checksum=checksum)
    run = replace(
        run,
        verdict=decision.verdict,
        checks=decision.checks,
        facts={"self_service": decision.offered},
        people=replace(run.people, approved=approved, checksum=checksum, choices=()),
        terms=replace(
            run.terms,
            mode=rules.mode,
            receiver=rules.owner,
            tier=rules.tier,
            after=rules.after,
            soak=rules.soak,
            recover_within=rules.recover_within,
            stalled_after=rules.stalled_after,
            health=rules.health,
            fingerprint=fingerprint,
            windows=rules.windows,
            freezes=rules.freezes,
            # In flight it counts where it counted when it began: its claim says the same.
            counts_in=run.terms.counts_in if run.claims else rules.counts_in,
        ),
        times=replace(
            run.times,
            self_service=decision.self_service or run.times.self_service,
            scheduled=decision.scheduled or run.times.scheduled,
        ),
        fleet=replace(
            run.fleet, reports=any(instance.health is not Health.NOT_REPORTED for instance in instances)
        ),
    )
    run = with_batches(run, marked, now)
    run = with_served(with_capacity(run, scale_set, instances, rules), instances)
    if to_be_carried_out(decision):
        return _to_carry_out(run, decision, now)
    state = RunState.NOT_IMPACTED if decision.verdict is Verdict.NOT_IMPACTED else RunState.LEFT_TO_AZURE
    # A plan made later is told anew, and its lead time counts from then.
    run = with_batches(run, [_rested(batch, now) for batch in run.batches], now)
    run = replace(
        run,
        state=transition(run.state, state),
        reason=decision.reason,
        times=replace(run.times, lead_over=None, deadline=None, forecast_end=None, slack=None, start_by=None),
        fleet=replace(run.fleet, capacity=""),
        people=replace(run.people, misfit=""),
        standing=replace(run.standing, stalled=None, reminders=None, holds_up=None),
    )
    return replace(run, due=left_to_azure.due(run, now))


def to_be_carried_out(decision: Decision) -> bool:
    """Whether it starts anything: observing only says what would be done."""
    return decision.verdict is Verdict.SELF_SERVICE and decision.rules.mode is not Mode.OBSERVE


def _rested(batch: Batch, now: datetime) -> Batch:
    """A soak ends with the run: nobody polls it once the rest is left to Azure."""
    over = batch.state is not BatchState.DONE and all(instance.settled for instance in batch.instances)
    return replace(batch, state=transition(batch.state, BatchState.DONE), finished_at=now) if over else batch


def _to_carry_out(run: Run, decision: Decision, now: datetime) -> Run:
    rules = decision.rules
    run = replace(
        run,
        reason=run.reason if _stays_paused(run) else decision.reason,
        times=replace(
            run.times,
            lead_over=_lead_over(run, rules.lead, now),
            deadline=deadline(run.times.self_service, run.times.scheduled, rules.complete_by),
        ),
        terms=replace(run.terms, lead=rules.lead),
    )
    # What polls have learned from the wave's other runs stays until this run knows better.
    run = replace(
        run,
        times=replace(run.times, expected=min(longest(run) or run.times.expected, run.terms.recover_within)),
    )
    run = timing.timed(run, now)
    run = replace(run, times=replace(run.times, start_by=timing.start_by(run, now)))
    if _stays_paused(run):
        # A person's hold outlives every plan, also one that left it to Azure for a while.
        return replace(
            run, state=transition(run.state, RunState.PAUSED), reason=run.people.held or run.reason, due=now
        )
    problem = "" if run.begun or run.people.deadline_waived else options.misfit(run, now)
    if problem:
        return replace(
            run,
            state=transition(run.state, RunState.PAUSED),
            reason=problem,
            due=now + MISFIT_AGAIN,
            people=replace(run.people, misfit=problem, choices=options.choices(run, now)),
        )
    run = replace(run, people=replace(run.people, misfit=""))
    waits = approval.holds_up(run) and not run.in_flight
    if waits:
        # Polled at once: when people are to be reminded follows from the plan as it is now.
        return replace(run, state=transition(run.state, RunState.AWAITING_APPROVAL), due=now)
    if run.begun:
        return replace(run, state=transition(run.state, RunState.RUNNING), due=now)
    starts = [batch.not_before for batch in run.batches if batch.waiting and batch.not_before is not None]
    due = min(*starts, now + DAILY) if starts else now + NO_TIME_AGAIN
    return replace(run, state=transition(run.state, RunState.SCHEDULED), due=due)


def _lead_over(run: Run, lead: timedelta, now: datetime) -> datetime:
    """When the lead time has passed: it counts from when the plan was first told, however long it is now."""
    if run.times.lead_over is None:
        return now + lead
    return run.times.lead_over if run.terms.lead is None else run.times.lead_over - run.terms.lead + lead


def _stays_paused(run: Run) -> bool:
    """Whatever the new plan says: somebody holds the run, or it waits for a person for another reason."""
    return bool(run.people.holding) or (run.state is RunState.PAUSED and not run.people.misfit)
