"""What holds for every HTTP function: a body that did not arrive as sent is refused, an answer may be packed.

The Functions host drops a body without Content-Length and hands over a compressed one as it is
(docs/platform.md).
"""

import asyncio
import gzip

from handlers.log import logger
from handlers.wire.http import Request, Response, json_response
from handlers.words import answers as words

log = logger(__name__)

WORTH_PACKING = 2_000
"""Bytes below which packing saves nobody anything."""

BESIDE_THE_LOOP = 100_000
"""Bytes from which packing takes long enough for others to wait."""


def refused(request: Request) -> Response | None:
    """Why a body cannot be taken as it came, with what to set at the sender; None where it can."""
    if request.method != "POST":
        return None
    if not request.body and "content-length" not in request.headers:
        return _refused(411, words.NO_LENGTH)
    encoding = request.headers.get("content-encoding", "").strip()
    if encoding.lower() not in {"", "identity"}:
        return _refused(415, words.compressed(encoding[:40]))
    return None


def _refused(code: int, reason: str) -> Response:
    log.warning("http.refused", extra={"why": reason})
    return json_response(code, {"status": "rejected", "reason": reason})


async def packed(request: Request, response: Response) -> Response:
    """The answer as gzip where the caller takes that and it is worth it (RFC 9110, 12.5.3)."""
    body = response.body.encode() if isinstance(response.body, str) else response.body
    if len(body) < WORTH_PACKING:
        return response
    headers = {**response.headers, "Vary": "Accept-Encoding"}
    if not takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(response.status, body, response.content_type, headers)
    beside = len(body) >= BESIDE_THE_LOOP
    small = await asyncio.to_thread(_packed, body) if beside else _packed(body)
    return Response(response.status, small, response.content_type, {**headers, "Content-Encoding": "gzip"})


def _packed(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=6, mtime=0)


def takes_gzip(accepted: str) -> bool:
    """Whether `Accept-Encoding` takes gzip: by its name, else by `*`; a weight of 0 says no."""
    weights: dict[str, float] = {}
    for each in accepted.lower().split(","):
        name, _, parameters = each.strip().partition(";")
        weights[name.strip()] = _weight(parameters)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weight(parameters: str) -> float:
    key, _, value = parameters.strip().partition("=")
    if key.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
