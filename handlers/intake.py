"""From a queue's text to its stage: what cannot be read yet waits, what can never be read is buried."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from handlers import deadline
from handlers.cloud.records import StorageDown
from handlers.failures import bundles, lives, reasons, subject
from handlers.log import about, logger
from handlers.wire.bundles import Bundle, parse_all, texts_in
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import Queue, poison
from handlers.wire.messages import NEWER_WAIT, BadMessage, Message, NewerMessage, parse
from handlers.wiring import Wiring

log = logger(__name__)

type Stage = Callable[[Any, Wiring], Awaitable[None]]


async def hand_over(
    queue: Queue,
    body: bytes,
    stage: Stage,
    wiring: Wiring,
    *,
    tries: int = 1,
    allowed: timedelta = 2 * deadline.UNLIMITED,
) -> None:
    """Parse a message and call its stage.

    A message of a newer version, or about a newer record, goes back for five minutes. One that is not ours
    goes to the poison queue at once: reading it four more times would not help. Whatever else the stage
    raises, the host retries; the reason is noted for `bury`. `tries` includes this one.

    A bundle is handed over whole when it comes for the first time and all of it can be read, else split.

    `allowed` is the host's functionTimeout: what is not done in half of it is ended and comes again as a new
    message, so that no try of it and no other message of the worker is lost. What never gets done fails.
    """
    text = body.decode("utf-8", errors="replace")
    texts = texts_in(queue, text)
    bundle = _read(queue, texts) if texts and tries == 1 else None
    if texts and bundle is None:
        await bundles.split(queue, texts, wiring)
        return
    if tries > 1:
        await reasons.reached(queue, body, wiring)
    try:
        await _done(queue, text, bundle, stage, wiring, allowed)
    except (NewerMessage, NewerRecord) as error:
        log.warning("message.newer", extra={"queue": queue, "why": str(error)})
        await wiring.queues.send_text(queue, text, delay=NEWER_WAIT)
    except BadMessage as error:
        log.warning("message.bad", extra={"queue": queue, "why": str(error)})
        await wiring.queues.send_text(poison(queue), text)
    except StorageDown:
        raise
    except Exception as error:
        await reasons.note(queue, body, error, wiring)
        raise
    else:
        if tries > 1:
            await reasons.forget(queue, body, wiring)


def _read(queue: Queue, texts: Sequence[str]) -> Bundle[Message] | None:
    """The bundle of these messages, None when one of them is not to be read: that is judged by itself."""
    try:
        return parse_all(queue, texts)
    except (BadMessage, NewerMessage):
        return None


async def _done(
    queue: Queue, text: str, bundle: Bundle[Message] | None, stage: Stage, wiring: Wiring, allowed: timedelta
) -> None:
    """Have it done; what its time was too short for comes again, by messages of its own."""
    message = parse(queue, text) if bundle is None else None
    details = subject.of(message) if message is not None else {}
    with about(**details):
        try:
            async with deadline.within(allowed):
                await stage(message or bundle, wiring)
        except deadline.OutOfTime as error:
            log.warning("message.out_of_time", extra={"queue": queue, "why": str(error)})
            if message is None:
                await bundles.split(queue, texts_in(queue, text), wiring)
            else:
                await _send_again(queue, message, error, wiring)


async def _send_again(queue: Queue, message: Message, error: deadline.OutOfTime, wiring: Wiring) -> None:
    """A new message, so that the host counts no failure; raises the error of what never gets done."""
    # What there was too little time to begin has used up nothing.
    used_up = not isinstance(error, deadline.TooLittleTime)
    if used_up and message.lives >= lives.MOST:
        raise error
    again = message.model_copy(update={"lives": message.lives + used_up})
    await wiring.queues.send(queue, again, delay=lives.CUT_WAIT)
