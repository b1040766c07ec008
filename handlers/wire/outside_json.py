"""JSON from outside: what is ambiguous, endless or cannot be stored is refused before anybody looks at it."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnusableJson(ValueError):
    """The text is no JSON we take; the message says why."""


class AnyCase(Mapping[str, Any]):
    """An object of the JSON with keys in any casing; the values are as they came."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self._raw = {key.lower(): value for key, value in raw.items()}

    def __getitem__(self, key: str) -> Any:
        return self._raw[key.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._raw)

    def __len__(self) -> int:
        return len(self._raw)

    def part(self, key: str) -> "AnyCase":
        """The object under `key`, an empty one where there is none."""
        value = self.get(key)
        return value if isinstance(value, AnyCase) else AnyCase({})

    def words(self, key: str) -> str:
        """The text under `key`, trimmed; empty when there is none, as for a number."""
        value = self.get(key)
        return value.strip() if isinstance(value, str) else ""

    def text(self, *keys: str) -> str:
        """The first of these keys that holds text or a whole number, trimmed; empty when none does."""
        for key in keys:
            value = self.get(key)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if isinstance(value, str) and value.strip():
                return value.strip()
        return ""


def load(body: bytes | str) -> Any:
    """The JSON value, objects as AnyCase. Raises UnusableJson.

    Refused: other encodings than UTF-8, keys that come twice in one object (in any casing, with different
    values), NaN and Infinity, numbers beyond any use, nesting beyond the reader's depth, NUL and lone
    surrogates anywhere.
    """
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse_constant,
            parse_float=_float,
            parse_int=_int,
        )
    except UnicodeDecodeError as error:
        raise UnusableJson("The text is not UTF-8.") from error
    except UnusableJson:
        raise
    except RecursionError as error:
        raise UnusableJson("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise UnusableJson(f"The text is not JSON: {error}.") from error
    if isinstance(value, str):
        _check(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> AnyCase:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        _check(key)
        _check_inside(value)
        folded = key.lower()
        if folded in seen and seen[folded] != value:
            raise UnusableJson(f"The key {key[:80]!r} comes twice in one object, with different values.")
        seen[folded] = value
    return AnyCase(seen)


def _check_inside(value: Any) -> None:
    # Objects have been checked on their own; lists may hold texts at any depth.
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            _check(one)
        elif isinstance(one, list):
            waiting += one


def _check(text: str) -> None:
    if _UNSTORABLE.search(text):
        raise UnusableJson("A text holds NUL or half a character (a lone surrogate).")


def _float(text: str) -> float:
    value = float(text)
    if value in {float("inf"), float("-inf")}:
        raise UnusableJson(f"The number {text[:40]} is too large.")
    return value


def _int(text: str) -> int:
    if len(text) > 40:
        raise UnusableJson(f"The number {text[:40]}... is too large.")
    return int(text)


def _refuse_constant(name: str) -> NoReturn:
    raise UnusableJson(f"{name} is no JSON number.")
