"""Reads Bicep by its grammar, so that contracts hold without the compiler."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

from tests.places import ROOT

INFRA = ROOT / "infra"
TEMPLATES = sorted(INFRA.rglob("*.bicep"))
BICEP = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


def root(template: Path) -> tree_sitter.Node:
    return BICEP.parse(template.read_bytes()).root_node


def text(node: tree_sitter.Node | None) -> str:
    assert node is not None
    assert node.text is not None
    return node.text.decode()


def parts(node: tree_sitter.Node) -> list[tree_sitter.Node]:
    return [child for child in node.named_children if "comment" not in child.type]


def walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from walk(child)


def declarations(template: Path, kind: str) -> dict[str, tree_sitter.Node]:
    found = (node for node in root(template).children if node.type == f"{kind}_declaration")
    return {text(next(part for part in parts(node) if part.type == "identifier")): node for node in found}


def value(node: tree_sitter.Node) -> Any:
    """A literal as Python has it, what stands under `if` or `for`, any other expression as its text."""
    match node.type:
        case "string":
            return text(node)[1:-1]
        case "boolean":
            return text(node) == "true"
        case "number":
            return int(text(node))
        case "array":
            return [value(part) for part in parts(node)]
        case "object":
            pairs = (parts(pair) for pair in parts(node))
            return {text(key).strip("'"): value(of) for key, of in pairs}
        case "for_statement" | "if_statement":
            return value(parts(node)[-1])
        case _:
            return text(node)


def bodies(template: Path, kind: str = "resource") -> dict[str, tuple[str, dict[str, Any]]]:
    """By symbolic name: the type with its version (or a module's path), and the body."""
    found = {}
    for name, node in declarations(template, kind).items():
        inner = parts(node)
        found[name] = (value(next(part for part in inner if part.type == "string")), value(inner[-1]))
    return found


def resource(file: str, kind: str) -> dict[str, Any]:
    """The one resource of a type in a template."""
    (body,) = [b for of, b in bodies(INFRA / file).values() if of.partition("@")[0] == kind]
    return body


def variable(file: str, name: str) -> Any:
    return value(parts(declarations(INFRA / file, "variable")[name])[-1])


def parameters(template: Path) -> dict[str, bool]:
    """By name: whether a value must be given."""
    found = declarations(template, "parameter")
    return {name: not any(child.type == "=" for child in walk(node)) for name, node in found.items()}
