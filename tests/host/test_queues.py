"""The queue trigger, on the real worker runtime and Azurite, with the host as a process."""

import asyncio
import time
from itertools import pairwise

from tests.eventually import eventually
from tests.host.work import Work


async def test_one_host_lives_through_what_can_happen_to_a_message(work: Work) -> None:
    """Seven fates side by side on one host: each has its own queue, so none waits for another."""
    await work.send("fine", "hello")
    await work.send("flaky", "again")
    await work.send("doomed", "lost")
    await work.send("relayed", "news")
    await work.send_raw("fine", "this is not base64!")
    await work.send("held", "long")
    await work.send("doomed-poison", "cursed")
    async with work.host(lock_seconds=3):
        await asyncio.gather(
            _a_success_deletes_the_message(work),
            _a_failure_is_tried_again_after_the_visibility_timeout(work),
            _the_last_try_ends_in_the_poison_queue(work),
            _a_return_value_becomes_a_message(work),
            _a_message_that_is_not_base64_is_poisoned_as_it_is(work),
            _a_long_function_keeps_its_message_by_renewing_the_lock(work),
            _a_failure_in_a_poison_queue_waits_for_the_lock_and_is_not_poisoned_again(work),
        )


async def _a_success_deletes_the_message(work: Work) -> None:
    await work.recorded("fine", 1)
    (seen,) = work.records("fine", "hello")
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
    await eventually(lambda: work.records("buried", "lost"), within=30, why="the poison queue's function ran")
    assert [one["count"] for one in work.records("doomed")] == [1, 2, 3]
    await work.emptied("doomed")


async def _a_return_value_becomes_a_message(work: Work) -> None:
    await eventually(
        lambda: work.records("fine", "relayed news"),
        within=30,
        why="what relay returned arrives in the queue it is bound to",
    )


async def _a_message_that_is_not_base64_is_poisoned_as_it_is(work: Work) -> None:
    async def poisoned() -> bool:
        return await work.peeked("fine-poison") == ["this is not base64!"]

    await eventually(poisoned, within=30, why="the unreadable message is in fine-poison, unchanged")
    await work.emptied("fine")


async def _a_long_function_keeps_its_message_by_renewing_the_lock(work: Work) -> None:
    (started,) = await work.recorded("held", 1)
    await eventually(
        lambda: time.time() > started["locked_until"] + 1, within=30, why="the first lock has run out"
    )
    work.let_go()
    await work.recorded("let go", 1)
    await work.emptied("held")
    assert len(work.records("held")) == 1


async def _a_failure_in_a_poison_queue_waits_for_the_lock_and_is_not_poisoned_again(work: Work) -> None:
    await eventually(
        lambda: len(work.records("buried", "cursed")) == 3, within=30, why="the message was handed out thrice"
    )
    tries = work.records("buried", "cursed")
    assert [one["count"] for one in tries] == [1, 2, 3]
    assert all(later["at"] >= one["locked_until"] for one, later in pairwise(tries))
    assert await work.left("doomed-poison") == 1
    names = [queue.name async for queue in work.queues.list_queues()]
    assert "doomed-poison-poison" not in names


async def test_a_killed_hosts_message_comes_back_after_the_lock_and_not_before(work: Work) -> None:
    await work.send("held", "orphan")
    host = work.host(lock_seconds=3)
    async with host:
        await work.recorded("held", 1)
        await host.kill()
        await host.start()
        await host.wait_ready()
        first, again = await work.recorded("held", 2)
        work.let_go()
        await work.recorded("let go", 1)
        await work.emptied("held")
    assert first["pid"] != again["pid"]
    assert again["count"] == 2
    assert again["at"] >= first["locked_until"]
