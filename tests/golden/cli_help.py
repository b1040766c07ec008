"""What commands and formats there are, and the help of each."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Any

import typer

from handlers.cli.main import app
from tests.golden.shell import Typed, shell

type Path = tuple[str, ...]
"""The words that name a command."""


def walked(command: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every command under this one that does something itself: the words that name it, and what it is."""
    groups = getattr(command, "commands", None)
    if groups is None:
        yield path, command
        return
    for name, each in groups.items():
        yield from walked(each, (*path, name))


COMMANDS: Mapping[Path, Any] = dict(walked(typer.main.get_command(app)))
"""What `breakwater` offers, by the words that are typed."""


def offered(command: Any) -> dict[str, type[StrEnum]]:
    """The parameters that choose a format, with what there is to choose from."""
    return {
        parameter.name: type(parameter.default)
        for parameter in command.params
        if isinstance(parameter.default, StrEnum)
    }


def split(words: Sequence[str]) -> tuple[Path, list[str]]:
    """The command that these words name, and what is typed behind it."""
    path = next((path for n in (2, 1) if (path := tuple(words[:n])) in COMMANDS), ())
    return path, list(words[len(path) :])


def _words(path: Sequence[str]) -> list[str]:
    return [*path, "--help"]


@contextlib.contextmanager
def _anywhere() -> Iterator[None]:
    with shell():
        yield


TYPED: Mapping[str, Typed] = {
    "-".join(("help", *path)): Typed(partial(_words, path), _anywhere)
    for path in ((), ("policy",), *COMMANDS)
}
