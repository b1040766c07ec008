"""The policy that a command works with: a file, or what is built in."""

import os
from pathlib import Path
from typing import Any

from handlers.cli.exits import Failed
from planner.policy.model import Policy


class AnySetting(dict[str, str]):
    """Every setting that `env:NAME` may name, with an address that leads nowhere.

    Whoever works with a file seldom has the app's settings.
    """

    def get(self, key: str, default: Any = None) -> str:
        return os.environ.get(key, "https://setting.invalid") or default


def policy_file(given: Path | None) -> Path | None:
    """The file to read: the one given, else the one that BREAKWATER_POLICY names; None for neither."""
    named = os.environ.get("BREAKWATER_POLICY", "")
    return given or (Path(named) if named else None)


def policy_of(file: Path | None) -> Policy:
    """The policy in a file; the built-in one without a file. Raises Failed with what is wrong with it."""
    from handlers.wire.policy_file import PolicyError, load  # noqa: PLC0415

    if file is None:
        return Policy()
    try:
        return load(text_of(file), environment=AnySetting())
    except PolicyError as error:
        raise Failed(f"{file} is not valid. {error}") from error


def text_of(file: Path) -> str:
    """A file's text. Raises Failed when it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise Failed(f"{file} is not text in UTF-8.") from error
