"""Who may call an HTTP function: the levels and keys of the real host.

There is one key for the whole app, as Azure's host key `default`, and the master key, which opens everything. Nothing
here makes, changes or lists keys.
"""

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.host.callers import NOBODY, Caller
from simulator.host.metadata import Function

SETTING = "BREAKWATER_HOST_KEY"
MASTER_SETTING = "BREAKWATER_MASTER_KEY"
HEADER = "x-functions-key"

HOST = Caller("Function", "default")
MASTER = Caller("Admin", "master")
_OPENS = {"anonymous": {NOBODY, HOST, MASTER}, "function": {HOST, MASTER}, "admin": {MASTER}}


def host_key() -> str:
    """The key that the environment says, else a new one."""
    return os.environ.get(SETTING, "").strip() or secrets.token_urlsafe(32)


def master_key() -> str:
    """The master key that the environment says, else a new one that nobody is told."""
    return os.environ.get(MASTER_SETTING, "").strip() or secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one host."""

    host: str = field(default_factory=host_key)
    master: str = field(default_factory=master_key)

    def caller(self, headers: Mapping[str, str], query: Mapping[str, str]) -> Caller:
        """Who shows which key: the header `x-functions-key`, and `?code=` only where there is none.

        Header names in lower case. A bearer token is no key.
        """
        given = headers.get(HEADER, query.get("code", "")).encode(errors="replace")
        for key, caller in ((self.host, HOST), (self.master, MASTER)):
            if secrets.compare_digest(given, key.encode()):
                return caller
        return NOBODY


def lets_in(function: Function, caller: Caller) -> bool:
    """Whether a function may be called by somebody; the level is `function` where none is declared."""
    return caller in _OPENS[str(function.trigger.setting("authLevel", "function")).lower()]
