"""docs/command-line.md: every example can be typed, every option of a command it explains is one."""

import re
import shlex

import pytest
import typer

from handlers.cli.exits import ExitCode
from handlers.cli.main import app
from tests.places import DOCS, ROOT

PAGE = (DOCS / "command-line.md").read_text("utf-8")
PAGES = [PAGE, (ROOT / "README.md").read_text("utf-8"), (DOCS / "policy.md").read_text("utf-8")]
EXAMPLES = sorted(
    {
        line
        for page in PAGES
        for line in re.findall(
            r"^ *(?:uvx --[^\n]*?from \. )?(breakwater [a-z][^\n#|>]*)", page, re.MULTILINE
        )
    }
)
TYPED = ("breakwater ", "pipx ")
"""How a block begins that shows what to type."""

READING = ("plan", "snapshot", "diff")


def command(words: list[str]) -> tuple[object, list[str]]:
    """The command of these words, and what is left of them."""
    found, rest = typer.main.get_command(app), list(words)
    while hasattr(found, "commands") and rest:
        assert rest[0] in found.commands, words
        found = found.commands[rest.pop(0)]
    return found, rest


def options(found) -> set[str]:
    return {name for parameter in found.params for name in parameter.opts if name.startswith("-")} | {
        "--help"
    }


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_names_a_command_and_options_that_there_are(example):
    found, rest = command(shlex.split(example)[1:])
    assert {word for word in rest if word.startswith("-")} <= options(found)


@pytest.mark.parametrize("name", READING)
def test_every_command_that_reads_has_its_section_with_an_example_in_the_help(name):
    found, _ = command([name])
    assert f"\n## {name}\n" in PAGE
    assert found.epilog.startswith(f"Example: breakwater {name} ")
    _, rest = command(shlex.split(found.epilog)[2:])
    assert {word for word in rest if word.startswith("-")} <= options(found)


def test_every_exit_code_is_on_the_page():
    codes = re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)
    assert [int(code) for code in codes] == [code.value for code in ExitCode]


def test_what_the_page_shows_of_an_answer_is_what_golden_files_have():
    golden = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests/golden/cli").glob("*.txt")))
    for block in re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE):
        shown = block if not block.startswith(TYPED) else ""
        for line in filter(None, map(str.strip, shown.splitlines())):
            assert line in golden, line
