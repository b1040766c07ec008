"""What the worker's index says about each function, in the host's words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnsupportedFunctionError(Exception):
    """A function uses something this host does not carry out; refused at start rather than ignored."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One binding as the programming model declares it; `settings` keeps everything it said."""

    type: str
    name: str
    settings: Mapping[str, Any]

    def setting(self, name: str, default: Any = None) -> Any:
        """One declared setting; the default when it is absent or null."""
        value = self.settings.get(name)
        return default if value is None else value


@dataclass(frozen=True, slots=True)
class Function:
    """An indexed function: its trigger and, where it has one, the queue its return value goes to."""

    name: str
    id: str
    trigger: Binding
    returns_to: Binding | None = None


def function(name: str, function_id: str, raw_bindings: list[str]) -> Function:
    """Read one function's bindings.

    Raises:
        UnsupportedFunctionError: a trigger or an output this host cannot carry out.
    """
    bindings = [_binding(json.loads(raw)) for raw in raw_bindings]
    trigger = next((one for one in bindings if one.type in TRIGGERS), None)
    if trigger is None:
        kinds = ", ".join(one.type for one in bindings) or "no binding at all"
        raise UnsupportedFunctionError(
            f"Function '{name}' has {kinds}; the local host runs {', '.join(TRIGGERS)} only."
        )
    returns_to = None
    for one in bindings:
        if one is trigger or (one.type == "http" and trigger.type == "httpTrigger"):
            continue
        if one.type != "queue" or one.name != "$return" or trigger.type == "httpTrigger":
            raise UnsupportedFunctionError(
                f"Function '{name}' binds '{one.name}' to {one.type}; the local host carries out HTTP "
                "answers and `$return` to a queue only. Send with the storage SDK instead."
            )
        returns_to = one
    return Function(name, function_id, trigger, returns_to)


TRIGGERS = ("httpTrigger", "queueTrigger", "timerTrigger")


def _binding(declared: dict[str, Any]) -> Binding:
    return Binding(declared["type"], declared["name"], declared)
