"""`$return` to a queue: the one output binding this host carries out."""

import base64
import json
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from simulator.host.queues import create


def messages(returned: Any) -> list[bytes]:
    """The messages in a function's return value: a string or bytes is one, a JSON list is several."""
    kind = returned.WhichOneof("data")
    if kind == "string":
        return [returned.string.encode()]
    if kind == "bytes":
        return [returned.bytes]
    if kind == "json":
        said = json.loads(returned.json)
        return [_body(one) for one in (said if isinstance(said, list) else [said])]
    raise TypeError(f"A return value of kind {kind} cannot become a queue message.")


async def send(queue: QueueClient, returned: Any, *, encode: bool) -> None:
    """Send a function's return value; the queue is created when missing, as the real binding does."""
    for body in messages(returned):
        text = base64.b64encode(body).decode() if encode else body.decode()
        try:
            await queue.send_message(text)
        except ResourceNotFoundError:
            await create(queue)
            await queue.send_message(text)


def _body(one: Any) -> bytes:
    if isinstance(one, dict) and set(one) == {"id", "body"}:  # a QueueMessage, as the worker encodes it
        one = one["body"]
    return (one if isinstance(one, str) else json.dumps(one)).encode()
