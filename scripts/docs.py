"""Write what the docs take from the code: `make docs`. A test fails when that was forgotten.

docs/states.md           the states and their changes, from `planner.record.states`
docs/policy.schema.json  the policy file, from `handlers.wire.policy_file`
docs/events.schema.json  what a webhook gets, from `handlers.render.webhook`
docs/policy.md           its table of how many scale sets fit, from `planner.places`
"""

import json
import sys
from collections.abc import Collection, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from handlers.wire.policy_file import schema  # noqa: E402
from planner.record.states import (  # noqa: E402
    ACTIVE,
    BATCH_CHANGES,
    ENDED,
    HANDS_OFF,
    IN_FLIGHT,
    INSTANCE_CHANGES,
    RUN_CHANGES,
    SETTLED,
    TO_START,
    UNDER_WAY,
    BatchState,
    Change,
    InstanceState,
    RunState,
)
from scripts import events, room  # noqa: E402

HEAD = """# States

Written by `make docs` from `planner/record/states.py`: the tables there are the only changes that a run, a
batch and an instance can make. An arrow at a group is for some state in it: the tables say which.
"""

BEGIN, END = "<!-- how many fit: make docs -->", "<!-- end -->"

CHAPTERS: tuple[tuple[str, str, type[StrEnum], Collection[Change[Any]], dict[str, frozenset[Any]]], ...] = (
    (
        "A run",
        "One scale set's way through a wave. What has ended stays so: what is due again gets a new run.",
        RunState,
        RUN_CHANGES,
        {"hands off": HANDS_OFF, "active": ACTIVE, "ended": ENDED},
    ),
    (
        "A batch",
        "Instances that go down together. Its state follows from theirs.",
        BatchState,
        BATCH_CHANGES,
        {"under way": UNDER_WAY},
    ),
    (
        "An instance",
        "Only what is settled is over.",
        InstanceState,
        INSTANCE_CHANGES,
        {"waiting": TO_START, "in flight": IN_FLIGHT, "settled": SETTLED},
    ),
)


def states() -> str:
    """The page of the states."""
    return "\n".join([HEAD, *(line for chapter in CHAPTERS for line in _chapter(*chapter))])


def _chapter(
    title: str,
    about: str,
    kind: type[StrEnum],
    changes: Collection[Change[Any]],
    groups: dict[str, frozenset[Any]],
) -> Iterator[str]:
    yield from (f"## {title}", "", about, "", "```mermaid", "stateDiagram-v2")
    for name, members in groups.items():
        yield f"    state {_id(name)} {{"
        yield from (f"        {state}" for state in kind if state in members)
        yield "    }"
    yield from (f"    {source} --> {target}" for source, target in _arrows(changes, groups))
    yield from ("```", "", "| to | from | when |", "|---|---|---|")
    for change in changes:
        sources = ", ".join(f"`{state}`" for state in kind if state in change.sources - {change.target})
        yield f"| `{change.target}` | {sources} | {change.when} |"
    yield ""


def _arrows(changes: Collection[Change[Any]], groups: dict[str, frozenset[Any]]) -> list[tuple[str, str]]:
    """Arrows between single states and whole groups, and between the states within a group."""
    home = {state: name for name, members in groups.items() for state in members}
    found: dict[tuple[str, str], None] = {}
    for change in changes:
        to = home.get(change.target)
        for source in sorted(change.sources - {change.target}):
            at = home.get(source)
            inside = at is not None and at == to
            arrow = (source, change.target) if inside else (at or source, to or change.target)
            found[_id(arrow[0]), _id(arrow[1])] = None
    return list(found)


def _id(name: str) -> str:
    return name.replace(" ", "_")


def policy_schema() -> str:
    """The JSON Schema of the policy file."""
    return json.dumps(schema(), indent=2) + "\n"


def event_schema() -> str:
    """The JSON Schema of every type of event."""
    return json.dumps(events.schema(), indent=2, ensure_ascii=False) + "\n"


def with_room(text: str) -> str:
    """A page with the table of how many scale sets fit between its marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{room.table()}\n{end}{after}"


def main() -> None:
    """Write them all."""
    (ROOT / "docs" / "states.md").write_text(states(), encoding="utf-8")
    (ROOT / "docs" / "policy.schema.json").write_text(policy_schema(), encoding="utf-8")
    (ROOT / "docs" / "events.schema.json").write_text(event_schema(), encoding="utf-8")
    policy = ROOT / "docs" / "policy.md"
    policy.write_text(with_room(policy.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
