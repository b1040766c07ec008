"""The HTTP trigger: a web server in front of the functions, checking no keys, like `func start`."""

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from aiohttp import web
from yarl import URL

from simulator.host.metadata import Function
from simulator.host.routes import Route
from simulator.host.triggers import HttpCall
from simulator.host.worker import FunctionError, invoke

log = logging.getLogger(__name__)

LARGEST_BODY = 100 * 1024 * 1024  # bytes; the real host's limit, the app has its own
BACKLOG = 512  # connections that wait to be taken, as with Kestrel
TIMEOUT = 230.0  # seconds; Azure's load balancer waits no longer for an answer


@dataclass(frozen=True, slots=True)
class _Endpoint:
    route: Route
    function: Function


class WebFront:
    """Serves the HTTP functions on 127.0.0.1."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        """Functions come in the order in which they are asked; `prefix` is host.json's routePrefix."""
        self._prefix = f"/{prefix}/" if prefix else "/"
        self._endpoints = [
            _Endpoint(
                Route.of(one.trigger.setting("route", one.name), one.trigger.setting("methods", ())), one
            )
            for one in functions
        ]
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # Functions get a body as it came, also one that calls itself compressed.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=3.0, auto_decompress=False)

    async def start(self, listening: socket.socket) -> str:
        """Answer what arrives at this socket; its address."""
        await self._runner.setup()
        await web.SockSite(self._runner, listening, backlog=BACKLOG).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Close the port, give open requests three seconds."""
        await self._runner.cleanup()

    def _find(self, method: str, path: str) -> tuple[Function, Mapping[str, str]] | None:
        if not path.lower().startswith(self._prefix.lower()):
            return None
        rest = path[len(self._prefix) :]
        for endpoint in self._endpoints:
            if (params := endpoint.route.match(method, rest)) is not None:
                return endpoint.function, params
        return None

    async def _answer(self, request: web.Request) -> web.Response:
        found = self._find(request.method, request.raw_path.partition("?")[0])
        if found is None:
            return web.Response(status=404)
        function, params = found
        try:
            url = _address(request)
        except ValueError:
            return web.Response(status=400)
        call = HttpCall(
            method=request.method,
            url=url,
            headers=_joined((name.lower(), value) for name, value in request.headers.items()),
            params=params,
            query=_joined(request.query.items()),
            body=await request.read(),
        )
        try:
            async with asyncio.timeout(TIMEOUT):
                returned = await invoke(function, call, traceparent=request.headers.get("traceparent", ""))
        except FunctionError as failed:
            log.error(  # noqa: TRY400 - the trace that matters is the worker's
                "%s failed on %s %s: %s\n%s", function.name, call.method, request.path, failed, failed.trace
            )
            return web.Response(status=500)
        except TimeoutError:
            log.exception("%s did not answer %s in time.", function.name, request.path)
            return web.Response(status=504)
        if returned is None:
            return web.Response(status=204)
        if returned.WhichOneof("data") == "string":
            return web.Response(text=returned.string)
        http = returned.http
        answer = web.Response(status=int(http.status_code), body=http.body.bytes)
        for name, value in http.headers.items():
            answer.headers[name] = value
        for cookie in http.cookies:
            answer.set_cookie(cookie.name, cookie.value)
        return answer


def _address(request: web.Request) -> str:
    """What was asked for; ValueError for a host that is none or a header that is not UTF-8.

    Kestrel answers both itself, with 400.
    """
    for value in request.headers.values():
        value.encode()
    return str(URL(f"http://{request.host}{request.raw_path}", encoded=True))


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Repeated names become one, their values joined by commas, as on the worker's wire."""
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined
