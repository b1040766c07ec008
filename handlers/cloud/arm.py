"""Azure Resource Manager for one subscription: bare JSON through the management client's own pipeline.

Reads use the client's credential, retries and tracing but not its models, which cost 0.9 ms of CPU an
instance.
"""

import asyncio
import gc
import importlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.core.rest import AsyncHttpResponse, HttpRequest
from pydantic_core import from_json

from handlers import deadline
from handlers.cloud.endpoint import host_of, on_endpoint
from handlers.cloud.errors import Throttled, Unreachable
from handlers.cloud.patience import PatientExceptWhenThrottled, PlainHttp, environment_settings, in_time
from handlers.cloud.retry_after import RetryAfter
from handlers.cloud.trouble import translated
from handlers.wire.clouds import scope_of
from planner.text.backoff import spread
from planner.text.phrases import long, many

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.compute.aio import ComputeManagementClient

READ_SECONDS, PAGE_SECONDS = 60, 120
"""How long to wait for the next byte of an answer, and of a page of a listing."""

LISTING_WITHIN = timedelta(minutes=6)
"""How long one listing may take, to its last byte.

Instance listings of large scale sets have been seen to take five minutes. Pages are not kept from one message
to the next: half a listing would look like instances that are gone. The function may run long instead: Flex
Consumption sets no upper limit to `functionTimeout` (host.json; Learn, azure-functions/functions-scale), and
every reading ends itself within less than half of it (handlers/deadline.py).
"""

PAGE_TRIES = 3
"""How often a page after the first is requested: starting over at page 1 would read all pages again."""

PAGE_WAIT, LONGEST_PAGE_WAIT = timedelta(seconds=1), timedelta(seconds=15)
"""Between two tries of a page. When Azure asks for more, the whole listing is put off."""


class Arm:
    """One subscription's resources. Raises only handlers.cloud.errors.

    `credential` is called at the first request. After 429 nothing is read from the subscription before
    Retry-After: calls raise Throttled at once. With `quiet`, that includes what any other host was told.
    `policies` see each request before it leaves, and may refuse it.
    """

    def __init__(
        self,
        subscription: str,
        credential: Callable[[], "AsyncTokenCredential"],
        endpoint: str,
        now: Callable[[], datetime],
        quiet: RetryAfter | None = None,
        policies: Sequence[SansIOHTTPPolicy[Any, Any]] = (),
    ) -> None:
        self.subscription = subscription
        self._credential = credential
        self._endpoint = endpoint.rstrip("/")
        self._now = now
        self._scope = scope_of(self._endpoint)
        self._quiet = quiet
        self._policies = policies
        self._quiet_until: datetime | None = None
        self._sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
        self._ticks: Callable[[], float] = time.monotonic
        self._built: ComputeManagementClient | None = None

    async def _client(self) -> "ComputeManagementClient":
        if self._built is None:
            # Imported on first use, because it costs more than the rest of the app together, and in a thread,
            # because an alert may be waiting for its answer.
            await asyncio.to_thread(importlib.import_module, "azure.identity.aio")
            package = await asyncio.to_thread(importlib.import_module, "azure.mgmt.compute.aio")
            if not gc.get_freeze_count():
                # What is imported by now stays: to search it for garbage costs 70 ms in the middle of a wave.
                gc.freeze()
        if self._built is None:
            plain = [PlainHttp()] if self._endpoint.startswith("http://") else []
            self._built = package.ComputeManagementClient(
                self._credential(),
                self.subscription,
                base_url=self._endpoint,
                credential_scopes=[self._scope],
                retry_policy=PatientExceptWhenThrottled(retry_total=2, retry_backoff_factor=0.5),
                per_call_policies=[*self._policies, *plain],
                connection_timeout=10,
                read_timeout=READ_SECONDS,
                **environment_settings(),
            )
        return self._built

    async def ready(self) -> None:
        """Get a token in advance, so that the next request leaves at once. Raises like a read."""
        await self._client()
        async with self._translating():
            await self._credential().get_token(self._scope)

    async def close(self) -> None:
        if self._built is not None:
            await self._built.close()

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        """The list at a path below the endpoint, page by page.

        When a page after the first fails, only that page is requested again. Raises Unreachable after
        LISTING_WITHIN, sooner where the function has less time left.
        """
        async for found, _ in self.pages_from(self._endpoint + path):
            yield found

    async def pages_from(self, address: str) -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
        """The same from the page at this address on, each with the address of the next (empty: the last).

        The address is one on the endpoint, such as an earlier call has given.
        """
        address = self._own(address)
        began, seen = self._ticks(), set[str]()
        within = min(LISTING_WITHIN, deadline.left())
        while address:
            left = min(within - timedelta(seconds=self._ticks() - began), deadline.left())
            so_far = f"not complete after {long(within)}: {many(len(seen), 'page')} read"
            async with in_time(left, f"A listing of Azure was {so_far}."):
                page = await self._page(address, tries=PAGE_TRIES if seen else 1)
            seen.add(address)
            found, following = page.get("value"), page.get("nextLink") or ""
            # Half a listing would look like resources that are gone.
            if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
                raise Unreachable("Azure answered with something that is not a listing.")
            address = self._own(following) if following else ""
            if address in seen:
                raise Unreachable("Azure's next page is one that was read already.")
            yield found, address

    async def _page(self, address: str, *, tries: int) -> dict[str, Any]:
        """A page of a listing, requested up to `tries` times."""
        for failed in range(1, tries):
            try:
                return await self.get(address, read_seconds=PAGE_SECONDS)
            except (Throttled, Unreachable) as error:
                wait = error.retry_after if isinstance(error, Throttled) else PAGE_WAIT * failed
                if wait > LONGEST_PAGE_WAIT:
                    raise
            await self._sleep(spread(wait, address, self._now()).total_seconds())
        return await self.get(address, read_seconds=PAGE_SECONDS)

    async def get(self, address: str, *, read_seconds: int = READ_SECONDS) -> dict[str, Any]:
        """A resource by its path, or a page by its whole address on the endpoint."""
        await self._keep_quiet()
        whole = self._endpoint + address if address.startswith("/") else self._own(address)
        return body(await self._send(HttpRequest("GET", whole), read_seconds))

    def _own(self, address: Any) -> str:
        """The address of a next page, on the endpoint: the token must not be sent anywhere else."""
        if not isinstance(address, str):
            raise Unreachable("Azure sent an invalid address for the next page.")
        own = on_endpoint(address, self._endpoint)
        if own is None:
            raise Unreachable(f"Azure's next page is at another host ({host_of(address)}); not followed.")
        return own

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        """POST a query (Resource Graph) through the same pipeline."""
        await self._keep_quiet()
        return body(await self._send(HttpRequest("POST", self._endpoint + path, json=payload)))

    async def _send(self, request: HttpRequest, read_seconds: int = READ_SECONDS) -> AsyncHttpResponse:
        async with self._translating():
            client = await self._client()
            response = await client.send_request(
                request, read_timeout=read_seconds, raw_response_hook=_left_unparsed
            )
            response.raise_for_status()
        return response

    async def _keep_quiet(self) -> None:
        if self._quiet is not None:
            known = filter(None, (self._quiet_until, await self._quiet.until()))
            self._quiet_until = max(known, default=None)
        if self._quiet_until is not None and self._quiet_until > self._now():
            raise Throttled(self._quiet_until - self._now())

    @asynccontextmanager
    async def _translating(self) -> AsyncIterator[None]:
        """The SDK's errors as ours; after 429 nothing is asked again before Retry-After."""
        try:
            yield
        except AzureError as error:
            trouble = translated(error)
            if isinstance(trouble, Throttled):
                self._quiet_until = self._now() + trouble.retry_after
                if self._quiet is not None:
                    await self._quiet.learned(self._quiet_until)
            raise trouble from error


def _left_unparsed(response: PipelineResponse[Any, Any]) -> None:
    """Keep the pipeline from parsing a listing, which is parsed here: every object would be built twice.

    By now the answer is there as a whole; the pipeline parses none that it takes for a stream.
    """
    if response.http_response.status_code == 200:
        response.context.options["stream"] = True


def body(response: AsyncHttpResponse) -> dict[str, Any]:
    """The answer's JSON object, empty when there is none."""
    content = response.content
    if not content:
        return {}
    try:
        found = from_json(content)
    except ValueError as error:
        raise Unreachable("Azure answered with something that is not JSON.") from error
    return found if isinstance(found, dict) else {}
