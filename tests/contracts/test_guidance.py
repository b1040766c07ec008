"""docs/guidance.md keeps its word: every line is answered, by checks and tests that exist."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, Orchestration, ScaleSet
from planner.decision.decide import decide
from planner.policy.keys import COUNTER_INDICATIONS
from planner.policy.model import Policy
from tests.places import ROOT

GUIDANCE = ROOT / "docs" / "guidance.md"
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Row:
    id: str
    says: str
    answer: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    lines = [line for line in GUIDANCE.read_text().splitlines() if re.match(r"\| G\d+ \|", line)]
    cells = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines]
    assert all(len(one) == 4 for one in cells), "a row has other than four cells"
    return [Row(id_, says, answer, tuple(tests.split("<br>"))) for id_, says, answer, tests in cells]


def checks_of(row: Row) -> set[str]:
    return set(re.findall(r"check `([a-z-]+)`", row.answer))


def produced() -> set[str]:
    """The names of all checks that decisions over a wide sample come with."""
    return {
        check.name
        for scale_set in sample()
        for seen in ((), (instance(),), (instance(), replace(instance("1"), protected=True)))
        for policy in (Policy(), Policy(defaults={"self-service": "always"}), Policy(problem="It is wrong."))
        for check in decide(scale_set, seen, [], policy, NOW).checks
    }


def sample() -> Iterator[ScaleSet]:
    """A plain scale set, and one for everything that can be said about it by a flag or a tag."""
    plain = ScaleSet("/a/web", "a", "b", "web", "westeurope")
    yield plain
    yield replace(plain, orchestration=Orchestration.FLEXIBLE)
    yield replace(plain, managed_by="somebody", rolling_upgrade="RollingForward", unreadable=("its model",))
    for field in fields(ScaleSet):
        if field.type is bool or field.type == "bool":
            yield replace(plain, **{field.name: True})
    for key in (*COUNTER_INDICATIONS, "after"):
        yield replace(plain, tags={f"breakwater-{key}": "true"})


def instance(number: str = "0") -> Instance:
    window = Interval(NOW - timedelta(days=1), NOW + timedelta(days=34))
    return Instance(
        number, power="running", provisioning="succeeded", health=Health.HEALTHY, update_domain=int(number),
        maintenance=MaintenanceStatus(allowed=True, self_service=window),
    )  # fmt: skip


@cache
def names_in(path: str) -> frozenset[str]:
    """`name` and `Class::name` of every test in a file."""
    found: set[str] = set()

    def gather(body: list[ast.stmt], inside: str) -> None:
        for one in body:
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name.startswith("test"):
                found.add(inside + one.name)
            elif isinstance(one, ast.ClassDef):
                gather(one.body, f"{inside}{one.name}::")

    gather(ast.parse((ROOT / path).read_text()).body, "")
    return frozenset(found)


def test_rows_are_numbered_without_a_gap() -> None:
    assert [row.id for row in rows()] == [f"G{number}" for number in range(1, len(rows()) + 1)]
    assert len(rows()) >= 84


def test_every_line_of_the_tables_is_a_row() -> None:
    table = [line for line in GUIDANCE.read_text().splitlines() if line.startswith("|")]
    heads = [line for line in table if line.startswith(("| id |", "|---"))]
    assert len(table) == len(rows()) + len(heads)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.id)
def test_a_row_has_an_answer_and_tests_that_exist(row: Row) -> None:
    assert len(row.says) > 10
    assert len(row.answer) > 10
    for one in row.tests:
        named = re.fullmatch(r"`(tests/[\w/]+\.py)::([\w:]+)`", one)
        assert named, f"{one!r} names no test"
        assert (ROOT / named[1]).is_file(), named[1]
        assert named[2] in names_in(named[1]), one


def test_every_check_that_decide_can_come_with_is_in_the_table() -> None:
    names = produced()
    assert {"impacted", "offered", "need", "service-fabric", "others-healthy"} <= names
    assert names - {name for row in rows() for name in checks_of(row)} == set()


def test_every_check_and_module_the_table_names_is_there() -> None:
    assert {name for row in rows() for name in checks_of(row)} - produced() == set()
    named = {name for row in rows() for name in re.findall(r"`((?:planner|handlers)\.[a-z_.]+)`", row.answer)}
    missing = {one for one in named if not (ROOT / f"{one.replace('.', '/')}.py").is_file()}
    assert missing == set()
