"""docs/promises.md names tests and judges that exist, and lies that can be told."""

import re

from simulator.lies import CATALOGUE
from tests.places import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith("| promise")
]
EVERY, NONE = "every lie", "no lie"


def test_every_promise_has_somebody_who_keeps_it_and_lies_it_was_tried_under() -> None:
    assert len(ROWS) > 10
    for promise, kept_by, tried in ROWS:
        assert promise
        assert "`" in kept_by, promise
        assert tried, promise


def test_the_judges_and_tests_named_there_exist() -> None:
    for _, kept_by, _ in ROWS:
        for named in re.findall(r"`([^`]+)`", kept_by):
            path, _, test = named.partition("::")
            text = (ROOT / path).read_text(encoding="utf-8")
            assert not test or re.search(rf"^(async )?def {test}\(", text, re.MULTILINE), named


def test_the_lies_named_there_are_lies_that_can_be_told() -> None:
    known = {one.name for one in CATALOGUE}
    for promise, _, tried in ROWS:
        named = set() if tried.startswith((EVERY, NONE)) else set(tried.split(", "))
        assert named <= known, (promise, named - known)


def test_every_lie_puts_some_promise_at_stake() -> None:
    named = {lie for _, _, tried in ROWS for lie in tried.split(", ")}
    assert {one.name for one in CATALOGUE} - named == set()
