"""docs/platform.md: every row has its test, every test of a row is on the page, every switch can be set."""

import re

from simulator.host.__main__ import parser
from tests.places import DOCS, ROOT

PAGE = (DOCS / "platform.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (.+) \| (.+) \| (`tests/.+`) \|$", PAGE, re.MULTILINE)
NAMED = {named for *_, tests in ROWS for named in re.findall(r"`([^`]+)`", tests)}


def names_in(path: str) -> set[str]:
    text = (ROOT / path).read_text(encoding="utf-8")
    return set(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))


def test_every_row_has_a_test_that_exists() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("| ")]
    switches = [line for line in tables if re.match(r"\| `[A-Za-z_]+=", line)]
    headings = [line for line in tables if line.startswith(("| asked", "| set"))]
    assert len(ROWS) == len(tables) - len(switches) - len(headings) > 30
    for named in NAMED:
        path, _, test = named.partition("::")
        assert test in names_in(path), named


def test_every_test_of_what_the_real_host_does_is_on_the_page() -> None:
    files = [*ROOT.glob("tests/host/test_platform_*.py"), ROOT / "tests/host/test_wire.py"]
    assert len(files) == 5
    for file in files:
        path = file.relative_to(ROOT).as_posix()
        assert {f"{path}::{test}" for test in names_in(path)} <= NAMED


def test_the_switches_are_those_of_make_host() -> None:
    (recipe,) = re.findall(r"^host: setup\n(.+)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    passed = dict(re.findall(r"\$\(if \$\((\w+)\),(--[\w-]+) \$\(\1\)\)", recipe))
    taken = {option for action in parser()._actions for option in action.option_strings}
    shown = set(re.findall(r"^\| `([A-Z_]+)=[^`]", PAGE, re.MULTILINE))
    assert set(passed) == shown
    assert set(passed.values()) <= taken
    assert taken - set(passed.values()) == {"-h", "--help", "--app", "--leash"}
