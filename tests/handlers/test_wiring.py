"""What the wiring keeps for every invocation of a worker."""

import asyncio
from datetime import timedelta

import pytest

from handlers.cloud.names import wave_path
from handlers.cloud.records import Records
from handlers.wire.documents import encode
from planner.azure.wave import Wave
from tests.handlers.parts import SUBSCRIPTION

WAVE = Wave("VM12-3AB", SUBSCRIPTION, generation=3)


@pytest.fixture
def reads(monkeypatch):
    """The paths that were read, in order; every reader lets the others run first."""
    paths = []
    read = Records.read

    async def watching(records, path):
        paths.append(path)
        await asyncio.sleep(0)
        return await read(records, path)

    monkeypatch.setattr(Records, "read", watching)
    return paths


async def test_a_wave_that_sixteen_plans_ask_for_at_once_is_read_once(wiring, reads):
    path = wave_path(WAVE.tracking_id, WAVE.subscription)
    await wiring.records.write(path, encode(WAVE), etag=None)
    asked = (wiring.waves.get(WAVE.tracking_id, WAVE.subscription, generation=3) for _ in range(16))
    assert await asyncio.gather(*asked) == [WAVE] * 16
    assert reads == [path]


async def test_a_reader_that_gives_up_leaves_the_wave_to_the_next_one(wiring, monkeypatch):
    path = wave_path(WAVE.tracking_id, WAVE.subscription)
    await wiring.records.write(path, encode(WAVE), etag=None)
    with monkeypatch.context() as patched:

        async def stuck(records, path):
            del records, path
            await asyncio.Event().wait()

        patched.setattr(Records, "read", stuck)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(
                wiring.waves.get(WAVE.tracking_id, WAVE.subscription),
                timedelta(milliseconds=10).total_seconds(),
            )
    assert await wiring.waves.get(WAVE.tracking_id, WAVE.subscription) == WAVE
