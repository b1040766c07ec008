"""What the real host does with a request, row by row of docs/platform.md; the local host does the same."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from simulator.host import HostProcess
from simulator.host.web import LARGEST_BODY
from tests.host.probe import KEY, MASTER, Probe, ask

pytestmark = pytest.mark.asyncio(loop_scope="module")
SHOWN = {"x-functions-key": KEY}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory):
    return tmp_path_factory.mktemp("probe")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def probe(storage_of_module: str, folder) -> AsyncIterator[Probe]:
    async with Probe(storage_of_module, folder) as made:
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def host(probe: Probe) -> AsyncIterator[HostProcess]:
    async with probe.host(AzureWebJobsDisableHomepage="") as running:
        yield running


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-functions-key": ""}, {"x-functions-key": "other"}, {"authorization": f"Bearer {KEY}"}],
    ids=["none", "empty", "wrong", "bearer"],
)
async def test_without_the_key_it_is_401_with_nothing_in_it_and_the_app_is_not_reached(
    host, probe, headers
) -> None:
    before = len(probe.records("asked"))
    answer = await ask(host.url, "/api/e/x/y", headers=headers)
    assert (answer.status, answer.body) == (401, b"")
    assert "content-type" not in answer.headers
    assert len(probe.records("asked")) == before


async def test_the_key_comes_as_header_or_as_code_and_the_app_sees_the_code(host) -> None:
    assert (await ask(host.url, "/api/e/x/y", headers=SHOWN)).status == 200
    assert (await ask(host.url, f"/api/e/x/y?code={KEY}")).said["params"] == {"code": KEY}
    wrong = {"x-functions-key": "other"}
    assert (await ask(host.url, f"/api/e/x/y?code={KEY}", headers=wrong)).status == 401, "the header counts"


async def test_a_key_that_the_environment_says_is_the_hosts_and_is_not_told(host) -> None:
    assert host.key == KEY
    assert KEY not in host.log


async def test_what_is_for_the_master_key_is_for_no_other(host) -> None:
    for path, opened in (("/api/adm", 200), ("/admin/host/status", 404), ("/admin/functions/one/keys", 404)):
        for key, status in (("", 401), (KEY, 401), (MASTER, opened)):
            answer = await ask(host.url, path, headers={"x-functions-key": key} if key else {})
            assert (path, answer.status) == (path, status)
    assert (await ask(host.url, "/api/e/x/y", headers={"x-functions-key": MASTER})).status == 200


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_a_method_that_the_route_does_not_name_is_404_key_or_not(host, method) -> None:
    for headers in ({}, SHOWN):
        answer = await ask(host.url, "/api/e/x/y", method=method, headers=headers)
        assert (answer.status, answer.body) == (404, b"")
        assert "content-type" not in answer.headers
        assert "allow" not in answer.headers


async def test_a_route_that_names_no_method_takes_all(host) -> None:
    for method in ("GET", "HEAD", "OPTIONS", "DELETE"):
        assert (await ask(host.url, "/api/big/10", method=method)).status == 200


async def test_literals_ignore_case_values_keep_it_one_slash_at_the_end_is_taken_and_two_in_a_row_never(
    host,
) -> None:
    assert (await ask(host.url, "/API/E/MiXed")).said["route"] == {"a": "MiXed"}
    assert (await ask(host.url, "/api/e/x/")).said["route"] == {"a": "x"}
    for path in ("/api//e/x", "/api/e//x", "/api/e/x//", "//api/e/x", "/api"):
        assert (path, (await ask(host.url, path)).status) == (path, 404)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [("a%20b", "a b"), ("%C3%A4", "ä"), ("a+b", "a+b"), ("a%2Fb", "a%2Fb"), ("a%2fb", "a%2fb")],
)
async def test_values_of_a_route_are_decoded_but_for_plus_and_slash(host, sent, seen) -> None:
    assert (await ask(host.url, f"/api/e/{sent}")).said["route"] == {"a": seen}


async def test_a_zero_byte_in_a_path_is_a_bad_request(host) -> None:
    assert (await ask(host.url, "/api/e/a%00b")).status == 400


async def test_repeated_values_of_a_query_are_joined_and_blank_ones_dropped(host) -> None:
    answer = await ask(host.url, "/api/e/x?a=1&a=2&b=&c=%20z&d=&d=3")
    assert answer.said["params"] == {"a": "1,2", "c": " z", "d": "3"}


async def test_headers_arrive_in_lower_case_and_repeated_ones_joined_also_those_of_easy_auth(host) -> None:
    sent = {"X-Token": "a\r\nX-Token: b", "X-Ms-Client-Principal": "who knows"}
    seen = (await ask(host.url, "/api/e/x", headers=sent)).said["headers"]
    assert seen["x-token"] == "a,b"
    assert seen["x-ms-client-principal"] == "who knows", "only the platform in Azure takes them off"


async def test_a_body_in_chunks_does_not_arrive(host) -> None:
    sent = {**SHOWN, "Transfer-Encoding": "chunked"}
    answer = await ask(host.url, "/api/e/x/y", method="POST", headers=sent, body=b'{"data": 1}')
    assert (answer.said["len"], answer.said["headers"]["transfer-encoding"]) == (0, "chunked")


async def test_a_body_arrives_as_it_came_whatever_its_header_says(host) -> None:
    sent = {**SHOWN, "Content-Encoding": "gzip"}
    answer = await ask(host.url, "/api/e/x/y", method="POST", headers=sent, body=b"plain")
    assert (answer.said["body"], answer.said["headers"]["content-encoding"]) == ("plain", "gzip")


@pytest.mark.parametrize("header", [b"Host: x\r\ntraceparent: \xff\xfe", b"Host: [::1", b"Host: x:99999999"])
async def test_a_header_that_is_none_is_a_bad_request_and_no_failure(host, header: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(host.url.rpartition(":")[2]))
    writer.write(b"GET /api/e/x HTTP/1.1\r\n" + header + b"\r\nConnection: close\r\n\r\n")
    assert b" 400 " in await reader.readline()
    writer.close()


async def test_a_body_over_100_mib_is_500_before_the_app(host, probe) -> None:
    before = len(probe.records("asked"))
    answer = await ask(host.url, "/api/e/x/y", method="POST", headers=SHOWN, length=LARGEST_BODY + 1)
    assert (answer.status, answer.body, LARGEST_BODY) == (500, b"", 100 * 2**20)
    assert len(probe.records("asked")) == before


async def test_an_exception_is_500_with_nothing_in_it(host) -> None:
    answer = await ask(host.url, "/api/boom")
    assert (answer.status, answer.body) == (500, b"")


async def test_status_headers_and_large_bodies_go_out_as_given_and_in_chunks(host) -> None:
    for status in (200, 202, 303, 418, 503):
        answer = await ask(host.url, f"/api/status/{status}")
        assert (answer.status, answer.headers["location"], answer.headers["retry-after"]) == (
            status,
            "/x",
            "7",
        )
    large = await ask(host.url, "/api/big/6000000")
    assert (len(large.body), large.headers["transfer-encoding"]) == (6_000_000, "chunked")
    assert "content-length" not in large.headers


async def test_a_cookie_comes_out_with_an_empty_domain(host) -> None:
    assert (await ask(host.url, "/api/status/200")).headers["set-cookie"] == "a=b; domain=; path=/"


async def test_the_default_page_is_at_the_root(host) -> None:
    answer = await ask(host.url, "/")
    assert (answer.status, b"up and running" in answer.body) == (200, True)
