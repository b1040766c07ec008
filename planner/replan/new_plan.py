"""How a decision becomes a run, or joins the one in progress. Finished instances stay finished."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.azure.fleet import Instance, ScaleSet
from planner.azure.wave import Wave
from planner.decision.decide import Decision
from planner.decision.estimate import REBOOT_POLLS, reboot
from planner.observe import absence, left_to_azure
from planner.observe.outstanding import due_again, remembered
from planner.people import approval
from planner.people.paused_run import asked_to_choose
from planner.record.batch import Batch
from planner.record.copying import replace
from planner.record.instance import InstanceProgress, counted
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Fleet, Run, Target, Terms, Times, Verdict
from planner.record.shown import shown_by
from planner.record.states import ACTIVE, HANDS_OFF, RunState
from planner.replan import outdated, second_time
from planner.replan.apply_decision import adopted, to_be_carried_out
from planner.replan.merge import merged
from planner.replan.what_changed import what_changed
from planner.schedule.capacity import left_down, with_stops
from planner.state.change import with_batches
from planner.state.journal import with_entry
from planner.state.notices import with_notice
from planner.words import endings
from planner.words import replans as words

MINUTE = timedelta(minutes=1)

MOVED = timedelta(hours=1)
"""A deadline that moves by less is no news."""


def new_run(
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    decision: Decision,
    waves: Sequence[Wave],
    now: datetime,
    *,
    former: Run | None = None,
    poll_interval: timedelta = MINUTE,
) -> Run:
    """A new run from its first decision, in the first of `waves`; `former` is the run before it."""
    run = Run(
        target=_target(scale_set, len(instances)),
        waves=(waves[0].tracking_id,),
        state=RunState.NOT_IMPACTED,
        reason="",
        verdict=decision.verdict,
        due=now,
        planned_at=now,
        terms=Terms(policy=decision.policy),
        times=Times(expected=reboot(poll_interval, REBOOT_POLLS, decision.checks)),
        fleet=Fleet(shown=shown_by(instances), shown_at=now),
    )
    batches = decision.batches
    if former is not None:
        run = replace(
            run,
            finished=remembered(former, instances),
            story=replace(run.story, numbered=former.story.last_notice),
            fleet=replace(run.fleet, left_down=left_down(former, instances, now)),
        )
        run = replace(
            run,
            story=replace(
                run.story, again=second_time.explained(former, decision.concerned, waves, scale_set)
            ),
        )
        asks = second_time.without_a_reason(former, decision.concerned, waves, scale_set)
        batches = _asking(decision.batches, asks)
    run = adopted(run, scale_set, instances, decision, batches, now)
    run = with_entry(run, words.planned_as(run.state), run.reason, now)
    if run.story.again:
        run = with_entry(run, words.SCHEDULED_AGAIN, run.story.again, now)
    return _told_of_plan(run, decision, now)


def replanned(
    run: Run,
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    decision: Decision,
    waves: Sequence[Wave],
    now: datetime,
    observation: Observation | None = None,
) -> Run:
    """The run in progress, or the hands-off run, after another decision; it joins `waves[0]`.

    `observation` says what of `instances` was read one by one; without it nothing was.
    """
    observation = observation or Observation(now, tuple(instances))
    return _alarmed(_rejoined(run, scale_set, decision, waves, observation, now), decision, now)


def _alarmed(run: Run, decision: Decision, now: datetime) -> Run:
    """Told as a page, once, when Azure raises what it had announced to emergency maintenance."""
    if not decision.emergency or any(notice.emergency for notice in run.story.notices):
        return run
    run = with_entry(run, "emergency", words.EMERGENCY, now, "azure")
    return with_notice(run, Kind.PLANNED, Urgency.PAGE, f"{words.EMERGENCY} {run.reason}", now)


def _rejoined(
    run: Run,
    scale_set: ScaleSet,
    decision: Decision,
    waves: Sequence[Wave],
    observation: Observation,
    now: datetime,
) -> Run:
    old, instances = run, observation.instances or ()
    run, gone = absence.noticed(with_stops(run, observation), observation)
    run = replace(
        run,
        target=_target(scale_set, len(instances)),
        waves=tuple(dict.fromkeys((*run.waves, waves[0].tracking_id))),
        planned_at=now,
        replan="",
        finished=tuple(each for each in run.finished if each.id not in _without_status(instances)),
        terms=replace(run.terms, policy=decision.policy),
        gaps=replace(run.gaps, unplanned=None),
    )
    asks = second_time.without_a_reason(run, decision.concerned, waves, scale_set)
    run = _again(run, instances, waves, scale_set, now)
    batches = _asking(merged(run, instances, decision, observation, now, gone), asks)
    if _window_over(run, now) and decision.self_service is not None:
        # Instances have windows of their own: what was planned by may be over and theirs is not.
        run = replace(run, times=replace(run.times, self_service=decision.self_service))
    if run.state in ACTIVE:
        # What is left is settled by advance, instance by instance, from what the poll sees.
        if decision.verdict is Verdict.NOT_IMPACTED:
            return replace(run, due=now)
        if decision.verdict is Verdict.LEAVE_TO_AZURE and _window_over(run, now):
            return replace(with_batches(run, batches, now), due=now)
        if not to_be_carried_out(decision) and outdated.watched(run):
            # Nothing new starts by these rules; what was started is watched until it serves again, and
            # automatic repairs until they run again.
            return replace(run, fruitless_plans=run.fruitless_plans + 1, due=now)
    if decision.verdict is Verdict.NOT_IMPACTED and any(batch.instances for batch in batches):
        return _followed(run, batches, now)
    run = adopted(replace(run, fruitless_plans=0), scale_set, instances, decision, batches, now)
    # Where the answer stays and only the instances concerned have changed: on record, and no news to anybody.
    stays = run.state is old.state and run.state in HANDS_OFF and run.verdict is old.verdict
    same = (run.state, run.people.checksum, run.story.again) == (
        old.state,
        old.people.checksum,
        old.story.again,
    )
    if stays or (same and not _deadline_moved(old, run)):
        run = replace(run, polls=old.polls + 1)
        return replace(run, due=left_to_azure.due(run, now)) if run.state in HANDS_OFF else run
    run = with_entry(run, words.PLANNED_AGAIN, run.reason, now)
    return _told_of_plan(run, decision, now, old=old)


def _deadline_moved(old: Run, run: Run) -> bool:
    """Whether Azure has moved the window so far that what people were told of it is wrong."""
    before, after = old.times.deadline, run.times.deadline
    return before is not None and after is not None and abs(after - before) >= MOVED


def _without_status(instances: Sequence[Instance]) -> frozenset[str]:
    """Those that can be read and show no maintenance; what is unreadable or missing is not among them."""
    return frozenset(instance.id for instance in instances if instance.maintenance is None)


def _followed(run: Run, batches: Sequence[Batch], now: datetime) -> Run:
    """What was left to Azure and shows no maintenance any more: the answer stays, with how it ended."""
    run = replace(with_batches(run, batches, now, "azure"), polls=run.polls + 1)
    reason = left_to_azure.over(run) if run.settled else endings.left_to_azure(counted(run.instances))
    return replace(run, reason=reason, due=left_to_azure.due(run, now))


def _window_over(run: Run, now: datetime) -> bool:
    return run.times.self_service is not None and now >= run.times.self_service.end


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


def _again(
    run: Run, instances: Sequence[Instance], waves: Sequence[Wave], scale_set: ScaleSet, now: datetime
) -> Run:
    """The run with why finished instances are due again."""
    seen = {instance.id: instance for instance in instances}
    back = [
        seen[instance.id]
        for instance in run.instances
        if instance.id in seen and due_again(instance, seen[instance.id])
    ]
    why = second_time.explained(run, back, waves, scale_set)
    if not why:
        return run
    return with_entry(replace(run, story=replace(run.story, again=why)), words.SCHEDULED_AGAIN, why, now)


def _asking(batches: Sequence[Batch], asks: frozenset[str]) -> tuple[Batch, ...]:
    """The batches with those instances marked that only a person may have started."""

    def marked(progress: InstanceProgress) -> InstanceProgress:
        waits = progress.id in asks and not progress.settled
        return replace(progress, asks=True) if waits else progress

    return tuple(batch.each(marked) for batch in batches)


def _told_of_plan(run: Run, decision: Decision, now: datetime, *, old: Run | None = None) -> Run:
    """Told of its first plan, or of what is different from the `old` one."""
    kind = Kind.PLANNED if old is None else Kind.REPLANNED
    urgency = Urgency.PAGE if old is None and decision.emergency else Urgency.KNOW
    sentence = f"{decision.reason} {run.story.again}".strip()
    news = sentence if old is None else _news(old, run, decision, now)
    run = with_notice(run, kind, urgency, news, now)
    if run.people.misfit:
        return asked_to_choose(run, now)
    asks = run.state in ACTIVE and approval.wanted(run)
    return approval.asked(run, sentence, now) if asks else run


def _news(old: Run, run: Run, decision: Decision, now: datetime) -> str:
    """Only what has changed; where that is the answer itself, the answer."""
    changed = what_changed(old, run, now) if run.verdict is old.verdict else ""
    why = words.because(old.replan) if old.replan else ""
    again = run.story.again if run.story.again != old.story.again else ""
    return " ".join(filter(None, (changed or decision.reason, why, again)))
