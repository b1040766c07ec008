"""One listing of a subscription at a time, whoever asks: pages are kept, read on, and shared across hosts."""

import asyncio
from datetime import timedelta

import pytest

from handlers.cloud.errors import BeingListed, NotFound, Throttled, Unreachable
from handlers.cloud.names import listing_path
from handlers.waves import listing
from tests.handlers.parts import SUBSCRIPTION, Clock, TestWiring, scale_set

SETS = [scale_set(f"web-{number}") for number in range(6)]


class Paged:
    """Azure with pages of two. What stands in `trouble` is raised by the requests whose turn it is."""

    def __init__(self) -> None:
        self.sets = list(SETS)
        self.requests: list[str] = []
        self.trouble: dict[int, Exception] = {}
        self.meanwhile = None

    async def scale_sets(self, start: str = ""):
        for first in range(int(start or 0), len(self.sets), 2):
            self.requests.append(str(first))
            await asyncio.sleep(0)
            if self.meanwhile is not None:
                await self.meanwhile(first)
            if error := self.trouble.pop(len(self.requests), None):
                raise error
            yield self.sets[first : first + 2], str(first + 2) if first + 2 < len(self.sets) else ""


@pytest.fixture
def azure():
    return Paged()


@pytest.fixture
async def hosts(storage, azure):
    """Two hosts on one storage and one clock."""
    clock = Clock()
    made = [TestWiring(storage, clock), TestWiring(storage, clock)]
    for wiring in made:
        wiring.__dict__["fake"] = azure
    yield made
    for wiring in made:
        await wiring.close()


async def names(wiring):
    return [one.name for one in await listing.of(SUBSCRIPTION, wiring)]


ALL = [one.name for one in SETS]


async def test_it_reads_every_page_once(hosts, azure):
    assert await names(hosts[0]) == ALL
    assert azure.requests == ["0", "2", "4"]


async def test_who_asks_within_a_minute_takes_what_was_read_on_whatever_host(hosts, azure):
    await names(hosts[0])
    hosts[0].clock.forward(seconds=59)
    assert await names(hosts[1]) == ALL
    assert len(azure.requests) == 3


async def test_who_asks_later_gets_a_listing_of_its_own(hosts, azure):
    await names(hosts[0])
    hosts[0].clock.forward(seconds=61)
    azure.sets = SETS[:1]
    assert await names(hosts[1]) == ALL[:1]


async def test_those_who_ask_at_once_in_one_process_share_one_listing(hosts, azure):
    found = await asyncio.gather(*(names(hosts[0]) for _ in range(5)))
    assert found == [ALL] * 5
    assert len(azure.requests) == 3


async def test_another_host_waits_and_says_why_while_one_reads(hosts, azure):
    said = []

    async def meanwhile(first):
        if first == 2:
            with pytest.raises(BeingListed) as raised:
                await listing.of(SUBSCRIPTION, hosts[1])
            said.append(raised.value)
            assert await listing.under_way(SUBSCRIPTION, hosts[1])

    azure.meanwhile = meanwhile
    assert await names(hosts[0]) == ALL
    (busy,) = said
    assert busy.sentence == "The scale sets of this subscription are being listed already."
    assert listing.LOOK_AGAIN <= busy.retry_after < 2 * listing.LOOK_AGAIN
    assert not await listing.under_way(SUBSCRIPTION, hosts[1])


@pytest.mark.parametrize("trouble", [Throttled(timedelta(seconds=17)), Unreachable("Azure answered 503.")])
async def test_what_a_429_or_an_outage_interrupts_is_read_on_by_any_host_from_where_it_stopped(
    hosts, azure, trouble
):
    azure.trouble[3] = trouble
    with pytest.raises(type(trouble)):
        await listing.of(SUBSCRIPTION, hosts[0])
    hosts[0].clock.forward(minutes=5)
    assert await names(hosts[1]) == ALL
    assert azure.requests == ["0", "2", "4", "4"]


async def test_a_host_that_dies_while_it_reads_is_followed_by_another_from_the_next_page(hosts, azure):
    async def dies(first):
        if first == 4:
            raise asyncio.CancelledError

    azure.meanwhile = dies
    with pytest.raises(asyncio.CancelledError):
        await listing.of(SUBSCRIPTION, hosts[0])
    azure.meanwhile = None
    with pytest.raises(BeingListed):
        await listing.of(SUBSCRIPTION, hosts[1])
    hosts[0].clock.forward(minutes=4)
    assert await names(hosts[1]) == ALL
    assert azure.requests == ["0", "2", "4", "4"]


async def test_a_host_taken_for_gone_that_was_only_slow_writes_nothing_over_the_other_ones_pages(
    hosts, azure
):
    async def slow(first):
        azure.meanwhile = None
        hosts[0].clock.forward(minutes=4)
        assert await names(hosts[1]) == ALL

    azure.meanwhile = slow
    with pytest.raises(BeingListed):
        await listing.of(SUBSCRIPTION, hosts[0])
    assert await names(hosts[0]) == ALL


async def test_pages_of_half_an_hour_ago_are_read_anew(hosts, azure):
    azure.trouble[2] = Throttled(timedelta(minutes=31))
    with pytest.raises(Throttled):
        await listing.of(SUBSCRIPTION, hosts[0])
    hosts[0].clock.forward(minutes=31)
    azure.sets = SETS[2:]
    assert await names(hosts[0]) == ALL[2:]


async def test_a_next_page_that_azure_no_longer_knows_begins_the_listing_again(hosts, azure):
    azure.trouble[2] = Throttled(timedelta(seconds=1))
    with pytest.raises(Throttled):
        await listing.of(SUBSCRIPTION, hosts[0])
    azure.trouble[3] = NotFound("SkipTokenExpired: begin again.")
    hosts[0].clock.forward(minutes=1)
    assert await names(hosts[0]) == ALL
    assert azure.requests == ["0", "2", "2", "0", "2", "4"]


async def test_a_subscription_that_azure_does_not_know_is_not_asked_for_twice(hosts, azure):
    azure.trouble[1] = NotFound("SubscriptionNotFound: it is gone.")
    with pytest.raises(NotFound):
        await listing.of(SUBSCRIPTION, hosts[0])
    assert azure.requests == ["0"]


async def test_a_record_that_cannot_be_read_is_replaced(hosts, azure):
    await hosts[0].records.create(listing_path(SUBSCRIPTION), b"{broken")
    assert await names(hosts[0]) == ALL


async def test_without_a_scale_set_the_listing_is_done_and_empty(hosts, azure):
    azure.sets = []
    azure.scale_sets = empty
    assert await names(hosts[0]) == []
    assert not await listing.under_way(SUBSCRIPTION, hosts[0])


async def empty(start: str = ""):
    yield [], ""
