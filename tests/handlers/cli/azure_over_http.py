"""A simulated Azure that a command reaches by HTTP as it reaches Azure, and nothing may write to."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import contextmanager

from simulator.arm import ArmServer, serve
from simulator.fleet import Fleet

QUERY = "/providers/microsoft.resourcegraph/resources"


class Azure:
    """A running server in a thread of its own: commands run their own loop."""

    def __init__(self, server: ArmServer) -> None:
        self.server = server

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BREAKWATER_ARM_ENDPOINT": self.server.url,
            "IDENTITY_ENDPOINT": self.server.identity_url,
            "IDENTITY_HEADER": self.server.identity_header,
        }

    def writes(self) -> list[str]:
        """The calls that were no reads."""
        return [
            f"{call.method} {call.path}"
            for call in self.server.seen
            if call.method not in {"GET", "HEAD"}
            and not (call.method == "POST" and call.path.lower() == QUERY)
        ]


@contextmanager
def running(fleet: Fleet, **settings):
    """The fleet's Azure; it is an error if anything wrote to it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def wait[Thing](made: Callable[[], Thing]) -> Thing:
        future: Future = asyncio.run_coroutine_threadsafe(made(), loop)
        return future.result(timeout=30)

    server = wait(lambda: serve(fleet, **settings))
    azure = Azure(server)
    try:
        yield azure
    finally:
        wait(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
    assert azure.writes() == []
