"""What people read is written in `planner/words` and `handlers/words`, once; the rules only call it.

Of handlers the packages in COVERED are held to it. What pages and messages add is in `handlers/render`; what a
mail server, Azure or a file says is said beside whoever reads it (`channels`, `cloud`, `wire`).
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.places import ROOT

WORDS = (ROOT / "planner" / "words", ROOT / "handlers" / "words")

COVERED = (
    "planner",
    "handlers/stages",
    "handlers/pages",
    "handlers/runs",
    "handlers/delivery",
    "handlers/waves",
    "handlers/failures",
    "handlers/repository",
)

ELSEWHERE = {
    "handlers/pages/answer.py": "a Content-Security-Policy",
    "planner/policy/durations.py": "says beside its parser how a duration or a date is written",
    "planner/policy/keys.py": "says beside its parsers which values a key takes",
    "planner/policy/layers.py": "says beside its reading which tag does not count",
    "planner/policy/pace.py": "says beside its parser how a pace is written",
    "planner/policy/weekly.py": "says beside its parser how a window is written",
    "planner/record/copying.py": "writes code",
    "planner/rehearsal/machines.py": "plays Azure, in Azure's words",
    "planner/record/states.py": "its table of changes is drawn into docs/states.md",
    "planner/text/phrases.py": "what every sentence is made of",
}
"""Modules that keep their own prose, each with why."""

WORD = re.compile(r"[(\"'`]*[a-z]+(?:['-][a-z]+)*[)\"'`,;:.!?]*")
SENTENCE = re.compile(r".*[A-Za-z]+ \S*[A-Za-z]+\S*[.!?]", re.DOTALL)
COMMAND = re.compile(r"az [a-z]+ ")
READ_BY_PEOPLE = {"Refused", "Unreachable", "Conflict"}
"""Errors whose sentence is an answer, or stands in a notice."""

IN_A_ROW = 3
"""So many small words side by side are prose; names of services and of Azure's fields have fewer."""


def reads_as_prose(text: str) -> bool:
    """Whether a text, with {} for what is filled in, is a sentence or a part of one."""
    if COMMAND.match(text):
        return False
    row = 0
    for token in text.split():
        row = row + 1 if WORD.fullmatch(token) else 0
        if row == IN_A_ROW:
            return True
    return SENTENCE.fullmatch(text.strip()) is not None


def written(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Every text of a module with its line, {} for what is filled in.

    Left out are docstrings, errors that only a developer reads, patterns, and texts that are split into names at once.
    """

    def visit(node: ast.AST) -> Iterator[tuple[int, str]]:
        match node:
            case ast.Expr(value=ast.Constant()):
                return
            case ast.Raise(exc=ast.Call(func=ast.Name(id=error))) if error not in READ_BY_PEOPLE:
                return
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"))):
                return
            case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="split")):
                return
            case ast.JoinedStr():
                parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
                yield node.lineno, "".join(map(str, parts))
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        yield from visit(part.value)
                return
            case ast.Constant(value=str() as text):
                yield node.lineno, text
        for child in ast.iter_child_nodes(node):
            yield from visit(child)

    return visit(tree)


def prose(path: Path) -> list[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return [f"line {line}: {text}" for line, text in written(tree) if reads_as_prose(text)]


def modules() -> list[str]:
    every = (path for package in COVERED for path in (ROOT / package).rglob("*.py"))
    prosaic = (path for path in every if path.parent not in WORDS)
    return sorted((*(path.relative_to(ROOT).as_posix() for path in prosaic), "handlers/wiring.py"))


@pytest.mark.parametrize("module", sorted(set(modules()) - ELSEWHERE.keys()))
def test_no_rule_has_prose_beside_it(module: str):
    assert prose(ROOT / module) == [], "write it in planner/words or handlers/words and call it here"


@pytest.mark.parametrize("module", ELSEWHERE)
def test_a_module_that_may_keep_its_prose_has_some(module: str):
    assert prose(ROOT / module)


@pytest.mark.parametrize(
    "sentence",
    [
        '"Nothing is left."',
        'f"{name} goes first and waits"',
        'f"its turn comes {at}"',
        '"if " + "nobody answers in time"',
    ],
)
def test_a_new_sentence_beside_a_rule_is_found(sentence: str):
    module = (
        f'"""A docstring is no sentence of the product."""\n\ndef rule(name, at):\n    return {sentence}\n'
    )
    assert [text for _, text in written(ast.parse(module)) if reads_as_prose(text)]


@pytest.mark.parametrize(
    "text",
    [
        '"activity log"',
        '"an Azure Virtual Desktop host pool"',
        'f"{run.reason} {why}"',
        'f"az lock delete --name {name}"',
        're.compile("because it or its parent is locked")',
        '"eastus westus northeurope".split()',
    ],
)
def test_names_commands_and_patterns_are_no_prose(text: str):
    assert not [found for _, found in written(ast.parse(text)) if reads_as_prose(found)]


def test_nothing_is_said_twice():
    texts = (
        text
        for package in WORDS
        for path in sorted(package.glob("*.py"))
        for _, text in written(ast.parse(path.read_text("utf-8")))
        if reads_as_prose(text)
    )
    assert [text for text, times in Counter(texts).items() if times > 1] == []


def names(path: Path) -> Iterator[str]:
    """What a module of words offers."""
    for node in ast.parse(path.read_text("utf-8")).body:
        found = [node.name] if isinstance(node, ast.FunctionDef) else []
        if isinstance(node, ast.Assign):
            found = [target.id for target in node.targets if isinstance(target, ast.Name)]
        yield from (name for name in found if not name.startswith("_"))


def test_every_sentence_is_said_by_somebody():
    sources = {
        path: path.read_text("utf-8")
        for package in ("planner", "handlers")
        for path in (ROOT / package).rglob("*.py")
    }
    idle = []
    for path in (path for package in WORDS for path in package.glob("*.py")):
        imports = re.compile(rf"words(?:\.{path.stem} import| import .*\b{path.stem}\b)")
        callers = "\n".join(text for other, text in sources.items() if other != path and imports.search(text))
        for name in names(path):
            own = len(re.findall(rf"\b{name}\b", sources[path]))
            if own == 1 and not re.search(rf"\b{name}\b", callers):
                idle.append(f"{path.stem}.{name}")
    assert idle == []
