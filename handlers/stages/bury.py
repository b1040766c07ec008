"""bury: what failed five times becomes visible: kept in quarantine, its run paused, people told.

A message that did not fail by itself is sent again: hosts killed while they hold it use up its tries. One
that never came as far as the app has not failed: what it was about is taken up again, and nothing is paused.

The sweep empties the poison queues through the SDK. No function may listen to them: what the host cannot
decode there, and what has failed there five times, it would take again every ten minutes and show to nobody,
so that nobody else could take it either.

Bad content never raises here, or it would stay where it is.
"""

import hashlib
from dataclasses import dataclass

from handlers import deadline
from handlers.cloud.names import run_path
from handlers.cloud.queues import TAKEN_AT_MOST, Taken
from handlers.cloud.records import StorageDown
from handlers.cloud.side_by_side import side_by_side
from handlers.failures import bundles, lives, reasons, subject
from handlers.failures.quarantine import keep
from handlers.log import logger
from handlers.wire.bundles import texts_in
from handlers.wire.documents import BadRecord, NewerRecord
from handlers.wire.ids import NOTICES, QUEUES, Queue, poison
from handlers.wire.messages import (
    BadMessage,
    Message,
    NewerMessage,
    NoticeMessage,
    PersonEvent,
    RunMessage,
    ScaleSetMessage,
    arm_parts,
    parse,
)
from handlers.wiring import Wiring
from handlers.words import trouble as words
from planner.record.command import CommandKind
from planner.record.run import Run
from planner.text.backoff import LONGEST_WAIT, doubled
from planner.text.phrases import shortened

log = logger(__name__)

ACTOR = "breakwater"

MOST_TAKES = 20
"""Of 32 messages of one queue; what is left waits for the next sweep."""

AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Buried:
    """A poison message, read as far as it can be.

    `failed`: why is known. `reached`: one of its tries came as far as the app.
    """

    queue: Queue
    body: bytes
    message: Message | None
    error: str
    failed: bool = False
    reached: bool = True

    @property
    def name(self) -> str:
        return hashlib.sha256(self.queue.encode() + b"\n" + self.body).hexdigest()[:32]


async def drain(wiring: Wiring) -> None:
    """Bury what lies in the poison queues; what cannot be buried stays until the next time.

    Takes half of the time there is at most: the sweep that follows needs the rest. Raises StorageDown.
    """
    for_the_sweep = deadline.left() / 2
    for queue in QUEUES:

        async def bury(taken: Taken, queue: Queue = queue) -> None:
            try:
                await handle(queue, taken.body, wiring)
            except StorageDown:
                raise
            except Exception:
                log.exception("bury.failed", extra={"queue": poison(queue)})
            else:
                await wiring.queues.remove(poison(queue), taken)

        for _ in range(MOST_TAKES):
            if deadline.left() < for_the_sweep:
                log.warning("bury.out_of_time", extra={"queue": poison(queue)})
                return
            found = await wiring.queues.take(poison(queue))
            await side_by_side(bury, found, AT_ONCE)
            if len(found) < TAKEN_AT_MOST:
                break


async def handle(queue: Queue, body: str | bytes, wiring: Wiring) -> None:
    """Bury one message of `queue`'s poison queue. Raises only StorageDown: then it comes again.

    A bundle is not buried but split: one of its messages is to blame at most, and fails by itself.
    """
    texts = texts_in(queue, body)
    if texts:
        await bundles.split(queue, texts, wiring)
        return
    buried = await _read(queue, body, wiring)
    if not buried.reached:
        await _taken_up(buried, wiring)
        return
    if await _sent_again(buried, wiring):
        return
    paused = await _pause(buried, wiring)

    async def tell(path: str) -> None:
        await _tell(buried, path, paused, wiring)

    path = await keep(queue, buried.body, buried.error, wiring, tell=tell)
    await reasons.forget(queue, buried.body, wiring)
    log.error("bury.kept", extra={"queue": queue, "path": path, "why": buried.error})


async def _taken_up(buried: _Buried, wiring: Wiring) -> None:
    """Go on with a message that the platform never brought to the app: nobody has to look at it.

    That this runs shows that there is a worker again. A run is overdue by now and is polled by the sweep,
    once however many of its polls were lost; that poll tells since when there was none.
    """
    message = buried.message
    assert message is not None
    if isinstance(message, RunMessage) and message.event is None:
        place = message.subscription, message.resource_group, message.name
        if await wiring.runs.listed_at(run_path(*place)) is not None:
            log.warning("bury.left_to_the_sweep", extra=subject.of(message))
            return
    log.warning("bury.taken_up", extra={"queue": buried.queue, **subject.of(message)})
    await wiring.queues.send(buried.queue, message)


async def _sent_again(buried: _Buried, wiring: Wiring) -> bool:
    """Send a message once more of which no failure is known, later each time; whether that was done."""
    message = buried.message
    if message is None or buried.failed or message.lives >= lives.MOST:
        return False
    wait = doubled(wiring.settings.poll_interval, message.lives, LONGEST_WAIT)
    again = message.model_copy(update={"lives": message.lives + 1})
    await wiring.queues.send(buried.queue, again, delay=wait)
    log.warning("bury.sent_again", extra={"queue": buried.queue, "life": again.lives})
    return True


async def _read(queue: Queue, body: str | bytes, wiring: Wiring) -> _Buried:
    raw = body.encode(errors="backslashreplace") if isinstance(body, str) else body
    try:
        message: Message = parse(queue, raw)
    except (BadMessage, NewerMessage) as error:
        return _Buried(queue, raw, None, str(error))
    failure = await reasons.known(queue, raw, wiring)
    text = words.failed(queue, words.the_last_time(failure) if failure else words.KILLED_EACH_TIME)
    return _Buried(queue, raw, message, text, failed=bool(failure), reached=failure is not None)


async def _pause(buried: _Buried, wiring: Wiring) -> bool:
    """Have the run this was about paused; whether there is one."""
    message, place = buried.message, _run_of(buried.message)
    if message is None or place is None:
        return False
    path = run_path(*place)
    try:
        stored = await wiring.runs.read(path)
    except (BadRecord, NewerRecord) as error:
        log.exception("bury.run_unreadable", extra={"path": path, "why": str(error)})
        return False
    if stored is None or _outdated(message, stored.run):
        return False
    generation = stored.run.generation
    event = PersonEvent(
        id=f"quarantined-{buried.name}-{generation}",
        kind=CommandKind.QUARANTINED,
        actor=ACTOR,
        comment=buried.error,
        at=wiring.now(),
    )
    await wiring.runs.send_poll_of(place, generation, event=event, traceparent=message.traceparent)
    return True


def _outdated(message: Message, run: Run) -> bool:
    """Whether it is a poll that a later one has replaced: it would have been dropped, nothing is missing.

    Hosts that crash again and again while they hold a message leave such messages behind.
    """
    return isinstance(message, RunMessage) and message.event is None and message.generation < run.generation


def _run_of(message: Message | None) -> tuple[str, str, str] | None:
    """Subscription, resource group and name of the run to pause."""
    match message:
        case RunMessage(event=PersonEvent(kind=CommandKind.QUARANTINED)):
            return (
                None  # the pause itself failed: another one would fail, be buried and ask for a pause again
            )
        case RunMessage():
            return message.subscription, message.resource_group, message.name
        case ScaleSetMessage():
            return arm_parts(message.scale_set)
        case _:
            return None


async def _tell(buried: _Buried, path: str, paused: bool, wiring: Wiring) -> None:
    message = buried.message
    if buried.queue == NOTICES and (message is None or getattr(message, "kind", "") == "quarantined"):
        return  # telling that telling failed would fail as well; the quarantine shows it
    about = ""
    if isinstance(message, ScaleSetMessage):
        about = message.scale_set
    elif isinstance(message, RunMessage):
        about = words.scale_set(message.name, message.resource_group)
    text = words.quarantined(buried.error, about, path, paused=paused)
    notice = NoticeMessage(
        tracking_id=getattr(message, "tracking_id", ""),
        kind="quarantined",
        alert=getattr(message, "alert", ""),
        text=shortened(text, 4000),
        traceparent=message.traceparent if message else "",
    )
    await wiring.queues.send(NOTICES, notice)
