"""Azure's own addresses are followed however they are spelled; addresses of other hosts never are."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud import arm
from handlers.cloud.endpoint import on_endpoint
from handlers.cloud.errors import Throttled, Unreachable
from tests.handlers.canned import AZURE, FIRST, Canned, second
from tests.handlers.parts import NOW, SUBSCRIPTION, scale_set


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        (f"{AZURE}/x?$skiptoken=bWFkZS11cA==", AZURE),
        (f"{AZURE}:443/x?$skiptoken=bWFkZS11cA==", AZURE),
        ("https://Management.AZURE.com:443/x?$skiptoken=bWFkZS11cA==", AZURE),
        ("HTTPS://management.azure.com/x?$skiptoken=bWFkZS11cA==", AZURE),
        (f"{AZURE}/x?$skiptoken=bWFkZS11cA==", f"{AZURE}:443"),
        ("http://127.0.0.1/x?$skiptoken=bWFkZS11cA==", "http://127.0.0.1:80"),
        ("http://127.0.0.1:80/x?$skiptoken=bWFkZS11cA==", "http://127.0.0.1"),
        ("http://127.0.0.1:7400/x?$skiptoken=bWFkZS11cA==", "http://127.0.0.1:7400"),
        ("http://[::1]:7400/x?$skiptoken=bWFkZS11cA==", "http://[::1]:7400"),
    ],
)
def test_the_same_scheme_host_and_effective_port_is_the_same_endpoint(address: str, endpoint: str) -> None:
    assert on_endpoint(address, endpoint) == f"{endpoint}/x?$skiptoken=bWFkZS11cA=="


@pytest.mark.parametrize(
    "address",
    [
        "https://management.azure.com.evil.org/x",
        "https://management.azure.com:443.evil.org/x",
        "https://management.azure.com:443@evil.org/x",
        "https://management.azure.com@evil.org/x",
        "https://somebody@management.azure.com/x",
        "https://@management.azure.com/x",
        "https://management.azure.com\\@evil.org/x",
        "https://management.azure.com\\.evil.org/x",
        "https://evil.org/management.azure.com/x",
        "https://evil.org#@management.azure.com/x",
        "https://management.azure.com:8443/x",
        "https://management.azure.com:80/x",
        "https://management.azure.com:0/x",
        "https://management.azure.com:https/x",
        "http://management.azure.com/x",
        "http://management.azure.com:443/x",
        "ftp://management.azure.com/x",
        "https://management.azure.com",
        "https://management.azure.com?x",
        "https:///x",
        "//management.azure.com/x",
        "/x",
        "https://[::1/x",
        "",
    ],
)
def test_another_host_port_or_scheme_is_not(address: str) -> None:
    assert on_endpoint(address, AZURE) is None


def test_a_path_of_the_endpoint_itself_is_part_of_it() -> None:
    assert on_endpoint("https://proxy:443/azure/x", "https://proxy/azure") == "https://proxy/azure/x"
    assert on_endpoint("https://proxy/other/x", "https://proxy/azure") is None


async def test_a_listing_whose_next_page_names_the_default_port_is_read_to_its_end() -> None:
    compute = Canned(FIRST, second())
    instances = await compute.instances(scale_set("web"))
    assert [instance.id for instance in instances] == ["0", "1"]
    assert compute.asked[1] == FIRST["nextLink"].replace(":443", "")


async def test_an_operation_whose_address_names_the_default_port_is_read() -> None:
    compute = Canned({"status": "InProgress"})
    path = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/x/operations/y"
    seen = await compute.operation(f"https://MANAGEMENT.azure.com:443{path}?monitor=true")
    assert seen.status == "InProgress"
    assert compute.asked == [f"{AZURE}{path}?monitor=true"]


@pytest.mark.parametrize("host", ["management.azure.com.evil.org", "management.azure.com:443@evil.org"])
async def test_neither_a_page_nor_an_operation_of_another_host_is_requested(host: str) -> None:
    compute = Canned({**FIRST, "nextLink": f"https://{host}/x"})
    with pytest.raises(Unreachable, match=r"is at another host .*evil\.org.*; not followed"):
        await compute.instances(scale_set("web"))
    assert len(compute.asked) == 1
    assert (await compute.operation(f"https://{host}/x")).status == "Unknown"
    assert len(compute.asked) == 1


@pytest.mark.parametrize("trouble", [Unreachable("Azure answered 503."), Throttled(timedelta(seconds=4))])
async def test_a_page_that_fails_in_the_middle_is_requested_again_and_not_the_pages_before(trouble) -> None:
    compute = Canned(FIRST, trouble, trouble, second())
    assert len(await compute.instances(scale_set("web"))) == 2
    assert len(set(compute.asked)) == 2
    assert len(compute.asked) == 4
    assert 2 <= sum(compute.slept) <= 10


async def test_a_page_is_given_up_after_a_few_tries_and_at_once_when_azure_wants_a_long_wait() -> None:
    compute = Canned(FIRST, *[Unreachable("Azure answered 503.")] * 9)
    with pytest.raises(Unreachable):
        await compute.instances(scale_set("web"))
    assert len(compute.asked) == 4
    compute = Canned(FIRST, Throttled(timedelta(minutes=1)), second())
    with pytest.raises(Throttled):
        await compute.instances(scale_set("web"))
    assert (len(compute.asked), compute.slept) == (2, [])


async def test_the_first_page_is_requested_once() -> None:
    compute = Canned(Unreachable("Azure answered 503."), FIRST)
    with pytest.raises(Unreachable):
        await compute.instances(scale_set("web"))
    assert len(compute.asked) == 1


@pytest.mark.parametrize("seconds", [40, 300])
async def test_a_listing_of_forty_seconds_or_five_minutes_is_read_to_its_end(seconds: int) -> None:
    compute = Canned(*many_pages(29), second())
    compute.took = timedelta(seconds=seconds) / 30
    assert len(await compute.instances(scale_set("web"))) == 30


async def test_a_listing_without_end_is_given_up_well_before_the_function_is() -> None:
    compute = Canned(*many_pages(99), second())
    compute.took = timedelta(seconds=13)
    with pytest.raises(Unreachable, match="not complete after 6 minutes: 28 pages read"):
        await compute.instances(scale_set("web"))
    assert compute.clock.at - NOW < timedelta(minutes=7)


@pytest.mark.parametrize("before", [0, 1])
async def test_a_page_that_never_ends_is_given_up_when_the_listings_time_is_over(
    before: int, monkeypatch
) -> None:
    monkeypatch.setattr(arm, "LISTING_WITHIN", timedelta(milliseconds=50))
    compute = Canned(*many_pages(before))
    honest = compute._send

    async def hangs(request: Any, read_seconds: int) -> Any:
        if not compute.answers:
            await asyncio.Event().wait()
        return await honest(request, read_seconds)

    compute._send = hangs  # type: ignore[method-assign]
    with pytest.raises(Unreachable, match=f"{before} pages? read"):
        await asyncio.wait_for(compute.instances(scale_set("web")), 5)


async def test_a_page_of_a_listing_is_waited_for_longer_than_any_other_answer() -> None:
    compute = Canned(FIRST, second(), {})
    await compute.instances(scale_set("web"))
    await compute.get("/subscriptions")
    assert compute.patience == [120, 120, 60]


def many_pages(number: int) -> list[dict[str, Any]]:
    return [{**second(), "nextLink": f"{AZURE}/page{page}"} for page in range(number)]
