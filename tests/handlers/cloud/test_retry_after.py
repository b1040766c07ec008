"""What one host learns of a subscription's Retry-After, all hosts obey, at the cost of a handful of reads."""

from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from handlers.cloud.errors import Throttled
from handlers.cloud.names import throttled_path
from handlers.cloud.records import StorageDown
from handlers.cloud.retry_after import LONGEST, POLL_EVERY, RetryAfter
from tests.handlers.canned import FIRST, Canned, second
from tests.handlers.parts import NOW, OTHER, SUBSCRIPTION, Clock
from tests.world.chaos import Chaos
from tests.world.storage import MemoryRecords

PATH = throttled_path(SUBSCRIPTION)
MINUTE = timedelta(minutes=1)


class Shelf(MemoryRecords):
    """Counts reads, and can be down."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock, Chaos())
        self.reads, self.down = 0, False

    async def read(self, path: str) -> Any:
        self.reads += 1
        if self.down:
            raise StorageDown("Storage does not answer.")
        return await super().read(path)

    async def write(self, path: str, body: bytes, **more: Any) -> str:
        if self.down:
            raise StorageDown("Storage does not answer.")
        return await super().write(path, body, **more)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shelf(clock: Clock) -> Shelf:
    return Shelf(clock)


def host(shelf: Shelf, clock: Clock, subscription: str = SUBSCRIPTION) -> RetryAfter:
    return RetryAfter(subscription, lambda: shelf, clock)  # type: ignore[arg-type,return-value]


async def test_what_one_host_was_told_another_one_obeys_until_it_is_over(shelf, clock) -> None:
    here, there = host(shelf, clock), host(shelf, clock)
    assert await there.until() is None
    await here.learned(NOW + MINUTE)
    clock.at += POLL_EVERY
    assert await there.until() == NOW + MINUTE
    assert await host(shelf, clock, OTHER).until() is None
    clock.at = NOW + MINUTE
    assert await there.until() is None


async def test_two_hundred_requests_cost_one_read_of_the_record(shelf, clock) -> None:
    one = host(shelf, clock)
    for _ in range(200):
        await one.until()
        clock.forward(milliseconds=20)
    assert shelf.reads == 1
    clock.forward(seconds=2)
    await one.until()
    assert shelf.reads == 2


async def test_only_a_longer_wait_is_written(shelf, clock) -> None:
    here, there = host(shelf, clock), host(shelf, clock)
    await here.learned(NOW + MINUTE)
    for seconds in (10, 60, 63):
        await here.learned(NOW + timedelta(seconds=seconds))
        await there.learned(NOW + timedelta(seconds=seconds))
    assert shelf.writes == 1
    await there.learned(NOW + 2 * MINUTE)
    assert shelf.writes == 2
    await here.learned(NOW + 90 * timedelta(seconds=1))
    assert await host(shelf, clock).until() == NOW + 2 * MINUTE, "the host that knew less took nothing away"


async def test_a_short_wait_after_a_long_one_is_learned_as_well(shelf, clock) -> None:
    here = host(shelf, clock)
    await here.learned(NOW + MINUTE)
    clock.at = NOW + 2 * MINUTE
    await here.learned(clock.at + timedelta(seconds=1))
    assert await host(shelf, clock).until() == clock.at + timedelta(seconds=1)


async def test_without_storage_each_host_knows_what_it_was_told_itself(shelf, clock) -> None:
    here, there = host(shelf, clock), host(shelf, clock)
    shelf.down = True
    await here.learned(NOW + MINUTE)
    assert await here.until() == NOW + MINUTE
    assert await there.until() is None


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"v": 1}', b'{"v": 2, "until": 1}'])
async def test_an_unreadable_record_delays_no_one(shelf, clock, body: bytes) -> None:
    await shelf.create(PATH, body)
    one = host(shelf, clock)
    assert await one.until() is None
    await one.learned(NOW + MINUTE)
    assert await host(shelf, clock).until() == NOW + MINUTE


async def test_a_record_by_a_wrong_clock_stops_no_one(shelf, clock) -> None:
    ahead = Clock(NOW + timedelta(days=400))
    await host(shelf, ahead).learned(ahead() + MINUTE)
    assert await host(shelf, clock).until() is None
    await host(shelf, clock).learned(NOW + LONGEST)
    assert await host(shelf, clock).until() == NOW + LONGEST


class TwoHosts:
    """Two compute faces of one subscription on one storage."""

    def __init__(self, shelf: Shelf, *first: Any) -> None:
        self.here, self.there = Canned(*first), Canned(FIRST, second())
        for one in (self.here, self.there):
            one._quiet = host(shelf, one.clock)


async def test_after_a_429_at_one_host_the_other_asks_nothing_before_retry_after(shelf, clock) -> None:
    hosts = TwoHosts(shelf, Throttled(timedelta(seconds=40)))

    async def refused(request: Any, *_: Any) -> Any:
        async with hosts.here._translating():
            raise _too_many()

    hosts.here._send = refused  # type: ignore[method-assign]
    with pytest.raises(Throttled):
        await hosts.here.get("/x")
    with pytest.raises(Throttled) as held:
        await hosts.there.get("/x")
    assert held.value.retry_after == timedelta(seconds=40)
    assert hosts.there.asked == []
    hosts.there.clock.forward(seconds=40)
    await hosts.there.get("/x")
    assert len(hosts.there.asked) == 1


def _too_many() -> Any:
    class Answer:
        status_code, reason, headers, content = 429, "Too Many Requests", {"Retry-After": "40"}, b""

        def text(self, *_: Any) -> str:
            return ""

    return HttpResponseError(response=Answer())  # type: ignore[arg-type]
