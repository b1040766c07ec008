"""Azure Resource Manager for one subscription: bare JSON through the management client's own pipeline.

Reads get the client's credential, retries and tracing and skip its models, which cost 0.9 ms of CPU an
instance.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError
from azure.core.rest import AsyncHttpResponse, HttpRequest
from pydantic_core import from_json

from handlers.cloud.errors import AzureTrouble, Throttled, Unreachable
from handlers.cloud.patience import PatientExceptWhenThrottled, PlainHttp
from handlers.cloud.transport import environment_settings
from handlers.cloud.trouble import translated

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential
    from azure.mgmt.compute.aio import ComputeManagementClient

READ_SECONDS = 60
PUBLIC = "https://management.azure.com"


class Arm:
    """One subscription's resources. Raises only handlers.cloud.errors.

    `credential` is asked for at the first call. After 429 nothing is read from the subscription before
    Retry-After: calls raise Throttled at once.
    """

    def __init__(
        self,
        subscription: str,
        credential: Callable[[], "AsyncTokenCredential"],
        endpoint: str,
        now: Callable[[], datetime],
    ) -> None:
        self.subscription = subscription
        self._credential = credential
        self._endpoint = endpoint.rstrip("/")
        self._now = now
        # Tokens are for the cloud the endpoint belongs to; a local stand-in takes those of public Azure.
        cloud = self._endpoint if self._endpoint.startswith("https://") else PUBLIC
        self._scope = f"{cloud}/.default"
        self._quiet_until: datetime | None = None
        self._built: ComputeManagementClient | None = None

    async def _client(self) -> "ComputeManagementClient":
        if self._built is None:
            # Imported on first use, because it costs more than the rest of the app together, and in a thread,
            # because an alert may be waiting for its answer meanwhile.
            await asyncio.to_thread(importlib.import_module, "azure.identity.aio")
            package = await asyncio.to_thread(importlib.import_module, "azure.mgmt.compute.aio")
        if self._built is None:
            self._built = package.ComputeManagementClient(
                self._credential(),
                self.subscription,
                base_url=self._endpoint,
                credential_scopes=[self._scope],
                retry_policy=PatientExceptWhenThrottled(retry_total=2, retry_backoff_factor=0.5),
                per_call_policies=[PlainHttp()] if self._endpoint.startswith("http://") else [],
                connection_timeout=10,
                read_timeout=READ_SECONDS,
                **environment_settings(),
            )
        return self._built

    async def ready(self) -> None:
        """Have a token at hand, so that what is sent next leaves at once. Raises like a read."""
        await self._client()
        try:
            await self._credential().get_token(self._scope)
        except AzureError as error:
            raise self._translated(error) from error

    async def close(self) -> None:
        if self._built is not None:
            await self._built.close()

    async def pages(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        """The list at a path below the endpoint, page by page."""
        address = self._endpoint + path
        seen: set[str] = set()
        while address:
            seen.add(address)
            page = await self.get(address)
            found, address = page.get("value"), page.get("nextLink") or ""
            # Half a listing would look like resources that are gone.
            if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
                raise Unreachable("Azure answered something that is no listing.")
            if not isinstance(address, str) or address in seen:
                raise Unreachable("Azure's next page is none, or one that was read already.")
            yield found

    async def get(self, address: str) -> dict[str, Any]:
        """A resource by its path, or a page by its whole address on the endpoint."""
        self._keep_quiet()
        if address.startswith("/"):
            address = self._endpoint + address
        elif not address.startswith(self._endpoint + "/"):
            raise Unreachable(
                f"Azure's next page is at another host ({urlsplit(address).netloc}); not followed."
            )
        return body(await self._send(HttpRequest("GET", address)))

    async def post_json(self, path: str, payload: dict[str, Any]) -> dict[str, Any]:
        """POST a query (Resource Graph) through the same pipeline."""
        self._keep_quiet()
        return body(await self._send(HttpRequest("POST", self._endpoint + path, json=payload)))

    async def _send(self, request: HttpRequest) -> AsyncHttpResponse:
        try:
            response = await (await self._client()).send_request(request)
            response.raise_for_status()
        except AzureError as error:
            raise self._translated(error) from error
        return response

    def _keep_quiet(self) -> None:
        if self._quiet_until is not None:
            left = self._quiet_until - self._now()
            if left > timedelta(0):
                raise Throttled(left)
            self._quiet_until = None

    def _translated(self, error: AzureError) -> AzureTrouble:
        trouble = translated(error)
        if isinstance(trouble, Throttled):
            self._quiet_until = self._now() + trouble.retry_after
        return trouble


def body(response: AsyncHttpResponse) -> dict[str, Any]:
    """The answer's JSON object, empty when there is none."""
    content = response.content
    if not content:
        return {}
    try:
        found = from_json(content)
    except ValueError as error:
        raise Unreachable("Azure answered something that is not JSON.") from error
    return found if isinstance(found, dict) else {}
