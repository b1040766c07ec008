"""As much of the Resource Graph query language as looking for maintenance takes.

Operators: where, extend, project, mv-expand, order by, sort by, take, limit, distinct. Expressions: and, or,
not, comparisons, in, has, contains, paths (`properties.TrackingId`, `p['a']`), literals and the functions in
`FUNCTIONS`. Anything else raises QueryError, as Azure answers 400: a query it half understood would be worse.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

Row = dict[str, Any]
Value = Callable[[Row], Any]

TOKEN = re.compile(
    r"\s*(?:(?P<string>'[^']*'|\"[^\"]*\")|(?P<span>\d+[dhm])\b|(?P<number>\d+)|(?P<word>[A-Za-z_][\w-]*~?|\$)"
    r"|(?P<mark>==|=~|!=|!~|>=|<=|[><=().,\[\]]))"
)
UNITS = {"d": "days", "h": "hours", "m": "minutes"}


class QueryError(ValueError):
    """The query is not understood; says where."""


def to_datetime(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tostring": lambda v: "" if v is None else v.isoformat() if isinstance(v, datetime) else str(v),
    "tolower": lambda v: str(v).lower(),
    "toupper": lambda v: str(v).upper(),
    "todatetime": to_datetime,
    "datetime": to_datetime,
    "tolong": lambda v: int(v) if str(v).isdigit() else None,
    "toint": lambda v: int(v) if str(v).isdigit() else None,
    "tobool": lambda v: str(v).lower() == "true",
    "parse_json": lambda v: v,
    "todynamic": lambda v: v,
    "isnotempty": lambda v: v not in (None, ""),
    "isempty": lambda v: v in (None, ""),
    "isnotnull": lambda v: v is not None,
    "isnull": lambda v: v is None,
}


def _low(value: Any) -> str:
    return str(value).lower()


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def safely(left: Any, right: Any) -> bool:
        if isinstance(right, datetime) and not isinstance(left, datetime):
            left = to_datetime(left)
        return left is not None and right is not None and compare(left, right)

    return safely


COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "=~": lambda a, b: _low(a) == _low(b),
    "!~": lambda a, b: _low(a) != _low(b),
    ">": _ordered(lambda a, b: bool(a > b)),
    ">=": _ordered(lambda a, b: bool(a >= b)),
    "<": _ordered(lambda a, b: bool(a < b)),
    "<=": _ordered(lambda a, b: bool(a <= b)),
    "has": lambda a, b: _low(b) in _low(a),
    "contains": lambda a, b: _low(b) in _low(a),
    "startswith": lambda a, b: _low(a).startswith(_low(b)),
    "in": lambda a, b: a in b,
    "in~": lambda a, b: _low(a) in map(_low, b),
}


class Reader:
    """Reads one operator's expressions, left to right."""

    def __init__(self, text: str, now: datetime) -> None:
        self.now = now
        self.tokens: list[tuple[str, str]] = []
        place = 0
        text = text.strip()
        while place < len(text):
            found = TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise QueryError(f"cannot read {text[place : place + 20]!r}")
            self.tokens.append((found.lastgroup, found.group(found.lastgroup)))
            place = found.end()
        self.place = 0

    def peek(self) -> str:
        return self.tokens[self.place][1] if self.place < len(self.tokens) else ""

    def take(self, wanted: str = "") -> tuple[str, str]:
        if self.place >= len(self.tokens) or (wanted and self.peek() != wanted):
            raise QueryError(f"expected {wanted or 'more'}, found {self.peek() or 'the end'!r}")
        self.place += 1
        return self.tokens[self.place - 1]

    def accept(self, wanted: str) -> bool:
        if self.peek() == wanted:
            self.place += 1
            return True
        return False

    def condition(self) -> Value:
        left = self.conjunction()
        while self.accept("or"):
            left = self._either(left, self.conjunction())
        return left

    def conjunction(self) -> Value:
        left = self.comparison()
        while self.accept("and"):
            left = self._both(left, self.comparison())
        return left

    @staticmethod
    def _either(a: Value, b: Value) -> Value:
        return lambda row: a(row) or b(row)

    @staticmethod
    def _both(a: Value, b: Value) -> Value:
        return lambda row: a(row) and b(row)

    def comparison(self) -> Value:
        left = self.operand()
        sign = self.peek()
        if sign not in COMPARISONS:
            return left
        self.take()
        compare = COMPARISONS[sign]
        if sign.startswith("in"):
            self.take("(")
            choices = [self.operand()]
            while self.accept(","):
                choices.append(self.operand())
            self.take(")")
            return lambda row: compare(left(row), [choice(row) for choice in choices])
        right = self.operand()
        return lambda row: compare(left(row), right(row))

    def operand(self) -> Value:
        if self.accept("("):
            inner = self.condition()
            self.take(")")
            return inner
        kind, text = self.take()
        if kind == "string":
            return lambda _: text[1:-1]
        if kind == "number":
            return lambda _: int(text)
        if kind == "span":
            span = timedelta(**{UNITS[text[-1]]: int(text[:-1])})
            return lambda _: span
        if kind != "word":
            raise QueryError(f"unexpected {text!r}")
        return self._call(text) if self.peek() == "(" else self._path(text)

    def _call(self, name: str) -> Value:
        self.take("(")
        if name == "now":
            self.take(")")
            return lambda _: self.now
        if name == "datetime" and self.tokens[self.place][0] != "string":
            raise QueryError("write datetime('...') with quotes")
        inner = self.condition()
        self.take(")")
        if name == "ago":
            return lambda row: self.now - inner(row)
        if name == "not":
            return lambda row: not inner(row)
        if name not in FUNCTIONS:
            raise QueryError(f"unknown function {name!r}")
        function = FUNCTIONS[name]
        return lambda row: function(inner(row))

    def _path(self, first: str) -> Value:
        if first in {"true", "false"}:
            return lambda _: first == "true"
        steps: list[str] = [first]
        while self.peek() in {".", "["}:
            if self.accept("."):
                steps.append(self.take()[1])
                continue
            self.take("[")
            steps.append(self.take()[1].strip("'\""))
            self.take("]")

        def walk(row: Row) -> Any:
            value: Any = row
            for step in steps:
                if isinstance(value, list) and step.isdigit() and int(step) < len(value):
                    value = value[int(step)]
                else:
                    value = value.get(step) if isinstance(value, dict) else None
            return value

        return walk

    def columns(self) -> list[tuple[str, Value]]:
        """`name`, `name = expression` or a path, separated by commas."""
        found: list[tuple[str, Value]] = []
        while True:
            word = self.peek()
            named = self.place + 1 < len(self.tokens) and self.tokens[self.place + 1][1] == "="
            if named:
                self.place += 2
            found.append((word, self.condition()))
            if not self.accept(","):
                return found

    def done(self) -> None:
        if self.place < len(self.tokens):
            raise QueryError(f"did not understand {self.peek()!r}")
