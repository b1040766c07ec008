"""The simulated Azure without HTTP, below the product's own client: its paging, its patience after 429.

Every call is counted by kind, a page of a listing as one, a refused one as well.
"""

import asyncio
import json
from collections import Counter
from types import SimpleNamespace
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from azure.core.exceptions import HttpResponseError

from benchmarks.rehearsal.buckets import Buckets
from benchmarks.rehearsal.storage import SUBJECT
from handlers.cloud.compute import COMPUTE_API, Compute
from handlers.wiring import Wiring
from simulator.arm.answers import Refusal, Reply, Request
from simulator.arm.face import Face
from simulator.arm.faults import Faults
from simulator.arm.routes import match
from simulator.fleet import Fleet


class Azure:
    """`calls` counts them by kind, `of` by scale set. With `buckets` it answers 429 where one is empty."""

    def __init__(self, fleet: Fleet, buckets: Buckets | None = None) -> None:
        self.calls: Counter[str] = Counter()
        self.turned_away = 0
        self.of: Counter[str] = Counter()
        self._buckets = buckets
        self._face = Face(fleet, Faults())

    def answer(self, method: str, url: str, body: bytes = b"") -> Reply:
        parts = urlsplit(url)
        call = match(method, parts.path)
        assert call is not None, url
        self.calls[call.kind] += 1
        self.of[SUBJECT.get()] += 1
        if self._buckets is not None and (wait := self._buckets.wait(call, parts.path)):
            self.turned_away += 1
            said = {"error": {"code": "TooManyRequests", "message": "The request is being throttled."}}
            return Reply(429, json.dumps(said).encode(), {"Retry-After": str(wait)})
        request = Request(
            call.names, dict(parse_qsl(parts.query)), body, f"{parts.scheme}://{parts.netloc}", parts.path
        )
        try:
            return self._face.answer(call, request)
        except Refusal as refusal:
            return refusal.reply


class Answers(Protocol):
    """This Azure, or the way to it."""

    def answer(self, method: str, url: str, body: bytes = b"") -> Reply: ...


class _Answer:
    """A response as the SDK hands it over."""

    reason = ""

    def __init__(self, url: str, reply: Reply) -> None:
        self.request = SimpleNamespace(url=url)
        self.url, self.status_code, self.headers = url, reply.status, reply.headers
        self.content = reply.body

    def text(self, encoding: str | None = None) -> str:
        return self.content.decode(encoding or "utf-8")

    def body(self) -> bytes:
        return self.content

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise HttpResponseError(message=self.text(), response=self)


class _Operations:
    """The operations of the SDK that change something."""

    def __init__(self, azure: Answers, subscription: str) -> None:
        self._azure, self._root = azure, f"https://management.azure.com/subscriptions/{subscription}"

    async def begin_perform_maintenance(
        self, group: str, name: str, instance: str = "", *, raw_response_hook: Any, **_: Any
    ) -> None:
        """Of an instance of a Uniform scale set, or of a virtual machine where none is named."""
        kind = "virtualMachineScaleSets" if instance else "virtualMachines"
        below = f"/virtualMachines/{instance}" if instance else ""
        answer = await self._post(f"{self._path(group, kind, name)}{below}/performMaintenance")
        raw_response_hook(SimpleNamespace(http_response=answer))

    async def begin_set_orchestration_service_state(
        self, group: str, name: str, asked: Any, **_: Any
    ) -> None:
        path = self._path(group, "virtualMachineScaleSets", name)
        await self._post(f"{path}/setOrchestrationServiceState", json.dumps(asked).encode())

    def _path(self, group: str, kind: str, name: str) -> str:
        return f"{self._root}/resourceGroups/{group}/providers/Microsoft.Compute/{kind}/{name}"

    async def _post(self, path: str, body: bytes = b"") -> _Answer:
        await asyncio.sleep(0)
        url = f"{path}?api-version={COMPUTE_API}"
        answer = _Answer(url, self._azure.answer("POST", url, body))
        answer.raise_for_status()
        return answer


class _Sdk:
    """As much of the management client as the product uses."""

    def __init__(self, azure: Answers, subscription: str) -> None:
        self._azure = azure
        operations = _Operations(azure, subscription)
        self.virtual_machines = self.virtual_machine_scale_set_vms = operations
        self.virtual_machine_scale_sets = operations

    async def send_request(self, request: Any, **_: Any) -> _Answer:
        await asyncio.sleep(0)
        body = request.content or b""
        raw = body.encode() if isinstance(body, str) else body
        return _Answer(request.url, self._azure.answer(request.method, request.url, raw))


class _Credential:
    async def get_token(self, *_: str, **__: Any) -> None:
        await asyncio.sleep(0)


class Client(Compute):
    """The product's client of one subscription, with this Azure in the place of the SDK's pipeline."""

    def __init__(self, azure: Answers, subscription: str, wiring: Wiring) -> None:
        super().__init__(
            subscription,
            _Credential,  # type: ignore[arg-type]
            wiring.settings.management,
            wiring.now,
            wiring.retry_after(subscription),
        )
        self._sdk = _Sdk(azure, subscription)

    async def _client(self) -> Any:
        return self._sdk
