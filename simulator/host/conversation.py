"""What the host says to the worker, message by message as the real host says it, and what it makes of the answers.

The measure is the recorded conversation in `tests/host/wire/`.
"""

import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from simulator.host.metadata import Function, function
from simulator.host.protocol import protocol
from simulator.host.triggers import Trigger

VERSION = "4.1037.0.0"
"""The real host's that was recorded."""

WORKERS = "/azure-functions-host/workers/python"
"""Where that one keeps its worker; the worker does not look."""

Ask = Callable[[Any], Awaitable[Any]]
"""Sends a StreamingMessage and returns the one that answers it."""


class IndexingError(Exception):
    """The worker refuses the app: the message says why, with the worker's own stack trace."""


class FunctionError(Exception):
    """An invocation failed; `trace` is the worker's stack trace where it has one."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class WorkerLost(FunctionError):
    """The worker ended while it ran the function, or before it could."""


def folder_of(app: Path) -> Path:
    """The app's folder, absolute.

    Raises:
        IndexingError: it holds no function_app.py.
    """
    directory = app.resolve()
    if not (directory / "function_app.py").is_file():
        raise IndexingError(f"{directory} holds no function_app.py; say which folder does with --app.")
    return directory


async def index(ask: Ask, directory: Path) -> dict[str, Function]:
    """Have the worker load the app in this folder; its functions by name, in the order of their names.

    The host registers routes in that order; keeping it here keeps it everywhere.

    Raises:
        IndexingError: the worker refuses the app.
        UnsupportedFunctionError: a function needs something this host lacks.
    """
    pb = protocol()
    init = pb.WorkerInitRequest(
        host_version=VERSION,
        capabilities={"MultiStream": "10"},
        worker_directory=WORKERS,
        function_app_directory=str(directory),
    )
    _succeed((await ask(pb.StreamingMessage(worker_init_request=init))).worker_init_response)
    wanted = pb.FunctionsMetadataRequest(function_app_directory=str(directory))
    listed = (await ask(pb.StreamingMessage(functions_metadata_request=wanted))).function_metadata_response
    _succeed(listed)
    found = [
        function(one.name, one.function_id, one.raw_bindings) for one in listed.function_metadata_results
    ]
    for one in listed.function_metadata_results:
        loaded = await ask(pb.StreamingMessage(function_load_request=_load(one)))
        _succeed(loaded.function_load_response)
    return {one.name: one for one in sorted(found, key=lambda one: one.name.lower())}


def invocation(called: Function, trigger: Trigger) -> Any:
    """The message that has the worker run a function."""
    pb = protocol()
    return pb.StreamingMessage(
        invocation_request=pb.InvocationRequest(
            invocation_id=str(uuid.uuid4()),
            function_id=called.id,
            input_data=[pb.ParameterBinding(name=called.trigger.name, data=trigger.data())],
            trigger_metadata=trigger.metadata(),
            trace_context=trigger.trace(),
        )
    )


def returned(answer: Any) -> Any:
    """A function's return value as TypedData, None without one.

    Raises:
        FunctionError: it raised, or its arguments or return value could not be converted.
    """
    said = answer.invocation_response
    if said.result.status != protocol().StatusResult.Success:
        raise FunctionError(said.result.exception.message, said.result.exception.stack_trace)
    return said.return_value if said.HasField("return_value") else None


def _load(described: Any) -> Any:
    """The request to load a function, which repeats the worker's own description of it in part."""
    pb = protocol()
    metadata = pb.RpcFunctionMetadata(
        name=described.name,
        directory=described.directory,
        script_file=described.script_file,
        entry_point=described.entry_point,
        bindings=described.bindings,
        properties={"FunctionId": described.function_id, **described.properties},
    )
    return pb.FunctionLoadRequest(function_id=described.function_id, metadata=metadata)


def _succeed(answer: Any) -> None:
    if answer.result.status != protocol().StatusResult.Success:
        raised = answer.result.exception
        raise IndexingError(f"{raised.message}\n{raised.stack_trace}".rstrip())
