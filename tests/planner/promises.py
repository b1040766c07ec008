"""What must hold of every step of a run, said against plain facts; each finding a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance, ScaleSet, domain_of
from planner.policy.model import HealthRule, Mode, Rules
from planner.policy.overrides import with_raised
from planner.record.action import Action, PollAgain, Start
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.observation import Observation
from planner.record.run import Run
from planner.record.states import ACTIVE, ENDED, IN_FLIGHT, SETTLED, BatchState, InstanceState, RunState
from planner.schedule.batching import most_down

ASKS = frozenset({Urgency.ACT, Urgency.PAGE})


def of_record(run: Run) -> Iterator[str]:
    """Whatever the way to it: shape, and no state without a sentence."""
    if not run.reason.strip():
        yield f"the run is {run.state} without a sentence"
    yield from (f"check {one.name} has no sentence" for one in run.checks if not one.reason.strip())
    yield from (
        f"history line {one.event!r} has no reason" for one in run.story.history if not one.reason.strip()
    )
    yield from (f"notice {one.number} says nothing" for one in run.story.notices if not one.sentence.strip())
    for one in run.instances:
        if one.state is not InstanceState.PENDING and not one.reason.strip():
            yield f"instance {one.id} is {one.state} without a sentence"
        if one.state in SETTLED and one.finished_at is None:
            yield f"instance {one.id} is {one.state} and nobody knows since when"
    ids = [one.id for one in run.instances]
    if len(ids) != len(set(ids)):
        yield f"an instance is in the plan twice: {ids}"
    numbers = [one.number for one in run.batches]
    if len(numbers) != len(set(numbers)):
        yield f"a batch number is there twice: {numbers}"
    told = [one.number for one in run.story.notices]
    first = run.story.numbered + 1
    if told != list(range(first, first + len(told))):
        yield f"notices are numbered {told}"
    flying = {batch.number for batch in run.batches for one in batch.instances if one.state in IN_FLIGHT}
    if len(flying) > 1:
        yield f"batches {sorted(flying)} are in flight at once"
    for batch in run.batches:
        if not batch.instances:
            yield f"batch {batch.number} is empty"
        unsettled = [one.id for one in batch.instances if one.state not in SETTLED]
        if batch.state in {BatchState.DONE, BatchState.SOAKING} and unsettled:
            yield f"batch {batch.number} is {batch.state} with {unsettled} open"
    if run.state in ENDED and any(one.state not in SETTLED for one in run.instances):
        yield f"the run is {run.state} and an instance is not accounted for"
    if run.state in ENDED and run.repairs is not None:
        yield f"the run is {run.state} and automatic repairs are still its own"
    asked = [one for one in run.story.notices if one.urgency in ASKS]
    if run.state is RunState.PAUSED and not asked:
        yield "it is paused and nobody was asked"
    why = any(run.reason == one.sentence for one in asked)
    if run.state is RunState.PAUSED and not run.people.misfit and not why:
        yield f"it is paused, and nobody was told that {run.reason!r} is why"
    if run.people.holding and run.state is not RunState.PAUSED and run.state in ACTIVE:
        yield f"it is held ({run.people.holding}) and says it is {run.state}"
    if run.state is RunState.AWAITING_APPROVAL and not any(one.kind is Kind.APPROVAL for one in asked):
        yield "it waits for approval and nobody was asked"
    yield from (
        f"notice {one.number} asks and does not say what happens otherwise"
        for one in asked
        if one.answers and not one.otherwise
    )


def of_change(old: Run, new: Run) -> Iterator[str]:
    """What was written stays written, and what is finished stays finished unless it came back."""
    if new.story.notices[: len(old.story.notices)] != old.story.notices:
        yield "a notice was changed after it was written"
    if new.story.history[: len(old.story.history)] != old.story.history:
        yield "history was changed"
    after = {one.id: one for one in new.instances}
    for one in old.instances:
        now = after.get(one.id)
        if now is None and not one.gone and one.state in SETTLED:
            yield f"instance {one.id} was {one.state} and is forgotten"
        elif now is None and one.state not in SETTLED:
            yield f"instance {one.id} was {one.state} and is forgotten before its end"
        elif now is not None and one.state in SETTLED and not _open_again(one, now):
            yield f"instance {one.id} was {one.state} and is {now.state} now"
    yield from _not_in_history(old, new)


ON_RECORD = frozenset({*SETTLED, InstanceState.FAILED, InstanceState.ASIDE}) - {InstanceState.MAINTAINED}


def _not_in_history(old: Run, new: Run) -> Iterator[str]:
    """What has changed its state without a line that says so."""
    lines = new.story.history[len(old.story.history) :]
    events, named = {line.event for line in lines}, {name for line in lines for name in line.instances}
    if new.state is not old.state and not lines:
        yield f"the run is {new.state} and was {old.state}, and its history does not say so"
    states = {instance.id: instance.state for instance in old.instances}
    batches = {batch.number: batch.state for batch in old.batches}
    for instance in new.instances:
        changed = states.get(instance.id, instance.state) is not instance.state
        if changed and instance.state in ON_RECORD and instance.id not in named:
            yield f"instance {instance.id} is {instance.state}, and the history does not say so"
    for batch in new.batches:
        told = f"batch {batch.number} {batch.state}"
        over = batch.state in {BatchState.SOAKING, BatchState.DONE}
        if over and batches.get(batch.number, batch.state) is not batch.state and told not in events:
            yield f"batch {batch.number} is {batch.state}, and the history does not say so"


def _open_again(old: InstanceProgress, new: InstanceProgress) -> bool:
    """As it was, or back: its status was gone, it stopped serving, or a person is asked whether it may be."""
    if new.state is old.state or old.gone or new.asks:
        return True
    return old.state is InstanceState.MAINTAINED and new.state is InstanceState.FAILED


def of_actions(run: Run, actions: Sequence[Action], now: datetime) -> Iterator[str]:
    """A run says when to look again, last; one that is over and whose waves are over asks for nothing."""
    polls = [one for one in actions if isinstance(one, PollAgain)]
    if run.state in ENDED and run.recheck is None:
        if polls:
            yield f"the run is {run.state}, its waves are over and it wants another poll"
        return
    if run.state in ENDED and any(isinstance(one, Start) for one in actions):
        yield f"the run is {run.state} and starts something"
    if len(polls) != 1 or actions[-1] != polls[0]:
        yield f"it wants {len(polls)} looks, the last action is {actions[-1:]}"
    elif polls[0].at != run.due:
        yield f"it wants a poll at {polls[0].at} and says it is due {run.due}"
    elif run.due < now:
        yield f"it is due at {run.due}, which is past"


def of_starts(
    old: Run, new: Run, observation: Observation, starts: Sequence[Start], now: datetime
) -> Iterator[str]:
    """Tenets 2, 3 and 8: only what this poll saw allowed and running, one domain, everything else serving."""
    if not starts:
        return
    if observation.instances is None or observation.scale_set is None or observation.rules is None:
        yield "a start without a poll at instances, scale set and rules"
        return
    seen = {one.id: one for one in observation.instances}
    ids = [one.instance for one in starts]
    if len(ids) != len(set(ids)):
        yield f"{ids}: one instance is started twice"
    for words in (
        observation.stopped,
        observation.limit,
        observation.trouble,
        "the wave is cancelled" if observation.cancelled else "",
    ):
        if words:
            yield f"{ids} started although: {words}"
    if new.state is not RunState.RUNNING:
        yield f"{ids} started in a run that is {new.state}"
    if old.people.holding and new.people.holding:
        yield f"{ids} started while held"
    for start in starts:
        yield from _start(old, new, seen.get(start.instance), start, observation, now)
    yield from _together(
        old, new, observation.scale_set, observation.instances, frozenset(ids), observation.rules.health
    )
    if (
        new.times.self_service is not None
        and not new.times.self_service.start <= now < new.times.self_service.end
    ):
        yield f"{ids} started outside the run's self-service window"
    if new.times.lead_over is not None and now < new.times.lead_over:
        yield f"{ids} started before the lead time was over"
    if observation.rules.mode is Mode.APPROVE:
        approved = {one.id for one in new.instances if one.approved}
        if set(ids) - approved and new.people.approved != new.people.checksum:
            yield f"{sorted(set(ids) - approved)} started without approval"


def of_truth(
    old: Run,
    new: Run,
    truth: Mapping[str, Instance],
    starts: Sequence[Start],
    observation: Observation,
    now: datetime,
    *,
    deleted: bool,
    stale: bool,
) -> Iterator[str]:
    """Whatever a poll was told: against how things truly are.

    No run ends while something of it still shows open maintenance or is down after our start, and nothing
    starts while too many of those that served do not serve; what a `stale` listing hides, nobody can know.
    """
    if new.state in ENDED and old.state not in ENDED and not deleted:
        yield from _ended_early(old, new, truth, observation, now)
    if starts and not stale and observation.scale_set is not None and observation.rules is not None:
        # What a person has raised for this run holds for it, too.
        rules = with_raised(observation.rules, new.terms.raised)
        yield from _too_many(
            old, new, truth, frozenset(one.instance for one in starts), observation.scale_set, rules
        )


def _too_many(
    old: Run,
    new: Run,
    truth: Mapping[str, Instance],
    starting: frozenset[str],
    scale_set: ScaleSet,
    rules: Rules,
) -> Iterator[str]:
    """Of those that served when it was planned, as many as may be down, whatever took them down."""
    batch = next(one for one in new.batches if any(each.id in starting for each in one.instances))
    running = sum(one.running for one in truth.values())
    running += sum(one.id in truth and not truth[one.id].running for one in batch.instances)
    allowed = most_down(scale_set, rules, running, max(1, len(batch.instances)))
    down = {one for one in old.fleet.served if one in truth and not _serves(truth[one], rules.health)}
    if len(down | starting) > allowed:
        yield f"{sorted(starting)} started with {sorted(down)} down in truth, {allowed} may be"


def _serves(one: Instance, health: HealthRule) -> bool:
    sick = health is not HealthRule.IGNORE and one.health not in {Health.HEALTHY, Health.NOT_REPORTED}
    return one.running and not one.busy and not sick


def _ended_early(
    old: Run, new: Run, truth: Mapping[str, Instance], observation: Observation, now: datetime
) -> Iterator[str]:
    for one in new.instances:
        instance = truth.get(one.id)
        if instance is None:
            continue
        status = instance.status
        window = status.self_service if status is not None else None
        due = (
            status is not None and status.allowed and window is not None and window.start <= now < window.end
        )
        looks_done = one.state in {InstanceState.CANCELLED, InstanceState.MISSED}
        if one.state is InstanceState.CANCELLED and due and not observation.cancelled:
            yield f"the run is {new.state}, {one.id} is {one.state} and in truth shows open maintenance"
        deleted = one.state is InstanceState.SKIPPED and "deleted" in one.reason
        if deleted:
            yield f"the run is {new.state}, {one.id} is taken for deleted and in truth it is there"
        if one.begun and not instance.running and not looks_done and not one.up_at:
            yield f"the run is {new.state}, {one.id} was begun and in truth it is {instance.power}"


def _start(
    old: Run, new: Run, instance: Instance | None, start: Start, observation: Observation, now: datetime
) -> Iterator[str]:
    name = start.instance
    status = instance.status if instance is not None else None
    if instance is None or status is None:
        yield f"{name} started, and the poll saw no maintenance of it"
        return
    if status.unreadable:
        yield f"{name} started although its status cannot be understood"
    if not status.allowed:
        yield f"{name} started although Azure does not allow it"
    if status.self_service is None or not status.self_service.start <= now < status.self_service.end:
        yield f"{name} started outside its own window"
    elif start.before > status.self_service.end:
        yield f"{name} may be sent after its window has closed"
    if start.before > now + timedelta(seconds=30):
        yield f"{name} may be sent {start.before - now} after the poll"
    if instance.power != "running" or instance.busy:
        yield f"{name} started while it is {instance.power}, {instance.provisioning}"
    if instance.protected:
        yield f"{name} started although it is protected"
    progress = next((one for one in new.instances if one.id == name), None)
    if progress is None or progress.state is not InstanceState.STARTING or progress.intent_at != now:
        yield f"{name} started without an intent on record"
    was = next((one for one in old.instances if one.id == name), None)
    if was is not None and was.state in IN_FLIGHT | SETTLED:
        in_doubt = was.state is InstanceState.STARTING and not was.answered
        if not (in_doubt and was.intent_at is not None and now - was.intent_at >= observation.in_doubt):
            yield f"{name} started while it is {was.state}"


def _together(
    old: Run,
    new: Run,
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    starting: frozenset[str],
    health: HealthRule,
) -> Iterator[str]:
    flying = {one.id for one in new.instances if one.state in IN_FLIGHT}
    by_id = {one.id: one for one in instances}
    down = [by_id[one] for one in flying if one in by_id]
    domains = {domain_of(scale_set, one) for one in down}
    if len(domains) > 1:
        yield f"{sorted(starting)} started with {sorted(flying)} in flight: two domains of the scale set"
    batch = next(one for one in new.batches if any(each.id in starting for each in one.instances))
    mine = {one.id for one in batch.instances}
    for one in instances:
        if one.id in mine or (one.power in {"stopped", "deallocated", "deallocating"} and not one.busy):
            continue
        sick = health is not HealthRule.IGNORE and one.health not in {Health.HEALTHY, Health.NOT_REPORTED}
        if one.power != "running" or one.busy or sick:
            yield f"{sorted(starting)} started while {one.id} is {one.power}, {one.provisioning}, {one.health}"
