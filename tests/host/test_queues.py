"""The queue trigger, on the real worker runtime and Azurite, with the host as a process."""

import asyncio
import socket
import time
from collections import Counter
from itertools import pairwise

from tests.eventually import eventually
from tests.host.work import Work


async def test_one_host_lives_through_what_can_happen_to_a_message(work: Work) -> None:
    """Five fates side by side on one host: each queue has its own, so none waits for another."""
    await work.send("fine", "hello")
    await work.send("flaky", "again")
    await work.send("doomed", "lost")
    await work.send("relayed", "news")
    await work.send_raw("fine", "this is not base64!")
    async with work.host():
        await asyncio.gather(
            _a_success_deletes_the_message(work),
            _a_failure_is_tried_again_after_the_visibility_timeout(work),
            _the_last_try_ends_in_the_poison_queue(work),
            _a_return_value_becomes_a_message(work),
            _a_message_that_is_not_base64_is_poisoned_as_it_is(work),
        )


async def _a_success_deletes_the_message(work: Work) -> None:
    (seen,) = [one for one in await work.recorded("fine", 1) if one["body"] == "hello"]
    assert seen["count"] == 1
    assert seen["inserted"].endswith("+00:00")
    await work.emptied("fine")


async def _a_failure_is_tried_again_after_the_visibility_timeout(work: Work) -> None:
    first, second = await work.recorded("flaky", 2)
    assert (first["count"], second["count"]) == (1, 2)
    assert first["id"] == second["id"]
    assert second["at"] - first["at"] >= 0.9
    await work.emptied("flaky")


async def _the_last_try_ends_in_the_poison_queue(work: Work) -> None:
    (buried,) = await work.recorded("buried", 1)
    assert buried["body"] == "lost"
    assert [one["count"] for one in work.records("doomed")] == [1, 2, 3]
    await work.emptied("doomed")
    await work.emptied("doomed-poison")


async def _a_return_value_becomes_a_message(work: Work) -> None:
    await eventually(
        lambda: [one for one in work.records("fine") if one["body"] == "relayed news"],
        within=10,
        why="what relay returned arrives in the queue it is bound to",
    )


async def _a_message_that_is_not_base64_is_poisoned_as_it_is(work: Work) -> None:
    async def poisoned() -> bool:
        return await work.peeked("fine-poison") == ["this is not base64!"]

    await eventually(poisoned, within=10, why="the unreadable message is in fine-poison, unchanged")
    await work.emptied("fine")


async def test_a_message_failing_in_a_poison_queue_waits_for_its_lock_and_is_never_poisoned_again(
    work: Work,
) -> None:
    await work.send("doomed-poison", "cursed")
    async with work.host(lock_seconds=1):
        tries = await work.recorded("buried", 3)
        assert [one["count"] for one in tries] == [1, 2, 3]
        assert all(later["at"] - one["at"] >= 0.9 for one, later in pairwise(tries))
    assert await work.left("doomed-poison") == 1
    names = [queue.name async for queue in work.queues.list_queues()]
    assert "doomed-poison-poison" not in names


async def test_a_long_function_keeps_its_message_by_renewing_the_lock(work: Work) -> None:
    await work.send("held", "long")
    async with work.host(lock_seconds=2):
        (started,) = await work.recorded("held", 1)
        await eventually(
            lambda: time.time() - started["at"] > 3.5, within=10, why="the first lock has long run out"
        )
        work.open_gate()
        await work.recorded("let go", 1)
        await work.emptied("held")
    assert len(work.records("held")) == 1


async def test_a_killed_hosts_message_comes_back_after_the_lock_and_not_before(work: Work) -> None:
    await work.send("held", "orphan")
    host = work.host(lock_seconds=3)
    async with host:
        await work.recorded("held", 1)
        await host.kill()
        await host.start()
        await host.wait_ready()
        first, again = await work.recorded("held", 2)
        work.open_gate()
        await work.recorded("let go", 1)
        await work.emptied("held")
    assert first["pid"] != again["pid"]
    assert again["count"] == 2
    assert again["at"] - first["at"] >= 2.5


async def test_two_hosts_share_a_queue_and_neither_takes_a_second_batch_while_the_first_runs(
    work: Work,
) -> None:
    bodies = [f"piece {number}" for number in range(40)]
    await work.send("held", *bodies)
    async with work.host(), work.host():
        taken = await work.recorded("held", 32)
        assert list(Counter(one["pid"] for one in taken).values()) == [16, 16]
        assert len(await work.peeked("held")) == 8
        work.open_gate()
        done = await work.recorded("let go", 40)
        await work.emptied("held")
    assert sorted(one["body"] for one in done) == sorted(bodies)


async def test_a_stopped_host_lets_its_running_function_finish_and_exits_0(work: Work) -> None:
    await work.send("held", "last words")
    host = work.host()
    async with host:
        await work.recorded("held", 1)
        stopping = asyncio.create_task(host.stop())
        await eventually(lambda: _refuses(host.url), within=5, why="a stopping host closes its port")
        work.open_gate()
        assert await stopping == 0
    assert len(work.records("let go")) == 1
    assert await work.left("held") == 0


async def test_a_stopped_host_gives_back_what_does_not_finish(work: Work) -> None:
    await work.send("held", "endless")
    host = work.host()
    async with host:
        await work.recorded("held", 1)
        assert await host.stop() == 0
        await host.start()
        await host.wait_ready()
        _, again = await work.recorded("held", 2)
        work.open_gate()
        await work.recorded("let go", 1)
    assert again["count"] == 2


def _refuses(url: str) -> bool:
    host, port = url.removeprefix("http://").split(":")
    try:
        socket.create_connection((host, int(port)), timeout=1).close()
    except ConnectionRefusedError:
        return True
    return False
