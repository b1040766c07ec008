"""When Azure cannot be read for a plan: it is made later, and people are told once that has lasted."""

from dataclasses import replace

from handlers.cloud.errors import AzureTrouble, Forbidden, Throttled
from handlers.cloud.records import Conflict
from handlers.failures import throttling
from handlers.log import logger
from handlers.repository.runs import StoredRun
from handlers.wire.ids import NOTICES, SCALE_SETS
from handlers.wire.messages import NoticeMessage, ScaleSetMessage, arm_parts
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.record.run import again
from planner.text.backoff import FAILURES_UNTOLD, after_trouble
from planner.text.phrases import shortened

log = logger(__name__)


async def put_off(
    message: ScaleSetMessage, stored: StoredRun | None, error: AzureTrouble, wiring: Wiring
) -> None:
    """See to it that the plan is asked for again; `stored` is the run on record, if there is one."""
    why = {"why": error.sentence}
    if stored is not None and message.reason in {"recheck", "replan"}:
        # The run's own polls ask until the plan is made: a message beside them would be one more each time.
        log.warning("plan.left_to_the_run", extra=why)
        await _note_on_run(message, stored, error, wiring)
        return
    if message.reason == "swept":
        log.info("plan.left_to_the_sweep", extra=why)
        return  # the sweep asks again, and must not ask beside a message that waits
    if isinstance(error, Throttled):
        later, wait, tell = throttling.put_off(message, error, wiring.now(), message.scale_set)
    else:
        log.warning("plan.azure_unreadable", extra=why)
        wait = after_trouble(message.attempt)
        later = message.model_copy(update={"attempt": message.attempt + 1})
        tell = message.attempt == (0 if isinstance(error, Forbidden) else FAILURES_UNTOLD)
    await wiring.queues.send(SCALE_SETS, later, delay=wait)
    if tell:
        await _tell(message, error, wiring)


async def confirm_absence(message: ScaleSetMessage, wiring: Wiring) -> None:
    """Plan again in a poll interval: by then a scale set that Azure does not find is known to be gone."""
    log.warning("plan.scale_set_not_found")
    later = message.model_copy(update={"absent_since": message.absent_since or wiring.now()})
    await wiring.queues.send(SCALE_SETS, later, delay=wiring.settings.poll_interval)


async def _note_on_run(
    message: ScaleSetMessage, stored: StoredRun, error: AzureTrouble, wiring: Wiring
) -> None:
    run, now = stored.run, wiring.now()
    trouble = again(run.gaps.unplanned, error.sentence, now)
    if trouble.to_tell(now) or (isinstance(error, Forbidden) and not trouble.told):
        await _tell(message, error, wiring)
        trouble = replace(trouble, told=True)
    new = replace(run, gaps=replace(run.gaps, unplanned=trouble))
    try:
        await wiring.runs.write(stored.path, new, stored.etag)
    except Conflict:
        log.info("plan.trouble_not_recorded", extra={"path": stored.path})


async def _tell(message: ScaleSetMessage, error: AzureTrouble, wiring: Wiring) -> None:
    """Once for a wave and a kind of trouble: two hundred scale sets of a subscription share it."""
    subscription, group, name = arm_parts(message.scale_set)
    about, then = f"unreachable {subscription}".lower(), words.TRIES_AGAIN
    if isinstance(error, Forbidden):
        about, then = f"forbidden {subscription}/{group}".lower(), words.GIVE_ROLE
    elif isinstance(error, Throttled):
        about, then = f"throttled {subscription}".lower(), words.WAITS_AS_ASKED
    whose = group if isinstance(error, Forbidden) else ""
    text = words.not_planned(whose, subscription, name, error.sentence, then)
    notice = NoticeMessage(
        tracking_id=message.tracking_id,
        kind="quarantined",
        text=shortened(text, 4000),
        about=about,
        unread=True,
    )
    await wiring.queues.send(NOTICES, notice)
