"""Plan: one scale set of a wave, decided by what its instances show, becomes or joins a run."""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, Throttled, Unreachable
from handlers.cloud.names import run_path
from handlers.cloud.records import Conflict
from handlers.failures.throttling import put_off
from handlers.repository.runs import StoredRun
from handlers.runs import observe_azure, stops
from handlers.wire.ids import ALERTS, NOTICES, SCALE_SETS
from handlers.wire.messages import AlertMessage, NoticeMessage, ScaleSetMessage, arm_parts
from handlers.wiring import Wiring
from planner.azure import order
from planner.azure.fleet import Instance, ScaleSet, impacted
from planner.azure.wave import Stage, Wave, informed
from planner.decision.decide import decide
from planner.machine import ending
from planner.observe import absence
from planner.observe.outstanding import outstanding
from planner.policy.overrides import NOTHING
from planner.policy.resolve import rules_for
from planner.record.notice import Urgency
from planner.record.observation import Observation
from planner.record.run import Run, Trouble, Verdict
from planner.record.states import ACTIVE, ENDED
from planner.replan import new_plan, reopening, second_time
from planner.state.journal import with_entry
from planner.text.backoff import TOLD_AFTER, after_trouble

log = logging.getLogger(__name__)

TOLD_AT_ATTEMPT = 6  # waits of 30 s doubling to 10 min: about half an hour
PATIENT_TRIES = 3
"""Tries for which a plan waits for views that Azure has left out: a minute or two."""

_ASKED_BY_THE_RUN = frozenset({"recheck", "replan"})
TRIES = 5  # writers of one run are few: plan, advance, a second host


class _NotFoundYet(Exception):
    """Azure did not find the scale set, and nobody else has said so yet."""


class UnknownScaleSet(ValueError):
    """The message names a wave or a scale set that no discovery has found."""


async def handle(message: ScaleSetMessage, wiring: Wiring) -> None:
    """Decide for one scale set and write its run.

    Raises UnknownScaleSet for a message that no discovery sent: it belongs into the quarantine.
    """
    wave, scale_set = await _discovered(message, wiring)
    observation: Observation | None = None
    reading = timedelta(0)
    stored: StoredRun | None = None
    path = run_path(scale_set.subscription, scale_set.resource_group, scale_set.name)
    if message.reason != "announced" or len(wave.announcements) > 1:
        stored = await wiring.runs.read(path)
    if message.reason == "swept" and stored is not None and wave.tracking_id in stored.run.waves:
        return  # planned meanwhile
    for _ in range(TRIES):
        run = stored.run if stored is not None else None
        waves = await _waves(wave, run, wiring)
        over = not any(one.open for one in waves)
        cancelled = over and any(one.stage is Stage.CANCELED for one in waves)
        if observation is None and not cancelled:
            began = wiring.now()
            try:
                async with observe_azure.in_time():
                    scale_set, observation = await _read(run, scale_set, message, wiring)
                reading = observe_azure.slowness(began, wiring)
            except _NotFoundYet:
                if run is None or run.state not in ACTIVE:
                    await _confirm_later(message, wiring)
                return  # polls of the run find out by themselves whether its scale set is gone
            except AzureTrouble as error:
                if stored is not None and run is not None and message.reason in _ASKED_BY_THE_RUN:
                    await _unplanned(stored, run, message, error, wiring)
                else:
                    await _later(message, error, wiring)
                return
        seen = observation or Observation(wiring.now(), ())
        if await _asked_why(run, scale_set, seen.instances or (), waves, message, wiring):
            return
        new = _planned(run, scale_set, seen, waves, message, wiring, over=over, cancelled=cancelled)
        if new is None:
            return
        try:
            await _write(path, stored, run, replace(new, reading=reading), wiring)
        except Conflict:
            stored = await wiring.runs.read(path)
            continue
        return
    raise Conflict(f"Writing {path}: others wrote in between {TRIES} times.")


async def _discovered(message: ScaleSetMessage, wiring: Wiring) -> tuple[Wave, ScaleSet]:
    wave = await wiring.waves.get(message.tracking_id, message.subscription, message.wave_generation)
    member = wave.member(message.scale_set) if wave is not None else None
    if wave is None or member is None:
        raise UnknownScaleSet(
            f"No discovery of wave {message.tracking_id} has found {message.scale_set}. "
            "The message was not sent by Breakwater, or the wave's record was removed."
        )
    return wave, member.scale_set


async def _asked_why(
    run: Run | None,
    scale_set: ScaleSet,
    instances: tuple[Instance, ...],
    waves: list[Wave],
    message: ScaleSetMessage,
    wiring: Wiring,
) -> bool:
    """Have the look-ups renewed when a finished instance is due again and they can't say why."""
    if run is None or message.reason == "renewed" or not waves[0].open:
        return False
    if not second_time.unexplained(run, outstanding(instances, run, wiring.now()), waves):
        return False
    renew = AlertMessage(alert=waves[0].current.alert, renew=scale_set.id, traceparent=message.traceparent)
    await wiring.queues.send(ALERTS, renew)
    log.info("plan.look_ups_asked_for", extra={"scale_set": scale_set.id})
    return True


async def _waves(wave: Wave, run: Run | None, wiring: Wiring) -> list[Wave]:
    """The waves the set is in: this one and those its run belongs to."""
    waves = [wave]
    for tracking_id in run.waves if run is not None else ():
        if tracking_id != wave.tracking_id:
            other = await wiring.waves.get(tracking_id, wave.subscription)
            if other is not None and other.announcements:
                waves.append(other)
    return waves


async def _read(
    run: Run | None, scale_set: ScaleSet, message: ScaleSetMessage, wiring: Wiring
) -> tuple[ScaleSet, Observation]:
    """One listing of instances; the scale set itself is as discovery found it unless that is long ago.

    Raises AzureTrouble, and _NotFoundYet for a scale set that Azure has not found for the first time.
    """
    compute = wiring.compute(scale_set.subscription)
    observation = Observation(wiring.now(), poll_interval=wiring.settings.poll_interval)
    try:
        if message.reason != "announced":
            scale_set = await compute.scale_set(scale_set.id)
        observation = replace(observation, instances=await compute.instances(scale_set))
        if not observation.instances:
            # A Flexible set's machines are listed by a filter, which finds none of a set that is gone.
            scale_set = await compute.scale_set(scale_set.id)
    except NotFound:
        return scale_set, await _without_scale_set(scale_set, observation, message, wiring)
    unreadable = tuple(instance.id for instance in observation.instances or () if instance.unreadable)
    ids = absence.to_read(run, observation) if run is not None else unreadable
    observation = await observe_azure.read_directly(scale_set, observation, ids[: absence.MOST_READS], wiring)
    unplanned = run.gaps.unplanned if run is not None else None
    _readable(observation, max(message.attempt, unplanned.count if unplanned is not None else 0))
    if run is not None and _alive(run):
        observation = replace(
            observation, stops=await stops.since_planned(run, observation, wiring, planning=True)
        )
    return scale_set, observation


async def _without_scale_set(
    scale_set: ScaleSet, observation: Observation, message: ScaleSetMessage, wiring: Wiring
) -> Observation:
    """A 404 was answered: it counts when a direct read says the same, twice, a poll apart."""
    try:
        await wiring.compute(scale_set.subscription).scale_set(scale_set.id)
    except NotFound:
        since = message.absent_since
        if since is not None and observation.at - since >= observation.poll_interval:
            return replace(observation, deleted=True, instances=())
        raise _NotFoundYet from None
    raise Unreachable("Azure answered 404 and shows the scale set at the next read.")


def _readable(observation: Observation, tries: int) -> None:
    """Raise Unreachable where Azure left out views that may decide the plan.

    After a while the plan is made by what can be read, if anything of that is impacted: what is unreadable
    holds up every start, and polls plan again as soon as it shows.
    """
    unreadable = [instance for instance in observation.instances or () if instance.unreadable]
    if unreadable and (tries < PATIENT_TRIES or not impacted(observation.instances or ())):
        raise Unreachable(f"{unreadable[0].unreadable} (instance {unreadable[0].id}).")


async def _confirm_later(message: ScaleSetMessage, wiring: Wiring) -> None:
    log.warning("plan.scale_set_not_found", extra={"scale_set": message.scale_set})
    later = message.model_copy(update={"absent_since": message.absent_since or wiring.now()})
    await wiring.queues.send(SCALE_SETS, later, delay=wiring.settings.poll_interval)


def _planned(
    run: Run | None,
    scale_set: ScaleSet,
    observation: Observation,
    waves: list[Wave],
    message: ScaleSetMessage,
    wiring: Wiring,
    *,
    over: bool,
    cancelled: bool,
) -> Run | None:
    """The run as it should be written, planned in `waves[0]`; None when there is nothing to write."""
    now, wave, instances = wiring.now(), waves[0], observation.instances or ()
    scale_set = informed(scale_set, waves)
    if cancelled:
        return ending.closed(run, now, cancelled=True) if run is not None and _alive(run) else None
    decision = decide(
        scale_set,
        outstanding(instances, run, now),
        [one.current for one in waves],
        wiring.policy(),
        now,
        raised=run.terms.raised if run is not None and _alive(run) else NOTHING,
        order_problem=order.predecessors(
            wave.roster, scale_set.key, rules_for(wiring.policy(), scale_set).after
        )[1],
    )
    another = run is not None and not _alive(run) and wave.tracking_id not in run.waves
    reopened = reopening.why(run, decision) if run is not None and not _alive(run) else ""
    due_again = run is not None and not _alive(run) and decision.verdict is not Verdict.NOT_IMPACTED
    # What was merely left over opens again when Azure announces it again, and not by itself.
    due_again = due_again and (bool(reopened) or message.reason != "recheck")
    if run is None or another or due_again:
        if over and decision.verdict is Verdict.NOT_IMPACTED and run is not None:
            return None
        new = new_plan.new_run(
            scale_set,
            instances,
            decision,
            waves,
            now,
            former=run,
            poll_interval=wiring.settings.poll_interval,
        )
        return with_entry(new, "opened again", reopened, now) if reopened and not another else new
    if not _alive(run):
        return None
    new = new_plan.replanned(run, scale_set, instances, decision, waves, now, observation)
    if over and decision.verdict is Verdict.NOT_IMPACTED:
        return ending.closed(new, now)
    return new


def _alive(run: Run) -> bool:
    return run.state not in ENDED and run.ended_at is None


async def _write(path: str, stored: StoredRun | None, old: Run | None, new: Run, wiring: Wiring) -> None:
    """Send the next message, then write: a message whose writer died is a look like any other.

    A new run is written first: nobody can look at it before.
    """
    new = replace(new, generation=(old.generation if old is not None else 0) + 1)
    if old is not None and not _alive(old):
        await wiring.runs.archive(old)
    if old is not None:
        await _send_poll(new, wiring)
    await wiring.runs.write(path, new, stored.etag if stored is not None else None)
    if old is None:
        # A poll of a run that is not written yet would fail; if we crash here, this message is redelivered.
        await _send_poll(new, wiring)
    if _told_now(old, new):
        await wiring.runs.send_notify(new)
    log.info(
        "run.planned",
        extra={
            "scale_set": new.target.id,
            "state": str(new.state),
            "verdict": str(new.verdict),
            "why": new.reason,
        },
    )


def _told_now(old: Run | None, new: Run) -> bool:
    """Whether people are told without waiting.

    The first plan of a wave is told by discovery's message, for all its scale sets at once; one that pages
    (emergency maintenance) cannot wait for that.
    """
    if old is None or not _alive(old):
        return any(notice.urgency is Urgency.PAGE for notice in new.story.notices)
    return new.story.last_notice > old.story.last_notice


async def _send_poll(run: Run, wiring: Wiring) -> None:
    if run.ended_at is None:
        await wiring.runs.send_poll(run, at=run.due)


async def _later(message: ScaleSetMessage, error: AzureTrouble, wiring: Wiring) -> None:
    """Azure cannot be read now: a fresh message, and people are told once it has lasted."""
    if message.reason == "swept":
        log.info("plan.left_to_the_sweep", extra={"scale_set": message.scale_set, "why": error.sentence})
        return  # it asks again, and must not ask beside a message that waits
    if isinstance(error, Throttled):
        again, delay, tell = put_off(message, error, wiring.now(), message.scale_set)
        await wiring.queues.send(SCALE_SETS, again, delay=delay)
        if tell:
            await _tell(message, error, wiring)
        return
    wait = after_trouble(message.attempt)
    later = message.model_copy(update={"attempt": message.attempt + 1})
    await wiring.queues.send(SCALE_SETS, later, delay=wait)
    log.warning("plan.azure_unreadable", extra={"scale_set": message.scale_set, "why": error.sentence})
    if message.attempt + 1 == (1 if isinstance(error, Forbidden) else TOLD_AT_ATTEMPT):
        await _tell(message, error, wiring)


async def _unplanned(
    stored: StoredRun, run: Run, message: ScaleSetMessage, error: AzureTrouble, wiring: Wiring
) -> None:
    """Azure cannot be read for a plan that the run's own polls ask for, again and again until it is made.

    A message kept beside them would become one more each time they ask.
    """
    now = wiring.now()
    old = run.gaps.unplanned or Trouble(since=now, count=0, error="")
    lasted = isinstance(error, Forbidden) or now - old.since >= TOLD_AFTER
    trouble = Trouble(old.since, old.count + 1, error.sentence, told=old.told or lasted)
    log.warning("plan.left_to_the_run", extra={"scale_set": message.scale_set, "why": error.sentence})
    if lasted and not old.told:
        await _tell(message, error, wiring)
    new = replace(run, gaps=replace(run.gaps, unplanned=trouble))
    try:
        await wiring.runs.write(stored.path, new, stored.etag)
    except Conflict:
        log.info("plan.trouble_not_recorded", extra={"path": stored.path})


async def _tell(message: ScaleSetMessage, error: AzureTrouble, wiring: Wiring) -> None:
    """Once for a wave and a kind of trouble: two hundred scale sets of a subscription share it."""
    subscription, group, name = arm_parts(message.scale_set)
    if isinstance(error, Forbidden):
        whose = f"Scale sets of resource group {group}"
        about = f"forbidden {subscription}/{group}".lower()
        then = "Give the app's identity its role there; Breakwater tries again every ten minutes."
    elif isinstance(error, Throttled):
        whose, about = "Scale sets", f"throttled {subscription}".lower()
        then = "That has lasted for half an hour; Breakwater waits as long as Azure asks and goes on then."
    else:
        whose, about = "Scale sets", f"unreachable {subscription}".lower()
        then = "That has lasted for half an hour; Breakwater tries again every ten minutes."
    what = f"{whose} of subscription {subscription} cannot be planned, among them {name}"
    text = f"{what}: {error.sentence} {then}"
    notice = NoticeMessage(
        tracking_id=message.tracking_id, kind="quarantined", text=text[:4000], about=about, unread=True
    )
    await wiring.queues.send(NOTICES, notice)
