"""How the Azure clients reach the network, and how long they wait: their retries, and Retry-After."""

import asyncio
import urllib.request
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from azure.core.exceptions import HttpResponseError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import AsyncRetryPolicy, SansIOHTTPPolicy

from handlers.cloud.errors import Unreachable

THROTTLED_FOR = timedelta(seconds=60)
"""Microsoft.Compute: throttling clears within a minute."""

LONGEST_SLEEP = timedelta(seconds=10)


def environment_settings() -> dict[str, Any]:
    """Options for every Azure client: the environment's proxies are used when there are any.

    When there are none, looking for them (and for ~/.netrc) at each request would cost a tenth of the CPU of
    a wave's planning.
    """
    return {"use_env_settings": bool(urllib.request.getproxies())}


@asynccontextmanager
async def in_time(limit: timedelta, why: str) -> AsyncIterator[None]:
    """End what takes longer than `limit`. Raises Unreachable with `why`, a sentence."""
    if limit <= timedelta(0):
        raise Unreachable(why)
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError:
        raise Unreachable(why) from None


class PatientExceptWhenThrottled(AsyncRetryPolicy[Any, Any]):
    """The client's own retries, but none after 429: then nothing is sent to the subscription.

    None either when Azure asks for a long wait: a poll that slept through it would outlive its function.
    """

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        if response.http_response.status_code == 429:
            return False
        asked = response.http_response.headers.get("Retry-After")
        if asked and _seconds(asked) > LONGEST_SLEEP:
            return False
        return super().is_retry(settings, response)


class PlainHttp(SansIOHTTPPolicy[Any, Any]):
    """Lets a bearer token travel over plain http; added for loopback endpoints only."""

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.context.options.setdefault("enforce_https", False)


def retry_after(error: HttpResponseError) -> timedelta:
    """What a 429 asks for, at least a second and at most a day."""
    headers: Mapping[str, str] = getattr(error.response, "headers", {})
    asked = _seconds(headers.get("Retry-After", ""))
    return min(max(asked, timedelta(seconds=1)), timedelta(days=1))


def _seconds(asked: str) -> timedelta:
    """A Retry-After in seconds, THROTTLED_FOR without one; ARM sends no dates."""
    try:
        return timedelta(seconds=float(asked))
    except (ValueError, OverflowError):
        return THROTTLED_FOR
