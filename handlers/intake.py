"""From a queue's text to its stage: what cannot be read yet waits, what can never be read is buried."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from handlers.cloud.records import StorageDown
from handlers.failures import bundles, reasons, subject
from handlers.log import about, logger
from handlers.wire.bundles import Bundle, parse_all, texts_in
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import Queue, poison
from handlers.wire.messages import NEWER_WAIT, BadMessage, Message, NewerMessage, parse
from handlers.wiring import Wiring

log = logger(__name__)


async def hand_over(
    queue: Queue,
    body: bytes,
    stage: Callable[[Any, Wiring], Awaitable[None]],
    wiring: Wiring,
    *,
    tries: int = 1,
) -> None:
    """Parse a message and call its stage.

    A message of a newer version, or about a newer record, goes back for five minutes. One that is not ours
    goes to the poison queue at once: reading it four more times would not help. Whatever else the stage
    raises, the host retries; the reason is noted for `bury`. `tries` includes this one.

    A bundle is handed over whole when it comes for the first time and all of it can be read, else split.
    """
    text = body.decode("utf-8", errors="replace")
    texts = texts_in(queue, text)
    if texts and (tries > 1 or (bundle := _read(queue, texts)) is None):
        await bundles.split(queue, texts, wiring)
        return
    try:
        if texts:
            await stage(bundle, wiring)
        else:
            message = parse(queue, text)
            with about(**subject.of(message)):
                await stage(message, wiring)
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
