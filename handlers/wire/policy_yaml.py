"""Reads YAML as plain text values with their lines, so that no value's type is guessed.

YAML turns `no` into false, `22:00` into 1320 and `2026-12-01` into a date. Here every value stays as it was
written, and the planner's parsers decide what it means. Nothing is constructed.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import yaml

type Path = tuple[str | int, ...]

LARGEST = 1024 * 1024
MOST_VALUES = 20_000

_PLAIN = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge", "map", "seq")
)
_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://[^\s`]*")
_NULL = "tag:yaml.org,2002:null"


class PolicyError(ValueError):
    """The policy file cannot be used; `problems` has a sentence for each fault.

    Anyone who knows a webhook's address can post to it, so one written in a wrong place is not repeated.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(_ADDRESS.sub("(an address)", problem) for problem in problems)
        shown = self.problems[:20]
        more = [f"and {len(self.problems) - len(shown)} more"] if len(self.problems) > len(shown) else []
        super().__init__(f"{'; '.join([*shown, *more])}. Nothing starts until this is fixed.")


@dataclass
class Document:
    """A YAML document: mappings, lists and strings, and the line of each, counted from 1.

    `problems` are pairs of a place and a sentence.
    """

    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    values: int = 0

    def place(self, path: Path) -> str:
        """Say where something is: `line 12, rules[1].soak`."""
        known = path
        while known and known not in self.lines:
            known = known[:-1]
        line = f"line {self.lines[known]}" if known in self.lines else ""
        return ", ".join(part for part in (line, _dotted(path)) if part) or "line 1"

    def problem(self, path: Path, sentence: str) -> None:
        self.problems.append((self.place(path), sentence))

    def plain(self, node: yaml.Node, path: Path = (), above: frozenset[int] = frozenset()) -> object:
        """The node as mappings, lists and strings; `above` are the nodes it is in."""
        self.values += 1
        if self.values > MOST_VALUES or id(node) in above:
            raise PolicyError(["its aliases unfold into too much: write the values out"])
        self.lines.setdefault(path, node.start_mark.line + 1)
        if node.tag not in _PLAIN:
            self.problem(path, f"the YAML tag `{node.tag}` means nothing here, leave it out")
            return ""
        inside = above | {id(node)}
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(item, (*path, number), inside) for number, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path, inside)
        if node.tag == _NULL:
            self.problem(path, "it has no value: give it one or leave the key out")
        return str(node.value)

    def _mapping(self, node: yaml.MappingNode, path: Path, inside: frozenset[int]) -> Mapping[str, object]:
        found: dict[str, object] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.problem(path, f"line {key_node.start_mark.line + 1} has a key that is not a word")
                continue
            key = str(key_node.value)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                self.problem((*path, key), "merging mappings is not supported, write the values out")
                continue
            if key in found:
                self.problem((*path, key), "it is written twice; only one can count")
            found[key] = self.plain(value_node, (*path, key), inside)
        return found


def read(text: str) -> Document:
    """Read one YAML document; raises PolicyError when it is too large, empty or not YAML.

    Keys written twice, keys without a value and tags that construct something are `problems` of the result.
    """
    if len(text.encode("utf-8", "surrogatepass")) > LARGEST:
        raise PolicyError(["it is larger than 1 MiB: say more with fewer rules"])
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise PolicyError([f"{where}it is not YAML: {error.problem or error.context}"]) from None
    except yaml.YAMLError:
        raise PolicyError(["it is not YAML: it has characters that no text file should have"]) from None
    except RecursionError:
        raise PolicyError(["it is nested too deeply"]) from None
    if node is None:
        raise PolicyError(["it is empty: write `defaults: {}` to use the built-in values"])
    document = Document()
    document.data = document.plain(node)
    return document


def _dotted(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += ("." if text else "") + (part if len(part) <= 60 else f"{part[:57]}...")
    return text
