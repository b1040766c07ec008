"""The Functions worker's wire protocol: Microsoft's own generated classes, loaded under a name of ours.

They ship in a wheel whose top-level package is called `tests` and whose __init__ wants grpc. Neither may
touch this process, so the modules that matter are loaded from the folder `make setup` put them in.
"""

import importlib
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

_PACKAGE = "_functions_worker_protocol"
_FOLDER = Path(__file__).resolve().parents[2] / ".tools" / "protos" / "tests" / "protos"
_MODULES = ("FunctionRpc_pb2", "shared.NullableTypes_pb2", "identity.ClaimsIdentityRpc_pb2")


@cache
def protocol() -> ModuleType:
    """One module holding every protobuf class the worker asks for.

    Raises:
        RuntimeError: `make setup` has not run.
    """
    if not _FOLDER.is_dir():
        raise RuntimeError("The worker's protocol classes are not installed: run `make setup` first.")
    package = ModuleType(_PACKAGE)
    package.__path__ = [str(_FOLDER)]
    sys.modules[_PACKAGE] = package
    for name in _MODULES:
        vars(package).update(
            (key, value)
            for key, value in vars(importlib.import_module(f"{_PACKAGE}.{name}")).items()
            if not key.startswith("_")
        )
    return package
