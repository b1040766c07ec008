"""Sending between the stages, against a real emulator."""

import base64
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from azure.storage.queue.aio import QueueServiceClient

from handlers.cloud.queues import Queues
from handlers.wire.ids import ALERTS, QUEUES, RUNS, poison
from handlers.wire.messages import AlertMessage, parse
from handlers.wire.settings import Settings

MESSAGE = AlertMessage(alert="a" * 64, traceparent="00-1-2-3")


@pytest.fixture
async def queues(storage):
    found = Queues.from_settings(Settings(storage=storage))
    yield found
    await found.close()


async def taken(storage, queue):
    """The message as the host finds it: its raw text, and when it would come back and expire."""
    async with QueueServiceClient.from_connection_string(storage) as service:
        return await service.get_queue_client(queue).receive_message()


async def test_a_message_travels_in_base64_and_never_expires(queues, storage):
    await queues.send(ALERTS, MESSAGE)
    found = await taken(storage, ALERTS)
    assert parse(ALERTS, base64.b64decode(found.content)) == MESSAGE
    assert (found.expires_on - found.inserted_on) > timedelta(days=365 * 100)


async def test_a_delayed_message_is_not_there_yet_and_waits_are_cut_to_seven_days(queues, storage):
    await queues.send(ALERTS, MESSAGE, delay=timedelta(days=30))
    await queues.send(ALERTS, MESSAGE, delay=timedelta(seconds=0.2))
    assert await taken(storage, ALERTS) is None
    assert (await queues.lengths())[ALERTS] == 2


async def test_a_past_delay_is_no_delay(queues, storage):
    await queues.send(ALERTS, MESSAGE, delay=timedelta(seconds=-5))
    assert await taken(storage, ALERTS) is not None


async def test_the_lengths_name_every_queue_and_its_poison_queue(queues):
    assert await queues.lengths() == dict.fromkeys([*QUEUES, *map(poison, QUEUES)], 0)
    await queues.send_text(poison(RUNS), "{}")
    assert (await queues.lengths())[poison(RUNS)] == 1


async def test_a_text_is_sent_as_it_came(queues, storage):
    await queues.send_text(RUNS, json.dumps({"v": 9, "ü": 1}))
    found = await taken(storage, RUNS)
    assert json.loads(base64.b64decode(found.content)) == {"v": 9, "ü": 1}


async def test_what_is_taken_is_there_as_it_came_until_it_is_removed(queues, storage):
    assert await queues.take(poison(RUNS)) == [], "no queue, no messages"
    await queues.send_text(poison(RUNS), "ours")
    async with QueueServiceClient.from_connection_string(storage) as service:
        client = service.get_queue_client(poison(RUNS))
        for text in ("%%% not base64 %%%", base64.b64encode(b"\xff").decode()):
            await client.send_message(text)
    found = await queues.take(poison(RUNS))
    assert sorted(one.body for one in found) == [b"%%% not base64 %%%", b"ours", b"\xff"]
    assert await queues.take(poison(RUNS)) == [], "nobody else gets it meanwhile"
    await queues.remove(poison(RUNS), replace(found[0], receipt="taken-again"))
    assert (await queues.lengths())[poison(RUNS)] == 3
    for one in found:
        await queues.remove(poison(RUNS), one)
        await queues.remove(poison(RUNS), one)
    assert (await queues.lengths())[poison(RUNS)] == 0
