"""From a request to its stage: answered in time, or 503 with a sentence, whatever the stage waits for."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from handlers import deadline, gateway
from handlers.log import logger
from handlers.wire.http import Request, Response, json_response
from handlers.wiring import Wiring
from handlers.words.answers import TOOK_TOO_LONG

log = logger(__name__)

LONGEST = timedelta(seconds=400)
"""Azure's load balancer hangs up after 230 s, whatever a function is allowed: half of this is before that."""


async def answer(
    stage: Callable[[Request, Wiring], Awaitable[Response]],
    request: Request,
    wiring: Wiring,
    allowed: timedelta,
) -> Response:
    """The stage's answer, packed where that is taken; 411 or 415 for a body that it would misread.

    `allowed` is the host's functionTimeout.
    """
    refused = gateway.refused(request)
    if refused is not None:
        return refused
    try:
        async with deadline.within(min(allowed, LONGEST)):
            return await gateway.packed(request, await stage(request, wiring))
    except deadline.OutOfTime as error:
        log.warning("request.out_of_time", extra={"method": request.method, "why": str(error)})
        return json_response(503, {"status": "refused", "reason": TOOK_TOO_LONG}, {"Retry-After": "30"})
