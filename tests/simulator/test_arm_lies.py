"""The lies over HTTP: what a client of the simulated Azure is told, each by itself."""

import aiohttp
import pytest

from simulator.arm import serve
from simulator.arm.lying import spelled
from simulator.fleet import uniform
from simulator.lies import Liar, Lies
from tests.simulator.support import Stage

API = "api-version=2026-04-01"


class Asked:
    """A server that lies, and what it answers."""

    def __init__(self, **shares):
        self.stage = Stage(uniform("web", 10))
        lies = Lies({name.replace("_", "-"): share for name, share in shares.items()}, 3)
        self.liar = Liar.over(self.stage.fleet, lies)
        self.set = self.stage.fleet.scale_set("web").id

    async def __aenter__(self):
        self.server = await serve(self.stage.fleet, page_size=4, liar=self.liar)
        self.http = aiohttp.ClientSession(headers={"Authorization": f"Bearer {self.server.token}"})
        return self

    async def __aexit__(self, *_):
        await self.http.close()
        await self.server.close()

    async def get(self, path):
        query = f"{'&' if '?' in path else '?'}{API}"
        async with self.http.get(f"{self.server.url}{path}{query}") as answer:
            return answer.status, await answer.json(), answer.headers

    async def start(self, number):
        path = f"{self.set}/virtualMachines/{number}/performMaintenance?{API}"
        async with self.http.post(f"{self.server.url}{path}") as answer:
            return answer.status, await answer.text(), answer.headers


async def test_without_lies_everything_is_as_it_is():
    async with Asked() as at:
        status, body, _ = await at.get(f"{at.set}/virtualMachines?$expand=instanceView")
        assert (status, len(body["value"])) == (200, 4)
        assert "nextLink" in body
        assert all(one["properties"]["instanceView"] for one in body["value"])


async def test_a_listing_comes_without_the_views_that_were_asked_for():
    async with Asked(null_view=1) as at:
        _, body, _ = await at.get(f"{at.set}/virtualMachines?$expand=instanceView")
        assert [one["properties"]["instanceView"] for one in body["value"]] == [None] * 4


async def test_a_listing_ends_after_its_first_page():
    async with Asked(fewer_pages=1) as at:
        _, body, _ = await at.get(f"{at.set}/virtualMachines?$expand=instanceView")
        assert len(body["value"]) == 4
        assert "nextLink" not in body


async def test_a_page_fails_and_the_first_one_does_not():
    async with Asked(failing_page=1, fewer_pages=0.000001) as at:
        status, body, _ = await at.get(f"{at.set}/virtualMachines")
        assert status == 200
        status, body, _ = await at.get(body["nextLink"].removeprefix(at.server.url).replace(API, "a=b"))
        assert status == 503


@pytest.mark.parametrize(("lie", "path"), [("no_set", ""), ("no_instance", "/virtualMachines/3")])
async def test_what_exists_answers_404_once(lie, path):
    async with Asked(**{lie: 1}) as at:
        assert [(await at.get(at.set + path))[0] for _ in range(3)] == [404, 200, 200]


async def test_an_operation_answers_404_once_and_its_address_is_spelled_otherwise():
    async with Asked(no_operation=1, odd_address=1) as at:
        status, _, headers = await at.start(2)
        assert status == 202
        address = headers["Azure-AsyncOperation"]
        path = address.removeprefix(at.server.url).partition("?")[0]
        assert [(await at.get(path))[0] for _ in range(2)] == [404, 200]


def test_an_address_is_the_same_with_its_default_port_and_its_host_in_capitals():
    said = spelled("https://management.azure.com/subscriptions/x?$skiptoken=2")
    assert said == "https://MANAGEMENT.AZURE.COM:443/subscriptions/x?$skiptoken=2"
    assert spelled("http://localhost/x") == "http://LOCALHOST:80/x"


async def test_a_lock_and_a_lost_answer_are_told_to_whoever_starts():
    async with Asked(locked=1) as at:
        status, text, _ = await at.start(1)
        assert status == 409
        assert "ScopeLocked" in text
    async with Asked(lost_answer=1) as at:
        with pytest.raises(aiohttp.ClientError):
            await at.start(1)
        assert at.stage.fleet.instance("web", "1").operation is not None


async def test_429_says_when_to_come_back():
    async with Asked(throttled=1) as at:
        status, _, headers = await at.get(at.set)
        assert status == 429
        assert int(headers["Retry-After"]) >= 1


async def test_resource_graph_shows_an_empty_table():
    for share, rows in ((0, 1), (1, 0)):
        async with Asked(empty_graph=share) as at:
            question = {
                "query": "servicehealthresources",
                "subscriptions": [at.stage.fleet.scale_set("web").subscription],
            }
            address = f"{at.server.url}/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01"
            async with at.http.post(address, json=question) as answer:
                assert answer.status == 200, await answer.text()
                assert len((await answer.json())["data"]) == rows
