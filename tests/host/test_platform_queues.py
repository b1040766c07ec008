"""What the real host does with messages that no function can read; the local host does the same."""

import re
from pathlib import Path

import pytest

from tests.eventually import eventually
from tests.host.probe import Probe, not_text


@pytest.fixture
async def probe(storage: str, tmp_path: Path):
    async with Probe(storage, tmp_path) as made:
        yield made


async def test_what_is_not_base64_is_moved_at_the_first_look_and_stays_there_unseen(probe: Probe) -> None:
    await probe.send_raw("fails", "not base64!")
    async with probe.host(lock_seconds=1) as host:
        await eventually(
            lambda: host.log.count("of fails-poison is not base64") >= 3,
            within=20,
            why="each time its lock runs out it is looked at again",
        )
        assert host.log.count("of fails is not base64") == 1
    assert await probe.left("fails") == 0
    assert await probe.left("fails-poison") == 1
    assert probe.records("fails") == probe.records("poison") == []


async def test_base64_of_no_text_fails_before_the_app_five_times_and_the_same_again_in_poison(
    probe: Probe,
) -> None:
    await probe.send_raw("fails", not_text())
    async with probe.host(lock_seconds=1) as host:
        await eventually(
            lambda: host.log.count("of fails-poison cannot be bound") >= 2,
            within=20,
            why="it comes again whenever its lock runs out",
        )
        assert host.log.count("of fails cannot be bound") == 5
        assert len(re.findall(r"of fails goes to fails-poison", host.log)) == 1
    assert await probe.left("fails") == 0
    assert await probe.left("fails-poison") == 1
    assert probe.records("fails") == probe.records("poison") == []


async def test_a_message_that_fails_is_tried_five_times_and_is_in_poison_at_once(probe: Probe) -> None:
    await probe.send("fails", "bad")
    async with probe.host():
        await probe.recorded("poison", 1)
    assert [one["count"] for one in probe.records("fails")] == [1, 2, 3, 4, 5]
    assert await probe.left("fails-poison") == 0
