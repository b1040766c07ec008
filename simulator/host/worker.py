"""The real Python worker runtime, driven in process the way the .NET host drives it over gRPC.

What indexes here indexes in Azure, and arguments and return values go through the worker's own
conversion. The runtime keeps its state in module globals, so a process can hold one app.
"""

import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure_functions_runtime

from simulator.host.metadata import Function, function
from simulator.host.protocol import protocol
from simulator.host.triggers import Trigger


class IndexingError(Exception):
    """The worker refuses the app: the message says why, with the worker's own stack trace."""


class FunctionError(Exception):
    """An invocation raised; `trace` is the worker's stack trace."""

    def __init__(self, message: str, trace: str) -> None:
        super().__init__(message)
        self.trace = trace


@dataclass(frozen=True, slots=True)
class _Request:
    """The shape the runtime's coroutines expect: a message and the worker's surroundings."""

    request: Any
    properties: Mapping[str, Any]


runtime: Any = azure_functions_runtime  # untyped
_loaded: dict[Path, dict[str, Function]] = {}


async def load_app(directory: Path) -> dict[str, Function]:
    """Index the app in this folder and return its functions by name, in the order of their names.

    Loading the same folder again returns what the first call found.

    Raises:
        IndexingError: the worker refuses the app.
        UnsupportedFunctionError: a function needs something this host lacks.
        RuntimeError: this process holds another app already.
    """
    directory = _app_in(directory)
    if directory in _loaded:
        return _loaded[directory]
    if _loaded:
        raise RuntimeError(
            f"This process holds the app in {next(iter(_loaded))} already; the worker's state is global. "
            "Run a second app in a process of its own (HostProcess)."
        )
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    pb = protocol()
    init = pb.StreamingMessage(
        worker_init_request=pb.WorkerInitRequest(host_version="4", function_app_directory=str(directory))
    )
    _succeed(await runtime.worker_init_request(_asked(init)))
    listed = await runtime.functions_metadata_request(_asked(pb.StreamingMessage()))
    found = [
        function(one.name, one.function_id, one.raw_bindings) for one in listed.function_metadata_results
    ]
    for one in found:
        load = pb.FunctionLoadRequest(function_id=one.id)
        _succeed(await runtime.function_load_request(_asked(pb.StreamingMessage(function_load_request=load))))
    # The host registers routes in the order of names; keeping that order here keeps it everywhere.
    _loaded[directory] = {one.name: one for one in sorted(found, key=lambda one: one.name.lower())}
    return _loaded[directory]


async def invoke(called: Function, trigger: Trigger, *, traceparent: str = "") -> Any:
    """Run one function and return its return value as TypedData, None without one.

    Args:
        called: one of the functions `load_app` returned.
        trigger: what sets it off.
        traceparent: the caller's W3C trace context; a new trace is begun without one.

    Raises:
        FunctionError: the function raised, or its arguments or return value could not be converted.
    """
    pb = protocol()
    request = pb.InvocationRequest(
        invocation_id=str(uuid.uuid4()),
        function_id=called.id,
        input_data=[pb.ParameterBinding(name=called.trigger.name, data=trigger.data())],
        trigger_metadata=trigger.metadata(),
    )
    request.trace_context.trace_parent = traceparent or f"00-{uuid.uuid4().hex}-{uuid.uuid4().hex[:16]}-00"
    answer = await runtime.invocation_request(_asked(pb.StreamingMessage(invocation_request=request)))
    if answer.result.status != pb.StatusResult.Success:
        raise FunctionError(answer.result.exception.message, answer.result.exception.stack_trace)
    return answer.return_value if answer.HasField("return_value") else None


def _app_in(directory: Path) -> Path:
    directory = directory.resolve()
    if not (directory / "function_app.py").is_file():
        raise IndexingError(f"{directory} holds no function_app.py; say which folder does with --app.")
    return directory


def _asked(message: Any) -> _Request:
    return _Request(message, {"protos": protocol(), "host": "127.0.0.1"})


def _succeed(answer: Any) -> None:
    if answer.result.status != protocol().StatusResult.Success:
        raised = answer.result.exception
        raise IndexingError(f"{raised.message}\n{raised.stack_trace}".rstrip())
