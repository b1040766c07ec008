"""The worker in this process, for what looks inside of it: unit tests of the app, benchmarks that book its CPU.

Everything else runs it in a process of its own (`channel`), as the real host does: only there are
`functionTimeout`, deaths and restarts.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from simulator.host.conversation import folder_of, index, invocation, returned
from simulator.host.metadata import Function
from simulator.host.runtime import answer
from simulator.host.triggers import Trigger

_loaded: dict[Path, dict[str, Function]] = {}


async def load_app(directory: Path) -> dict[str, Function]:
    """Index the app in this folder and return its functions by name, in the order of their names.

    Loading the same folder again returns what the first call found.

    Raises:
        IndexingError: the worker refuses the app.
        UnsupportedFunctionError: a function needs something this host lacks.
        RuntimeError: this process holds another app already.
    """
    directory = folder_of(directory)
    if directory in _loaded:
        return _loaded[directory]
    if _loaded:
        raise RuntimeError(
            f"This process holds the app in {next(iter(_loaded))} already; the worker's state is global. "
            "Run a second app in a process of its own (HostProcess)."
        )
    if str(directory) not in sys.path:
        sys.path.insert(0, str(directory))
    _loaded[directory] = await index(answer, directory)
    return _loaded[directory]


async def invoke(called: Function, trigger: Trigger) -> Any:
    """Run one function and return its return value as TypedData, None without one.

    Raises:
        FunctionError: the function raised, or its arguments or return value could not be converted.
    """
    return returned(await answer(invocation(called, trigger)))


class InProcess:
    """A worker for a host that shares the process with it."""

    def __init__(self, app: Path) -> None:
        self._app = app

    async def start(self) -> dict[str, Function]:
        """The app's functions by name; raises as `load_app`."""
        return await load_app(self._app)

    async def invoke(self, called: Function, trigger: Trigger) -> Any:
        """Run one function; raises FunctionError."""
        return await invoke(called, trigger)

    async def lost(self) -> None:
        """Nothing restarts this one, and nothing gives it up."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """It ends with the process."""
