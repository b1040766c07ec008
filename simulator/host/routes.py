"""Route templates, matched as the real host matches them.

Functions are asked in the order of their names and the first whose template and methods fit answers; no
specificity is weighed. Literals ignore case. `{name}` takes one segment, `{*name}` the rest of the path;
constraints after a colon are read over, as nothing here uses them to tell routes apart.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import unquote

_PARAMETER = re.compile(r"\{(\*?)(\w+)(?::[^{}]*)?(\??)\}")


@dataclass(frozen=True, slots=True)
class Route:
    """One template with its methods; no methods means all."""

    template: str
    methods: frozenset[str]
    pattern: re.Pattern[str]

    @classmethod
    def of(cls, template: str, methods: Iterable[str] = ()) -> Self:
        """Compile a template (without the prefix)."""
        pattern = ""
        for segment in template.strip("/").split("/"):
            pattern += _segment(segment)
        return cls(template, frozenset(map(str.upper, methods)), re.compile(pattern, re.IGNORECASE))

    def match(self, method: str, path: str) -> Mapping[str, str] | None:
        """The route parameters, decoded, when this route answers; None otherwise.

        Args:
            method: in capitals.
            path: as sent, percent-encoded, without the prefix and its slash. A slash at its end is taken, two in
                a row are never.
        """
        if self.methods and method not in self.methods:
            return None
        if f"/{path}".find("//") >= 0:
            return None
        found = self.pattern.fullmatch("/" + path.removesuffix("/"))
        return {name: decode(value) for name, value in found.groupdict("").items()} if found else None


def decode(value: str) -> str:
    """Percent-decode as the real host's web server does: all but %2F, which would make a new segment."""
    return unquote(re.sub("%(2f)", r"%25\1", value, flags=re.IGNORECASE))


def _segment(segment: str) -> str:
    whole = _PARAMETER.fullmatch(segment)
    if whole and whole[1]:
        return rf"(?:/(?P<{whole[2]}>.*))?"
    if whole and whole[3]:
        return rf"(?:/(?P<{whole[2]}>[^/]+))?"
    pattern, at = "/", 0
    for found in _PARAMETER.finditer(segment):
        pattern += re.escape(segment[at : found.start()]) + rf"(?P<{found[2]}>[^/]+?)"
        at = found.end()
    return pattern + re.escape(segment[at:])
