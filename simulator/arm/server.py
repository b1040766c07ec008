"""Serves a fleet over HTTP: one port for ARM and for the identity endpoint."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

from aiohttp import web

from simulator.arm import control
from simulator.arm.answers import Refusal, Reply, Request
from simulator.arm.face import Face
from simulator.arm.faults import Fault, Faults
from simulator.arm.identity import Identity
from simulator.arm.routes import Call, match
from simulator.fleet import Fleet
from simulator.lies import Liar

KEPT = 100_000


@dataclass(frozen=True, slots=True)
class Seen:
    """One call as it was answered; `at` is real time, aware UTC; `status` 0 is a dropped connection."""

    at: datetime
    kind: str
    subscription: str
    path: str
    status: int
    method: str


class ArmServer:
    """A running server. `calls` counts calls by kind, each page and each refused call as one."""

    def __init__(
        self, fleet: Fleet, faults: Faults, *, page_size: int, retry_after: int, liar: Liar | None = None
    ) -> None:
        self.fleet = fleet
        self.faults = faults
        self.calls: Counter[str] = Counter()
        self.seen: deque[Seen] = deque(maxlen=KEPT)
        self.identity = Identity()
        self.face = Face(fleet, faults, page_size=page_size, retry_after=retry_after)
        if liar is not None:
            self.face.lied_by(liar)
        self.url = ""
        self._runner: web.AppRunner | None = None

    @property
    def identity_url(self) -> str:
        """IDENTITY_ENDPOINT."""
        return f"{self.url}/msi/token"

    @property
    def identity_header(self) -> str:
        """IDENTITY_HEADER."""
        return self.identity.header

    @property
    def token(self) -> str:
        """A bearer token ARM accepts, for clients without azure-identity."""
        return str(self.identity.token)

    async def open(self, host: str, port: int) -> None:
        app = web.Application(client_max_size=4 * 1024 * 1024)
        app.router.add_get("/msi/token", self._token)
        app.router.add_routes(control.routes(self.fleet, self.calls))
        app.router.add_route("*", "/{tail:.*}", self._arm)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.url = f"http://{host}:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _token(self, request: web.Request) -> web.Response:
        self.calls["token"] += 1
        status, body = self.identity.answer(request.headers.get("X-IDENTITY-HEADER"), dict(request.query))
        return web.json_response(body, status=status)

    async def _arm(self, request: web.Request) -> web.StreamResponse:
        call = match(request.method, request.path)
        kind = call.kind if call is not None else "unknown"
        self.calls[kind] += 1
        slow = self.face.liar.takes(kind).total_seconds() if self.face.liar is not None else 0.0
        if self.faults.latency + slow:
            await asyncio.sleep(self.faults.latency + slow)
        try:
            reply = await self._reply(request, call, self.faults.take(kind))
        except Refusal as refusal:
            reply = refusal.reply
        self._note(kind, call, request, reply)
        if reply.dropped and request.transport is not None:
            request.transport.abort()
        headers = {"x-ms-request-id": str(uuid4()), **reply.headers}
        if kind != "resource graph":
            headers.setdefault("x-ms-ratelimit-remaining-subscription-reads", "249")
        content = "application/json" if reply.body else None
        return web.Response(status=reply.status, body=reply.body, headers=headers, content_type=content)

    async def _reply(self, request: web.Request, call: Call | None, fault: Fault | None) -> Reply:
        if fault is not None:
            return _spoil(fault)
        self.identity.check(request.headers.get("Authorization"))
        if call is None:
            raise Refusal(404, "InvalidResourceType", f"Nothing answers {request.method} {request.path}.")
        body = await request.read() if request.method == "POST" else b""
        base = f"{request.scheme}://{request.host}"
        return self.face.answer(call, Request(call.names, dict(request.query), body, base, request.path))

    def _note(self, kind: str, call: Call | None, request: web.Request, reply: Reply) -> None:
        subscription = call.names.get("subscription", "") if call is not None else ""
        status = 0 if reply.dropped else reply.status
        self.seen.append(Seen(datetime.now(UTC), kind, subscription, request.path, status, request.method))


def _spoil(fault: Fault) -> Reply:
    if fault.what == "drop":
        return Reply(dropped=True)
    if fault.what == "fail":
        raise Refusal(fault.status, "ServiceUnavailable", "The service is temporarily unavailable.")
    after = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    raise Refusal(
        429,
        "TooManyRequests",
        "The request is being throttled as the limit has been reached for this subscription and operation.",
        after,
    )


async def serve(
    fleet: Fleet,
    host: str = "127.0.0.1",
    port: int = 0,
    faults: Faults | None = None,
    *,
    page_size: int = 120,
    retry_after: int = 1,
    liar: Liar | None = None,
) -> ArmServer:
    """Start serving; port 0 takes a free one. page_size: items per page of any list; retry_after: seconds.

    liar: answers wrongly now and then.
    """
    server = ArmServer(fleet, faults or Faults(), page_size=page_size, retry_after=retry_after, liar=liar)
    await server.open(host, port)
    return server
