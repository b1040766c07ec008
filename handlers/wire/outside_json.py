"""JSON from outside: what is ambiguous, endless or cannot be stored is refused before anything reads it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from pydantic import ValidationError

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class UnusableJson(ValueError):
    """The text is not JSON that we accept; the message says why."""


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

    Refused: encodings other than UTF-8, keys that come twice in one object (in any casing, with different
    values), NaN and Infinity, absurdly large numbers, nesting beyond the reader's depth, NUL and lone
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
        _check(value)
    except UnicodeDecodeError as error:
        raise UnusableJson("The text is not UTF-8.") from error
    except UnusableJson:
        raise
    except RecursionError as error:
        raise UnusableJson("The JSON is nested too deeply.") from error
    except ValueError as error:
        raise UnusableJson(f"The text is not JSON: {error}.") from error
    return value


def utc_time(text: str) -> datetime:
    """A time of ISO 8601 as aware UTC, UTC where it names no zone; ValueError for anything else."""
    at = datetime.fromisoformat(text)
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text[:40]!r} is before the first year or after the last") from error


def faults(error: ValidationError) -> list[str]:
    """Each fault that pydantic found, as `field: what is wrong`, without the value."""
    found = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(map(str, fault["loc"]))
        wrong = fault["msg"].removeprefix("Value error, ").rstrip(".")
        found.append(f"{field}: {wrong}" if field else wrong)
    return found


def _object(pairs: list[tuple[str, Any]]) -> AnyCase:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        _check(key)
        _check(value)
        folded = key.lower()
        if folded in seen and seen[folded] != value:
            raise UnusableJson(f"The key {key[:80]!r} comes twice in one object, with different values.")
        seen[folded] = value
    return AnyCase(seen)


def _check(value: Any) -> None:
    # Objects have been checked on their own; lists may hold texts at any depth.
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise UnusableJson("A text holds NUL or half a character (a lone surrogate).")
    if isinstance(value, list):
        for entry in value:
            _check(entry)


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
    raise UnusableJson(f"{name} is not a JSON number.")
