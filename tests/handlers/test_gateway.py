"""What every HTTP function does with a body that did not arrive as sent, and with an answer that may be packed."""

import gzip
import json
from datetime import timedelta

import pytest

from handlers import answering
from handlers.wire.http import Request, Response

LARGE = Response(200, "näh " * 1000, "text/csv", {"X-Kept": "1"})


async def answer(request: Request, response: Response = LARGE) -> Response:
    async def stage(_: Request, __: object) -> Response:
        return response

    return await answering.answer(stage, request, None, timedelta(minutes=10))  # type: ignore[arg-type]


@pytest.mark.parametrize("headers", [{}, {"transfer-encoding": "chunked"}])
async def test_a_body_without_its_length_is_411_and_the_sentence_says_what_to_set(headers) -> None:
    found = await answer(Request("POST", headers=headers))
    said = json.loads(found.body)
    assert (found.status, said["status"]) == (411, "rejected")
    assert "Content-Length" in said["reason"]
    assert "Allow chunking" in said["reason"]


async def test_an_empty_body_that_says_so_and_a_question_without_a_body_are_taken() -> None:
    assert (await answer(Request("POST", headers={"content-length": "0"}))).status == 200
    assert (await answer(Request("GET"))).status == 200


@pytest.mark.parametrize(
    ("encoding", "status"), [("gzip", 415), ("br", 415), ("GZIP, identity", 415), ("Identity", 200)]
)
async def test_a_compressed_body_is_415_and_a_plain_one_that_says_so_is_taken(encoding, status) -> None:
    found = await answer(Request("POST", headers={"content-encoding": encoding}, body=b"{}"))
    assert found.status == status
    if status == 415:
        assert encoding in json.loads(found.body)["reason"]


@pytest.mark.parametrize("accepted", ["gzip", "deflate, GZIP;q=0.5", "*", "br, *;q=0.1"])
async def test_a_large_answer_is_packed_for_whoever_takes_gzip(accepted) -> None:
    found = await answer(Request("GET", headers={"accept-encoding": accepted}))
    assert isinstance(found.body, bytes)
    assert gzip.decompress(found.body).decode() == LARGE.body
    assert dict(found.headers) == {"X-Kept": "1", "Vary": "Accept-Encoding", "Content-Encoding": "gzip"}
    assert found.content_type == "text/csv"


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=x"])
async def test_whoever_does_not_take_gzip_gets_it_plain_and_caches_are_told(accepted) -> None:
    found = await answer(Request("GET", headers={"accept-encoding": accepted}))
    assert "Content-Encoding" not in found.headers
    assert found.headers["Vary"] == "Accept-Encoding"
    assert found.body == str(LARGE.body).encode()


async def test_a_small_answer_stays_as_it_is() -> None:
    small = Response(200, "{}")
    assert await answer(Request("GET", headers={"accept-encoding": "gzip"}), small) is small
