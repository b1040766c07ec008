"""Whatever a person can set, say, read or type is explained in `docs/` or in the readme."""

import json
import re
from collections.abc import Iterable

import pytest

from handlers.wire.settings import Settings
from planner.record.command import CommandKind
from planner.record.notice import Kind, Urgency
from planner.record.states import BatchState, InstanceState, RunState
from tests.places import DOCS, ROOT

PAGES = {path.name: path.read_text("utf-8") for path in (*DOCS.glob("*.md"), ROOT / "README.md")}

SET_BY_CODE = {"BREAKWATER_SETTINGS_PROBLEM"}
"""What is wrong with the others: nobody sets it."""

OF_OTHERS = {"azure", "scripts", "serving", "trial"}
"""Processes that a benchmark starts."""

NOT_SAID_BY_PEOPLE = {CommandKind.QUARANTINED}


def missing(words: Iterable[str], *pages: str) -> list[str]:
    """The words that none of the pages has as a term of its own."""
    text = "\n".join(PAGES[page] for page in pages)
    return sorted(word for word in words if not re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text))


def test_every_setting_is_on_the_page_of_the_settings():
    names = {str(field.validation_alias) for field in Settings.model_fields.values()} - SET_BY_CODE
    assert missing(names, "settings.md") == []


def test_every_key_of_the_policy_file_is_on_its_page():
    schema = json.loads((DOCS / "policy.schema.json").read_text("utf-8"))

    def keys(part: object) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(keys, part))
        if not isinstance(part, dict):
            return set()
        return set(part.get("properties", {})).union(*map(keys, part.values()))

    assert missing(keys(schema), "policy.md") == []


@pytest.mark.parametrize("states", [RunState, BatchState, InstanceState])
def test_every_state_is_on_the_page_of_the_states(states):
    assert missing((state.value for state in states), "states.md") == []


def test_every_kind_of_notice_and_every_urgency_is_on_the_page_of_the_notices():
    assert missing((each.value for each in (*Kind, *Urgency)), "notices.md") == []


def test_every_command_is_on_the_page_for_people():
    assert missing((each.value for each in CommandKind if each not in NOT_SAID_BY_PEOPLE), "people.md") == []


def test_every_command_to_type_is_named_somewhere():
    targets = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)[0].split()
    modules = [
        f"python -m {path.relative_to(ROOT).with_suffix('').as_posix().replace('/', '.')}"
        for path in (*ROOT.glob("handlers/*.py"), *ROOT.glob("benchmarks/*.py"))
        if '__name__ == "__main__"' in path.read_text("utf-8") and path.stem not in OF_OTHERS
    ]
    assert missing((f"make {target}" for target in targets), *PAGES) == []
    assert missing(modules, *PAGES) == []
