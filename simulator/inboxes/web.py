"""The HTTP side of an inbox: an aiohttp server on a free port."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable

from aiohttp import web

from simulator.inboxes.base import Inbox


class WebInbox[M](Inbox[M], ABC):
    """An inbox that receives over HTTP."""

    @abstractmethod
    def _routes(self) -> list[tuple[str, str, Callable[[web.Request], Awaitable[web.Response]]]]:
        """Method, path and handler of each address."""

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        app = web.Application(client_max_size=16 * 1024 * 1024)
        for method, path, handler in self._routes():
            app.router.add_route(method, path, handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()

    async def close(self) -> None:
        """Stop listening; the messages stay."""
        await self._runner.cleanup()

    @property
    def _origin(self) -> str:
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"
