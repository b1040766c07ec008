"""Log lines that say in their text what happened, to what, and why.

The Functions worker sends on the text of a line and nothing else: what only `extra` holds is lost on the way
to the host (Azure/azure-functions-python-worker#1327). It stays in `extra` as well, for OpenTelemetry.
"""

import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, override

LONGEST = 300
"""Characters of one detail; some hold text from outside."""

NOISY = ("azure",)
"""Whose loggers speak from WARNING on: the SDKs write 10 KB of requests and answers for one poll of a run."""

_about: ContextVar[MutableMapping[str, object] | None] = ContextVar("about", default=None)


class Log(logging.LoggerAdapter[logging.Logger]):
    """A logger whose lines carry what the work at hand is about, and their own details."""

    @override
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        details = {**(_about.get() or {}), **(kwargs.get("extra") or {})}
        said = {key: _one_line(value) for key, value in details.items() if value is not None}
        shown = " ".join(f"{key}={value}" for key, value in said.items() if value)
        return (f"{msg} {shown}" if shown else msg), {**kwargs, "extra": details}


def logger(name: str) -> Log:
    """The logger of a module."""
    return Log(logging.getLogger(name))


@contextmanager
def about(**details: object) -> Iterator[None]:
    """Every line within says these details, too: `wave`, `scale_set` (group/name), `run` (its path)."""
    token = _about.set({**(_about.get() or {}), **details})
    try:
        yield
    finally:
        _about.reset(token)


def also(**details: object) -> None:
    """What has become known about the work at hand: every further line of it says that, too."""
    known = _about.get()
    if known is not None:
        known.update(details)


def hush() -> None:
    """Keep the SDKs quiet unless something is wrong. The host's log levels don't reach their loggers."""
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _one_line(value: object) -> str:
    text = " ".join(str(value).split())[:LONGEST]
    return f'"{text}"' if " " in text else text
