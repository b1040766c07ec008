"""Every command has a golden file in every format that it offers, one of its help, and an example that can be typed."""

import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer import TyperException
from typer.main import get_command

from handlers.cli import policy
from handlers.cli.main import app
from tests.golden.cli_help import COMMANDS, Path, offered, split
from tests.golden.files import COMMANDS_FOLDER, kept, names

ANSWERED = ("0", "2", "3")
"""Exit codes of a command that has printed its answer."""


@cache
def shown() -> frozenset[tuple[Path, str]]:
    """The commands of all golden files with the format that each is asked for, or `help`."""
    return frozenset(each for name in names(COMMANDS_FOLDER) for each in _shown(kept(COMMANDS_FOLDER, name)))


def _shown(text: str) -> Iterator[tuple[Path, str]]:
    first, *_, last = text.splitlines()
    path, rest = split(shlex.split(first)[2:])
    if "--help" in rest:
        yield path, "help"
    elif path and last.removeprefix("[exit ").removesuffix("]") in ANSWERED:
        given = COMMANDS[path].make_context(path[-1], rest).params
        # A command without formats has one way to answer.
        yield from ((path, str(given[name])) for name in offered(COMMANDS[path]))
        yield path, ""


def wanted() -> Iterator[tuple[Path, str]]:
    for path, command in COMMANDS.items():
        yield path, "help"
        yield path, ""
        for formats in offered(command).values():
            yield from ((path, str(each)) for each in formats)


def example(command: Any) -> list[str]:
    """The words of the example in a command's help, up to what the shell does with the answer."""
    words = shlex.split(str(command.epilog).partition("\n")[0])
    assert words[:2] == ["Example:", "breakwater"]
    return words[2 : next((n for n, word in enumerate(words) if word in {"|", ">"}), None)]


@pytest.mark.parametrize(("path", "form"), list(wanted()))
def test_a_command_has_a_golden_file_in_each_format(path, form):
    assert (path, form) in shown(), f"tests/golden: type breakwater {' '.join(path)} as {form or 'it is'}"


@pytest.mark.parametrize("path", COMMANDS)
def test_the_example_in_a_commands_help_can_be_typed(path):
    named, rest = split(example(COMMANDS[path]))
    assert named == path
    COMMANDS[path].make_context(path[-1], rest)


@pytest.mark.parametrize("group", [get_command(app), get_command(policy.app)])
def test_the_help_of_a_group_has_an_example_too(group):
    named, rest = split(example(group))
    COMMANDS[named].make_context(named[-1], rest)


def test_an_example_that_cannot_be_typed_would_be_found():
    for rest in (["--polciy", "policy.yaml"], ["-o", "xml"], ["too", "much"]):
        with pytest.raises(TyperException):
            COMMANDS["plan",].make_context("plan", rest)


FILES = (("snapshot",), ("export",), ("render",))
"""Commands whose `-o` is the file that they write."""

PRINTS_ONE_FORMAT = (("policy", "schema"),)
"""Commands whose answer is a format of its own."""


@pytest.mark.parametrize("path", [path for path in COMMANDS if path not in (*FILES, *PRINTS_ONE_FORMAT)])
def test_every_command_answers_as_table_json_and_plain(path):
    formats = {str(each) for each in offered(COMMANDS[path]).get("output", ())}
    assert {"table", "json", "plain"} <= formats
