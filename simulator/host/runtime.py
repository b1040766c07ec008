"""The real Python worker runtime: answers the host's messages as the worker in Azure does.

What indexes here indexes in Azure, and arguments and return values go through the worker's own conversion. The
runtime keeps its state in module globals, so a process can hold one app.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import azure_functions_runtime

from simulator.host.protocol import protocol

runtime: Any = azure_functions_runtime  # untyped
_ANSWERS = {
    "worker_init_request": "worker_init_response",
    "functions_metadata_request": "function_metadata_response",
    "function_load_request": "function_load_response",
    "invocation_request": "invocation_response",
}


@dataclass(frozen=True, slots=True)
class _Request:
    """The shape the runtime's coroutines expect: a message and the worker's surroundings."""

    request: Any
    properties: Mapping[str, Any]


async def answer(message: Any) -> Any:
    """The StreamingMessage that answers one of the host's."""
    asked = message.WhichOneof("content")
    if asked == "invocation_request":  # what is logged from here on belongs to it
        runtime.invocation_id_cv.set(message.invocation_request.invocation_id)
    said = await getattr(runtime, asked)(_Request(message, {"protos": protocol(), "host": "127.0.0.1"}))
    return protocol().StreamingMessage(**{_ANSWERS[asked]: said})


def invocation_now() -> str:
    """The id of the invocation that this code runs in, empty outside of any."""
    return runtime.invocation_id_cv.get() or ""
