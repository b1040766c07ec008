"""One table has every state and every change of it: nothing else changes one, and the docs show no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.record.states import (
    ENDED,
    SETTLED,
    BatchState,
    Forbidden,
    InstanceState,
    RunState,
    transition,
)
from scripts import docs
from tests.places import DOCS, ROOT

PRODUCT = [*ROOT.glob("planner/**/*.py"), *ROOT.glob("handlers/**/*.py"), ROOT / "function_app.py"]
BEGINNINGS = {("planner/replan/new_plan.py", "Run"), ("handlers/waves/figures.py", "Row")}


def calls_with_a_state(path: Path) -> Iterator[tuple[str, ast.Call, ast.expr]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield from ((name, node, each.value) for each in node.keywords if each.arg == "state")


def test_nothing_but_transition_changes_a_state():
    changed = 0
    for path in PRODUCT:
        where = path.relative_to(ROOT).as_posix()
        for name, call, value in calls_with_a_state(path):
            if name != "replace":
                assert (where, name) in BEGINNINGS, f"{where}:{call.lineno} makes a {name} with a state"
                continue
            old = f"{ast.unparse(call.args[0])}.state"
            said = ast.unparse(value)
            assert said.startswith(f"transition({old}, "), f"{where}:{call.lineno} sets a state: {said}"
            changed += 1
    assert changed > 20


def test_nothing_reaches_into_a_record():
    for path in PRODUCT:
        assert "__setattr__" not in path.read_text("utf-8"), path


@pytest.mark.parametrize("state", sorted(ENDED))
def test_a_run_that_has_ended_stays_ended(state: RunState):
    for other in set(RunState) - {state}:
        with pytest.raises(Forbidden, match=f"RunState may not go from {state} to {other}"):
            transition(state, other)


def test_what_is_settled_is_only_opened_by_failing_after_its_maintenance():
    opened = {(old, new) for old in SETTLED for new in InstanceState if old is not new and allowed(old, new)}
    assert opened == {(InstanceState.MAINTAINED, InstanceState.FAILED)}


def test_a_batch_is_done_only_once_unless_an_instance_of_it_fails():
    assert [new for new in BatchState if allowed(BatchState.DONE, new)] == [
        BatchState.DONE,
        BatchState.FAILED,
    ]


def allowed(old: BatchState | InstanceState, new: BatchState | InstanceState) -> bool:
    try:
        return transition(old, new) is new
    except Forbidden:
        return False


def test_the_page_of_the_states_is_the_one_of_the_table():
    assert (DOCS / "states.md").read_text("utf-8") == docs.states(), "run `make docs`"
