"""Who may call an HTTP function: the levels and the key of the real host.

There is one key for the whole app, as Azure's host key `default`. Master and function keys are for people who
manage keys; nothing here does.
"""

import os
import secrets
from collections.abc import Mapping

from simulator.host.metadata import Function, UnsupportedFunctionError

SETTING = "BREAKWATER_HOST_KEY"
HEADER = "x-functions-key"


def host_key() -> str:
    """The key that the environment says, else a new one."""
    return os.environ.get(SETTING, "").strip() or secrets.token_urlsafe(32)


def wants_key(function: Function) -> bool:
    """Whether a function is called with a key only; the level is `function` where none is declared.

    Raises:
        UnsupportedFunctionError: the level is `admin`, for which this host has no key.
    """
    level = str(function.trigger.setting("authLevel", "function")).lower()
    if level not in {"anonymous", "function"}:
        raise UnsupportedFunctionError(
            f"Function '{function.name}' asks for the level {level}; the local host has no master key, only "
            "`anonymous` and `function` can be called."
        )
    return level == "function"


def fits(key: str, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
    """Whether a request carries the key; `?code=` counts only where there is no header, as in the real host."""
    given = headers.get(HEADER, query.get("code", ""))
    return secrets.compare_digest(given.encode(errors="replace"), key.encode())
