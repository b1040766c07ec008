"""What the real host does with messages that no function can read, or that fail; the local host does the same."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from simulator.host import HostProcess
from tests.eventually import eventually
from tests.host.probe import Probe, not_text

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe(storage_of_module: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Probe]:
    async with Probe(storage_of_module, tmp_path_factory.mktemp("probe")) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(probe: Probe) -> AsyncIterator[HostProcess]:
    """A host that finds one message of each kind in its queue; it keeps what it takes for a second."""
    await probe.send_raw("fails", "not base64!")
    await probe.send_raw("fails", not_text())
    await probe.send("fails", "bad")
    async with probe.host(lock_seconds=1) as running:
        yield running


async def test_what_is_not_base64_is_moved_at_the_first_look_and_stays_there_unseen(probe, host) -> None:
    await eventually(
        lambda: host.log.count("of fails-poison is not base64") >= 3,
        within=20,
        why="each time its lock runs out it is looked at again",
    )
    assert host.log.count("of fails is not base64") == 1
    assert probe.records("fails", "not base64!") == probe.records("poison", "not base64!") == []


async def test_base64_of_no_text_fails_before_the_app_five_times_and_the_same_again_in_poison(
    probe, host
) -> None:
    await eventually(
        lambda: host.log.count("of fails-poison cannot be bound") >= 2,
        within=20,
        why="it comes again whenever its lock runs out",
    )
    assert host.log.count("of fails cannot be bound") == 5


async def test_a_message_that_fails_is_tried_five_times_and_is_in_poison_at_once(probe, host) -> None:
    await probe.recorded("poison", 1)
    assert [one["count"] for one in probe.records("fails")] == [1, 2, 3, 4, 5]
    assert {one["body"] for one in (*probe.records("fails"), *probe.records("poison"))} == {"bad"}
    await probe.emptied("fails")
    assert await probe.left("fails-poison") == 2, "the two that nobody can read are never deleted"
