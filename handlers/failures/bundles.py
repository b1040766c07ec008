"""The messages of a bundle, worked on side by side: what fails goes on alone, the others are done.

A bundle is worked on once. When it comes again, whoever took it before was killed or lost storage, and one of
its messages may be to blame: then each is sent by itself, with tries of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from handlers import deadline
from handlers.cloud.records import StorageDown
from handlers.cloud.side_by_side import side_by_side
from handlers.failures import lives, reasons, subject
from handlers.log import about, logger
from handlers.wire.bundles import Bundle
from handlers.wire.documents import NewerRecord
from handlers.wire.ids import Queue
from handlers.wire.messages import NEWER_WAIT, Message
from handlers.wiring import Wiring

log = logger(__name__)

FAILED_WAIT = timedelta(seconds=30)
"""When what failed is tried again: as late as the host would (host.json, `visibilityTimeout`)."""

BEGUN_WITHIN = timedelta(seconds=20)
"""How long a message waits for its turn in this process. Behind a slow Azure the last of a bundle would still
be waiting when the function has to end; alone, any host can take it."""

SENT_AT_ONCE = 16


async def each[Kind: Message](
    queue: Queue, bundle: Bundle[Kind], work: Callable[[Kind], Awaitable[None]], wiring: Wiring
) -> None:
    """Have the work done for each message.

    Returns when each is done or on the queue by itself. Raises StorageDown when one could be neither: then
    the bundle comes again.
    """
    tasks = [asyncio.ensure_future(_one(queue, message, work, wiring)) for message in bundle.messages]
    try:
        stranded = [trouble for trouble in await asyncio.gather(*tasks) if trouble is not None]
    finally:
        # A host that shuts down cancels its functions, and nothing must go on behind their back.
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if stranded:
        raise stranded[0]


async def split(queue: Queue, texts: Sequence[str], wiring: Wiring) -> None:
    """Send the messages of a bundle one by one. Raises StorageDown: then the bundle comes again."""
    log.warning("bundle.split", extra={"queue": queue, "messages": len(texts)})
    await side_by_side(lambda text: wiring.queues.send_text(queue, text), texts, SENT_AT_ONCE)


async def _one[Kind: Message](
    queue: Queue, message: Kind, work: Callable[[Kind], Awaitable[None]], wiring: Wiring
) -> StorageDown | None:
    """What became of one message: None when it's done or on the queue, else why it could not be sent."""
    with about(**subject.of(message)):
        delay = await _again_in(queue, message, work, wiring)
    try:
        if delay is not None:
            await wiring.queues.send(queue, message, delay=delay)
    except StorageDown as error:
        return error
    return None


async def _again_in[Kind: Message](
    queue: Queue, message: Kind, work: Callable[[Kind], Awaitable[None]], wiring: Wiring
) -> timedelta | None:
    """Do the work of one message; None when that succeeded, else how long it has to wait."""
    try:
        async with asyncio.timeout(BEGUN_WITHIN.total_seconds()):
            await wiring.bundled.acquire()
    except TimeoutError:
        log.info("bundle.no_turn", extra={"queue": queue})
        return timedelta(0)
    try:
        async with deadline.work():
            await work(message)
    except deadline.OutOfTime as error:
        log.warning("bundle.out_of_time", extra={"queue": queue, "why": str(error)})
        return lives.CUT_WAIT
    except NewerRecord as error:
        log.warning("message.newer", extra={"queue": queue, "why": str(error)})
        return NEWER_WAIT
    except StorageDown as error:
        log.warning("bundle.storage_down", extra={"queue": queue, "why": str(error)})
        return FAILED_WAIT
    except Exception as error:
        log.exception("bundle.failed", extra={"queue": queue})
        await reasons.note(queue, message.model_dump_json().encode(), error, wiring)
        return FAILED_WAIT
    finally:
        wiring.bundled.release()
    return None
