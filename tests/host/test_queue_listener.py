"""How many messages one queue listener works on, and when it gives one up; on Azurite."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueServiceClient

from simulator.host.queues import QueueListener
from simulator.host.settings import QueueSettings
from simulator.host.triggers import QueueItem
from tests.eventually import eventually

SOON = timedelta(seconds=0.2)


@asynccontextmanager
async def listening(
    storage: str,
    name: str,
    settings: QueueSettings,
    handle: Callable[[QueueItem], Awaitable[bool]],
    *messages: str,
) -> AsyncIterator[QueueServiceClient]:
    """A listener on a queue that holds these messages."""
    async with QueueServiceClient.from_connection_string(storage) as service:
        for one in (name, f"{name}-poison"):
            await service.create_queue(one)
        queue = service.get_queue_client(name, message_encode_policy=TextBase64EncodePolicy())
        for message in messages:
            await queue.send_message(message)
        listener = QueueListener(service, name, settings, timedelta(seconds=30), handle)
        running = asyncio.create_task(listener.run())
        try:
            yield service
        finally:
            await listener.stop(0)
            await running


async def test_a_batch_is_fetched_only_when_no_more_than_the_threshold_are_running(storage: str) -> None:
    at_work: list[asyncio.Event] = []
    most = 0

    async def work(_: QueueItem) -> bool:
        nonlocal most
        done = asyncio.Event()
        at_work.append(done)
        most = max(most, len(at_work))
        await done.wait()
        at_work.remove(done)
        return True

    settings = QueueSettings(batch_size=4, new_batch_threshold=2, max_polling_interval=SOON)
    async with listening(storage, "crowded", settings, work, *map(str, range(14))) as service:
        await eventually(lambda: len(at_work) == 4, within=10, why="the first batch is at work")
        at_work[0].set()
        await eventually(lambda: len(at_work) == 3, within=10, why="one of it is done")
        waiting = await service.get_queue_client("crowded").peek_messages(max_messages=32)
        assert len(waiting) == 10, "three are more than the threshold"
        at_work[0].set()
        await eventually(lambda: len(at_work) == 6, within=10, why="two are not: another batch joins them")
        for _ in range(12):
            await eventually(lambda: bool(at_work), within=10, why="somebody works on what is left")
            at_work[0].set()
            await asyncio.sleep(0)
        assert most == 6


async def test_the_last_try_is_given_up_at_once_and_not_after_another_wait(storage: str) -> None:
    async def fail(_: QueueItem) -> bool:
        return False

    settings = QueueSettings(
        max_dequeue_count=1, visibility_timeout=timedelta(minutes=5), max_polling_interval=SOON
    )
    async with listening(storage, "hopeless", settings, fail, "x") as service:
        poison = service.get_queue_client("hopeless-poison")

        async def given_up() -> bool:
            return bool(await poison.peek_messages())

        await eventually(given_up, within=10, why="it failed for the last time")
