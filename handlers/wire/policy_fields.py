"""The fields of the policy file: how each is checked, and what the JSON Schema says about it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from handlers.wire.ids import is_url, safe_for_secrets
from planner.policy.durations import parse_duration, parse_when
from planner.policy.hearing import NAMEABLE
from planner.policy.keys import MAY_BE_LOOSENED, nearest, parse_flag
from planner.policy.model import HealthRule, Mode, SelfService
from planner.policy.pace import Pace, parse_pace
from planner.text.phrases import long

STRING = WithJsonSchema({"type": "string"})
LIST = WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})

_PERIOD = r"^\s*(\d+[dD])?\s*(\d+[hH])?\s*(\d+[mM])?\s*(\d+[sS])?\s*$"

Duration = Annotated[
    str | None,
    WithJsonSchema({"type": "string", "pattern": _PERIOD}),
]
YesNo = Annotated[str | None, WithJsonSchema({"type": "boolean"})]


def choice(words: type[SelfService | Mode | HealthRule]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in words]})


def join(separator: str) -> BeforeValidator:
    """A list is the text that its entries give with separators between."""

    def join(value: object) -> object:
        if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
            return separator.join(value) or "none"
        return value

    return BeforeValidator(join)


def _parsed(parse: Callable[[str], object]) -> BeforeValidator:
    return BeforeValidator(lambda value: parse(value) if isinstance(value, str) else value)


_as_list = _parsed(lambda text: [text])

Flag = Annotated[bool, _parsed(parse_flag)]
Beginning = Annotated[datetime, _parsed(partial(parse_when, end_of_day=False)), STRING]
End = Annotated[datetime, _parsed(partial(parse_when, end_of_day=True)), STRING]


def _filled(globs: tuple[str, ...]) -> tuple[str, ...]:
    if not globs or not all(glob.strip() for glob in globs):
        raise ValueError(
            "an empty pattern matches nothing: write a name, a glob such as rg-*, or leave it out"
        )
    return tuple(glob.strip() for glob in globs)


Globs = Annotated[tuple[str, ...], _as_list, AfterValidator(_filled), LIST]


def _loosenable(keys: frozenset[str]) -> frozenset[str]:
    for key in sorted(keys):
        if key not in MAY_BE_LOOSENED:
            why = f"`{key}` is not a key that a tag can loosen{nearest(key, MAY_BE_LOOSENED)}"
            raise ValueError(f"{why}; these are: {', '.join(MAY_BE_LOOSENED)}")
    return keys


Loosenable = Annotated[
    Annotated[frozenset[str], _as_list, AfterValidator(_loosenable)] | None,
    WithJsonSchema({"type": "array", "items": {"enum": list(MAY_BE_LOOSENED)}}),
]


def _address(value: str, info: ValidationInfo) -> str:
    """Take the address itself or, by `env:NAME`, from the environment; its text must not reach an error."""
    name = value.removeprefix("env:").strip() if value.startswith("env:") else ""
    if name:
        value = (info.context or {}).get("environment", {}).get(name, "")
        if not value.strip():
            raise ValueError(f"the setting {name} is missing or empty: set it to the address")
    address = value.strip()
    if len(address.split()) != 1 or not is_url(address, "https", "http") or not safe_for_secrets(address):
        said = f"the setting {name}" if name else "its value"
        raise ValueError(
            f"{said} is not an https address: write one or, to keep it out of the file, env:NAME of a setting"
        )
    return address


Address = Annotated[str, AfterValidator(_address)]


def _mailboxes(addresses: tuple[str, ...]) -> tuple[str, ...]:
    for address in addresses:
        if not re.fullmatch(r"[^@\s,;:<>\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", address):
            raise ValueError(f"`{address[:60]}` is not a mail address: write one such as ops@example.com")
    return addresses


Mailboxes = Annotated[tuple[str, ...], _as_list, AfterValidator(_mailboxes), LIST]


def period(least: timedelta, most: timedelta) -> tuple[BeforeValidator, AfterValidator, WithJsonSchema]:
    """A length of time between these two."""

    def between(value: timedelta) -> timedelta:
        if not least <= value <= most:
            raise ValueError(f"{long(value)} is not between {long(least)} and {long(most)}")
        return value

    return (
        _parsed(parse_duration),
        AfterValidator(between),
        WithJsonSchema({"type": "string", "pattern": _PERIOD}),
    )


PaceText = Annotated[Pace, _parsed(parse_pace), STRING]


def _kinds(words: frozenset[str]) -> frozenset[str]:
    for word in sorted(words):
        if word not in NAMEABLE:
            raise ValueError(
                f"`{word}` is no kind of notice{nearest(word, NAMEABLE)}; these are: {', '.join(NAMEABLE)}"
            )
    return words


Kinds = Annotated[
    Annotated[frozenset[str], _as_list, AfterValidator(_kinds)] | None,
    WithJsonSchema({"type": "array", "items": {"enum": list(NAMEABLE)}}),
]

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
