"""One process that takes alerts, for `benchmarks.burst`: `python -m benchmarks.serving app|bare`.

`app`: the HTTP functions of the app under the local host, as Flex Consumption runs them in instances of their
own, apart from the queues. `bare`: the same web server, in which a request is one blob written if there is none
yet and one message sent, by the same SDK, the same options and the same amount of bytes. The first line
printed is the address; it serves until standard input closes.
"""

import asyncio
import hashlib
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from aiohttp import web

ROOT = Path(__file__).resolve().parent.parent
CONTAINER, QUEUE = "bare", "bare"
METADATA = {
    "v": "1",
    "kind": "announcement",
    "received": "2026-11-23T08:00:00+00:00",
    "tracking_id": "VM8T-1Q8",
    "subscription": "11111111-2222-3333-4444-555555555555",
    "found_by_search": "false",
}


async def app() -> None:
    """Serve the app's HTTP functions."""
    from simulator.host.keys import Keys
    from simulator.host.web import WebFront
    from simulator.host.worker import invoke, load_app

    functions = await load_app(ROOT)
    triggered = [one for one in functions.values() if one.trigger.type == "httpTrigger"]
    front = WebFront(triggered, "api", Keys(), invoke)
    await _serve(await front.start(socket.create_server(("127.0.0.1", 0))))
    await front.stop()
    import function_app

    await function_app.wiring().close()


async def bare() -> None:
    """Serve one blob and one message a request."""
    from azure.core.exceptions import ResourceExistsError
    from azure.storage.blob import ContentSettings
    from azure.storage.blob.aio import ContainerClient
    from azure.storage.queue import TextBase64EncodePolicy
    from azure.storage.queue.aio import QueueClient

    from handlers.cloud.storage import PATIENCE
    from simulator.host.web import BACKLOG

    connection = os.environ["STORAGE"]
    container = ContainerClient.from_connection_string(connection, container_name=CONTAINER, **PATIENCE)
    queue = QueueClient.from_connection_string(
        connection, QUEUE, message_encode_policy=TextBase64EncodePolicy(), **PATIENCE
    )
    for create in (container.create_container, queue.create_queue):
        with suppress(ResourceExistsError):
            await create()

    async def answer(request: web.Request) -> web.Response:
        body = await request.read()
        name = hashlib.sha256(body).hexdigest()
        await container.get_blob_client(f"alerts/{name}.json").upload_blob(
            body,
            length=len(body),
            overwrite=False,
            metadata=dict(METADATA),
            content_settings=ContentSettings(content_type="application/json"),
        )
        await queue.send_message(f'{{"v":1,"traceparent":"","lives":0,"alert":"{name}"}}' + " " * 120)
        return web.json_response({"status": "accepted"}, status=202)

    server = web.Application()
    server.router.add_post("/api/alerts", answer)
    runner = web.AppRunner(server, access_log=None)
    await runner.setup()
    listening = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listening, backlog=BACKLOG).start()
    await _serve(f"http://127.0.0.1:{listening.getsockname()[1]}")
    await runner.cleanup()
    await container.close()
    await queue.close()


async def _serve(address: str) -> None:
    print(address, flush=True)
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run({"app": app, "bare": bare}[sys.argv[1]]())
