"""The HTTP trigger: a web server in front of the functions that answers and refuses as Azure's host does."""

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web
from yarl import URL

from simulator.host.conversation import FunctionError
from simulator.host.keys import MASTER, Keys, lets_in
from simulator.host.metadata import Function
from simulator.host.responses import response
from simulator.host.routes import Route
from simulator.host.triggers import HttpCall, Trigger, joined

log = logging.getLogger(__name__)

LARGEST_BODY = 100 * 1024 * 1024  # bytes; the real host's limit, the app has its own
BACKLOG = 512  # connections that wait to be taken, as with Kestrel
TIMEOUT = 230.0  # seconds; Azure's load balancer waits no longer for an answer
NO_HOME_PAGE = "AzureWebJobsDisableHomepage"
HOME_PAGE = "<!DOCTYPE html><title>Your Functions 4.0 app is up and running</title>"
Invoke = Callable[[Function, Trigger], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    route: Route
    function: Function


class WebFront:
    """Serves the HTTP functions on 127.0.0.1."""

    def __init__(self, functions: Iterable[Function], prefix: str, keys: Keys, invoke: Invoke) -> None:
        """Functions come in the order in which they are asked; `prefix` is host.json's routePrefix."""
        self._keys = keys
        self._invoke = invoke
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
        path = request.raw_path.partition("?")[0]
        try:
            url = _address(request, path)
        except ValueError:
            return web.Response(status=400)
        headers = joined(request.headers.items())
        caller = self._keys.caller({name.lower(): value for name, value in headers.items()}, request.query)
        if path == "/":
            return _home_page()
        if path.lower().startswith("/admin/"):
            return web.Response(status=404 if caller == MASTER else 401)
        found = self._find(request.method, path)
        if found is None:
            return web.Response(status=404)
        function, params = found
        if not lets_in(function, caller):
            return web.Response(status=401)
        if (request.content_length or 0) > LARGEST_BODY:
            return web.Response(status=500)
        call = HttpCall(
            method=request.method,
            url=url,
            headers=headers,
            params=params,
            query=tuple(request.query.items()),
            # A body that does not say its length is not read: the function gets an empty one.
            body=await request.read() if request.content_length else b"",
            caller=caller,
        )
        return await self._called(function, call, request.path)

    async def _called(self, function: Function, call: HttpCall, path: str) -> web.Response:
        try:
            async with asyncio.timeout(TIMEOUT):
                returned = await self._invoke(function, call)
        except FunctionError as failed:
            log.error(  # noqa: TRY400 - the trace that matters is the worker's
                "%s failed on %s %s: %s\n%s", function.name, call.method, path, failed, failed.trace
            )
            return web.Response(status=500)
        except TimeoutError:
            log.exception("%s did not answer %s in time.", function.name, path)
            return web.Response(status=504)
        return response(returned)


def _home_page() -> web.Response:
    if os.environ.get(NO_HOME_PAGE, "").lower() == "true":
        return web.Response(status=204)
    return web.Response(text=HOME_PAGE, content_type="text/html")


def _address(request: web.Request, path: str) -> str:
    """What was asked for; ValueError for what Kestrel answers itself, with 400.

    That is a host that is none, a header that is not UTF-8, a zero byte in the path.
    """
    if "%00" in path:
        raise ValueError(path)
    for value in request.headers.values():
        value.encode()
    if hdrs.HOST not in request.headers:
        raise ValueError("no host")
    return str(URL(f"http://{request.host}{request.raw_path}", encoded=True))
