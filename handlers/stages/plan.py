"""Plan: one scale set of a wave, decided by what its instances show, becomes or joins a run."""

import logging
from dataclasses import replace
from datetime import timedelta

from handlers.cloud.errors import AzureTrouble
from handlers.cloud.records import Conflict
from handlers.failures import bundles
from handlers.repository.runs import StoredRun, path_of
from handlers.runs import plan_put_off, queue, read_for_plan
from handlers.runs.observe_storage import cancelled
from handlers.wire.bundles import Bundle
from handlers.wire.ids import ALERTS, SCALE_SETS
from handlers.wire.messages import AlertMessage, ScaleSetMessage
from handlers.wiring import Wiring
from planner.azure import order
from planner.azure.drill import PLAYED, is_drill
from planner.azure.fleet import Instance, ScaleSet
from planner.azure.wave import Wave, informed
from planner.decision.decide import decide
from planner.machine import ending
from planner.observe.outstanding import outstanding
from planner.policy.overrides import NOTHING
from planner.policy.resolve import rules_for
from planner.record.notice import Urgency
from planner.record.observation import Observation
from planner.record.run import Run, Verdict
from planner.record.states import ACTIVE, ENDED
from planner.replan import new_plan, reopening, second_time
from planner.state.journal import with_entry

log = logging.getLogger(__name__)

TRIES = 5
"""Writers of one run are few: plan, advance, a second host."""


class UnknownScaleSet(ValueError):
    """The message names a wave or a scale set that no discovery has found."""


async def handle(message: ScaleSetMessage | Bundle[ScaleSetMessage], wiring: Wiring) -> None:
    """Decide for a scale set, or for several side by side, and write their runs.

    Raises UnknownScaleSet for a message that no discovery sent (it belongs in quarantine), Conflict when
    others write the run again and again, StorageDown, BadRecord and NewerRecord; for a bundle StorageDown.
    """
    begun: list[Run] = []

    async def plan(message: ScaleSetMessage) -> None:
        await _plan(message, begun, wiring)

    if isinstance(message, Bundle):
        await bundles.each(SCALE_SETS, message, plan, wiring)
    else:
        await plan(message)
    # If we crash before this, the message is redelivered, and each run that is there is planned once more.
    await wiring.runs.send_first_polls(begun)


async def _plan(message: ScaleSetMessage, begun: list[Run], wiring: Wiring) -> None:
    """Decide for one scale set and write its run; one that is new joins `begun`, to be polled."""
    wave, scale_set = await _discovered(message, wiring)
    observation: Observation | None = None
    reading = timedelta(0)
    stored: StoredRun | None = None
    path = path_of(scale_set)
    if message.reason != "announced" or len(wave.announcements) > 1:
        stored = await wiring.runs.read(path)
    if message.reason == "swept" and stored is not None and wave.tracking_id in stored.run.waves:
        return  # planned meanwhile
    for _ in range(TRIES):
        run = stored.run if stored is not None else None
        waves = await _waves(wave, run, wiring)
        if observation is None and not cancelled(waves):
            try:
                scale_set, observation, reading = await read_for_plan.read(run, scale_set, message, wiring)
            except read_for_plan.NotFoundYet:
                if run is None or run.state not in ACTIVE:
                    await plan_put_off.confirm_absence(message, wiring)
                return  # polls of the run find out by themselves whether its scale set is gone
            except AzureTrouble as error:
                await plan_put_off.put_off(message, stored, error, wiring)
                return
        seen = observation or Observation(wiring.now(), ())
        if await _asked_why(run, scale_set, seen.instances or (), waves, message, wiring):
            return
        new = _planned(run, scale_set, seen, waves, message, wiring)
        if new is None:
            return
        try:
            await _write(path, stored, replace(new, reading=reading), begun, wiring)
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


def _planned(
    run: Run | None,
    scale_set: ScaleSet,
    observation: Observation,
    waves: list[Wave],
    message: ScaleSetMessage,
    wiring: Wiring,
) -> Run | None:
    """The run as it should be written, planned in `waves[0]`; None when there is nothing to write."""
    now, wave, instances = wiring.now(), waves[0], observation.instances or ()
    policy, scale_set = wiring.policy(), informed(scale_set, waves)
    alive = run if run is not None and _alive(run) else None
    ended = run if alive is None else None
    if cancelled(waves):
        return ending.closed(alive, now, cancelled=True) if alive is not None else None
    _, order_problem = order.predecessors(wave.roster, scale_set.key, rules_for(policy, scale_set).after)
    decision = decide(
        scale_set,
        outstanding(instances, run, now),
        [wave.current for wave in waves],
        policy,
        now,
        raised=alive.terms.raised if alive is not None else NOTHING,
        order_problem=order_problem,
    )
    over = decision.verdict is Verdict.NOT_IMPACTED and not any(wave.open for wave in waves)
    if alive is not None:
        new = new_plan.replanned(alive, scale_set, instances, decision, waves, now, observation)
        return ending.closed(new, now) if over else new
    reopened = ""
    if ended is not None and wave.tracking_id in ended.waves:
        reopened = reopening.why(ended, decision)
        # What was merely left over opens again when Azure announces it again, and not by itself.
        if decision.verdict is Verdict.NOT_IMPACTED or not (reopened or message.reason != "recheck"):
            return None
    if ended is not None and over:
        return None
    new = new_plan.new_run(
        scale_set,
        instances,
        decision,
        waves,
        now,
        former=ended,
        poll_interval=wiring.settings.poll_interval,
    )
    if is_drill(scale_set.subscription):
        new = with_entry(new, "drill", PLAYED, now)
    return with_entry(new, "opened again", reopened, now) if reopened else new


def _alive(run: Run) -> bool:
    return run.state not in ENDED and run.ended_at is None


async def _write(path: str, stored: StoredRun | None, new: Run, begun: list[Run], wiring: Wiring) -> None:
    """Send the next message, then write: should we crash in between, that message is a poll like any other.

    A new run is written first, as a poll of it would fail before, and its message sent with those of others.
    """
    old = stored.run if stored is not None else None
    new = replace(new, generation=(old.generation if old is not None else 0) + 1)
    if old is not None and not _alive(old):
        await wiring.runs.archive(old)
    if old is not None and new.ended_at is None:
        await wiring.runs.send_poll(new, at=new.due)
    await wiring.runs.write(path, new, stored.etag if stored is not None else None)
    if old is None and new.ended_at is None:
        begun.append(new)
    if _told_now(old, new):
        await wiring.runs.send_notify(new)
    if old is not None:
        await queue.pass_on(old, new, wiring)
    about = {"state": str(new.state), "verdict": str(new.verdict), "why": new.reason}
    log.info("run.planned", extra={"scale_set": new.target.id, **about})


def _told_now(old: Run | None, new: Run) -> bool:
    """Whether people are told without waiting.

    The first plan of a wave is told by discovery's message, for all its scale sets at once; one that pages
    (emergency maintenance) cannot wait for that.
    """
    if old is None or not _alive(old):
        return any(notice.urgency is Urgency.PAGE for notice in new.story.notices)
    return new.story.last_notice > old.story.last_notice
