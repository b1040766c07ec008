"""How a decision becomes a run, or joins the one in progress. Finished instances stay finished."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from planner import evidence, schedule
from planner.advance import ANSWER_AGAIN, counted
from planner.decide import Decision
from planner.evidence import returned
from planner.fleet import Instance, ScaleSet
from planner.look import Look
from planner.notice import Kind, Urgency
from planner.policy import Mode
from planner.run import (
    ACTIVE,
    ANSWERS,
    ENDED,
    SETTLED,
    Batch,
    BatchState,
    InstanceState,
    Passage,
    Run,
    RunState,
    Target,
    Verdict,
)
from planner.telling import if_nobody_answers, noted, told


def outstanding(instances: Sequence[Instance], run: Run | None) -> tuple[Instance, ...]:
    """The instances as a decision should see them: what is finished shows no maintenance any more.

    A status that merely lingers after its maintenance (same windows, or completed by somebody else) is
    finished; one that was gone and came back, or came with new windows after the run's end, is not.
    """
    known = {one.id: one for one in run.passages} if run is not None else {}
    return tuple(
        replace(one, maintenance=None) if _finished(one, known.get(one.id), run) else one for one in instances
    )


def _finished(instance: Instance, passage: Passage | None, run: Run | None) -> bool:
    status = instance.maintenance
    if status is None:
        return False
    if passage is None:
        return status.result == "MaintenanceCompleted"
    if passage.state is not InstanceState.MAINTAINED or returned(passage, instance):
        return False
    over = run is not None and run.state in ENDED
    lingers = passage.before is None or status.self_service == passage.before.self_service
    return lingers or not over


def begun(
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    decision: Decision,
    waves: Sequence[str],
    now: datetime,
) -> Run:
    """A new run from its first decision."""
    run = Run(
        target=_target(scale_set, len(instances)),
        waves=tuple(waves),
        state=RunState.NOT_IMPACTED,
        reason="",
        verdict=decision.verdict,
        due=now,
        planned_at=now,
    )
    run = _decided(run, decision, decision.batches, now)
    run = noted(run, f"planned as {run.state}", run.reason, now)
    return _told_of_plan(run, decision, now, first=True)


def rejoined(
    run: Run,
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    decision: Decision,
    waves: Sequence[str],
    now: datetime,
) -> Run:
    """The run in progress, or the answer of the day, after another decision."""
    old = run
    run = replace(
        run,
        target=_target(scale_set, len(instances)),
        waves=tuple(dict.fromkeys((*run.waves, *waves))),
        verdict=decision.verdict if decision.verdict is not Verdict.NOT_IMPACTED else run.verdict,
    )
    if run.state in ACTIVE:
        # What is left is settled by advance, instance by instance, from what the look sees.
        if decision.verdict is Verdict.NOT_IMPACTED:
            return replace(run, due=now)
        if decision.verdict is Verdict.LEAVE_TO_AZURE and _window_over(run, now):
            return replace(run, due=now)
    batches = _merged(run, instances, decision, now)
    if decision.verdict is Verdict.NOT_IMPACTED and any(one.instances for one in batches):
        return _followed(run, batches, now)
    run = _decided(run, decision, batches, now)
    if run.checksum != old.checksum and old.approved == old.checksum and _only_left(old, run):
        run = replace(run, approved=run.checksum)
    if (run.state, run.checksum) == (old.state, old.checksum):
        return replace(run, looks=old.looks + 1)
    run = noted(run, "planned again", run.reason, now)
    return _told_of_plan(run, decision, now, first=False)


def _followed(run: Run, batches: Sequence[Batch], now: datetime) -> Run:
    """What was left to Azure and shows no maintenance any more: the answer stays, with how it ended."""
    run = replace(run, batches=tuple(batches), looks=run.looks + 1)
    wait = ANSWER_AGAIN[min(run.looks, len(ANSWER_AGAIN) - 1)]
    return replace(run, reason=f"Left to Azure: {counted(run.passages)}.", due=now + wait)


def _window_over(run: Run, now: datetime) -> bool:
    return run.self_service is not None and now >= run.self_service.end


def _target(scale_set: ScaleSet, capacity: int) -> Target:
    return Target(
        scale_set.id,
        scale_set.subscription,
        scale_set.resource_group,
        scale_set.name,
        scale_set.location,
        scale_set.orchestration,
        capacity,
    )


def _decided(run: Run, decision: Decision, batches: Sequence[Batch], now: datetime) -> Run:
    rules = decision.rules
    run = replace(
        run,
        verdict=decision.verdict,
        mode=str(rules.mode),
        receiver=rules.owner,
        checks=decision.checks,
        batches=tuple(batches),
        after=rules.after,
        soak=rules.soak,
        recover_within=rules.recover_within,
        health=rules.health,
        rules=schedule.fingerprint(rules),
        self_service=decision.self_service or run.self_service,
        scheduled=decision.scheduled or run.scheduled,
        checksum=schedule.checksum(decision.verdict, rules, batches),
        facts={"self_service": decision.offered},
    )
    if decision.verdict is Verdict.SELF_SERVICE and rules.mode is not Mode.OBSERVE:
        return _to_carry_out(run, decision, now)
    state = RunState.NOT_IMPACTED if decision.verdict is Verdict.NOT_IMPACTED else RunState.LEFT_TO_AZURE
    wait = ANSWER_AGAIN[min(run.looks, len(ANSWER_AGAIN) - 1)]
    return replace(
        run,
        state=state,
        reason=decision.reason,
        deadline=None,
        forecast_end=None,
        slack=None,
        due=now + wait,
    )


def _to_carry_out(run: Run, decision: Decision, now: datetime) -> Run:
    rules = decision.rules
    run = replace(
        run,
        lead_over=run.lead_over or now + rules.lead,
        deadline=schedule.deadline(run.self_service, rules),
        reason=decision.reason,
    )
    run = schedule.timed(run, rules, now)
    if run.state is RunState.PAUSED:
        return run
    if any(batch.started_at for batch in run.batches):
        return replace(run, state=RunState.RUNNING, due=now)
    first = next((one.not_before for one in run.batches if one.not_before is not None), None)
    waits = run.mode == Mode.APPROVE and run.approved != run.checksum
    return replace(
        run,
        state=RunState.AWAITING_APPROVAL if waits else RunState.SCHEDULED,
        due=min(first, now + ANSWER_AGAIN[-1] * 4) if first is not None else now + ANSWER_AGAIN[1],
    )


def _merged(run: Run, instances: Sequence[Instance], decision: Decision, now: datetime) -> tuple[Batch, ...]:
    """Batches that have begun stay as they are; what has not is taken from the new plan."""
    seen = {one.id: one for one in instances}
    back = {one.id for one in run.passages if one.id in seen and returned(one, seen[one.id])}
    kept: list[Batch] = []
    for batch in run.batches:
        stay = tuple(
            one
            for one in batch.instances
            if one.id not in back
            and (
                one.state in SETTLED
                or one.state not in {InstanceState.PENDING, InstanceState.ASIDE}
                or one.attempts
            )
        )
        # Nothing that was planned is forgotten: what shows no maintenance any more is settled here.
        wanted = {one.id for part in decision.batches for one in part.instances}
        stay += tuple(
            evidence.observed(run, one, seen.get(one.id), Look(now), now)
            for one in batch.instances
            if one not in stay and one.id not in wanted and one.id not in back
        )
        if stay:
            kept.append(replace(batch, instances=stay))
    has = {one.id for batch in kept for one in batch.instances}
    planned_before = {one.id for one in run.passages} - back
    held = {
        one.id: (one, batch.held_until)
        for batch in run.batches
        for one in batch.instances
        if one.id not in back
    }
    number = max((one.number for one in kept), default=0)
    merged = list(kept)
    for batch in decision.batches:
        rest = tuple(
            replace(held[one.id][0], since=None) if one.id in held else one
            for one in batch.instances
            if one.id not in has
        )
        if not rest:
            continue
        number += 1
        fresh = any(one.id not in planned_before for one in rest)
        waits = [held[one.id][1] for one in rest if one.id in held and held[one.id][1] is not None]
        until = max((one for one in waits if one is not None), default=None)
        if fresh and run.lead_over is not None:
            # Told now, so its own lead time counts from now.
            own = now + decision.rules.lead
            until = own if until is None else max(until, own)
        merged.append(Batch(number, batch.domain, rest, BatchState.PENDING, held_until=until))
    return tuple(merged)


def _only_left(old: Run, new: Run) -> bool:
    """Instances that leave do not void an approval; instances that join wait for their own."""
    return {one.id for one in new.passages} <= {one.id for one in old.passages} and old.rules == new.rules


def _told_of_plan(run: Run, decision: Decision, now: datetime, *, first: bool) -> Run:
    kind = Kind.PLANNED if first else Kind.REPLANNED
    run = told(run, kind, Urgency.KNOW, decision.reason, now)
    if run.state is RunState.AWAITING_APPROVAL:
        run = told(
            run,
            Kind.APPROVAL,
            Urgency.ACT,
            f"The plan waits for approval: {decision.reason}",
            now,
            otherwise=if_nobody_answers(run),
            answers=("approve", "skip"),
        )
    return run


def closed(run: Run, now: datetime, *, cancelled: bool = False) -> Run:
    """No open wave covers the set any more: an answer of the day is final, a run is advanced to its end."""
    if run.state not in ANSWERS:
        return replace(run, due=now)
    words = "The wave was cancelled." if cancelled else "The wave is over."
    if cancelled:
        run = replace(run, batches=tuple(_cancelled(one, words, now) for one in run.batches))
    return replace(noted(run, "wave over", words, now), ended_at=now)


def _cancelled(batch: Batch, words: str, now: datetime) -> Batch:
    passages = tuple(
        one
        if one.state in SETTLED
        else replace(one, state=InstanceState.CANCELLED, reason=words, finished_at=now)
        for one in batch.instances
    )
    return replace(batch, instances=passages)
