"""The fields of the policy file: how each is checked, and what the JSON Schema says about it."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema

from handlers.wire.ids import LOOPBACK
from planner.policy.durations import parse_when
from planner.policy.keys import MAY_BE_LOOSENED, PARSERS, nearest, parse_flag
from planner.policy.model import HealthRule, Mode, SelfService

LIST = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
DURATION = {"type": "string", "pattern": r"^\s*(\d+[dD])?\s*(\d+[hH])?\s*(\d+[mM])?\s*(\d+[sS])?\s*$"}


def join(separator: str) -> BeforeValidator:
    def join(value: object) -> object:
        if isinstance(value, list) and all(isinstance(one, str) for one in value):
            return separator.join(value) or "none"
        return value

    return BeforeValidator(join)


def readable(key: str) -> AfterValidator:
    def check(value: str) -> str:
        PARSERS[key](value)
        return value

    return AfterValidator(check)


def choice(words: type[SelfService | Mode | HealthRule]) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "enum": [str(word) for word in words]})


FLAG = WithJsonSchema({"type": "boolean"})


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _filled(globs: tuple[str, ...]) -> tuple[str, ...]:
    if not globs or not all(one.strip() for one in globs):
        raise ValueError(
            "an empty pattern matches nothing: write a name, a glob such as rg-*, or leave it out"
        )
    return tuple(one.strip() for one in globs)


Globs = Annotated[tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_filled), WithJsonSchema(LIST)]


def _loosenable(keys: frozenset[str]) -> frozenset[str]:
    for key in sorted(keys):
        if key not in MAY_BE_LOOSENED:
            why = f"`{key}` is not a key that a tag can loosen{nearest(key, MAY_BE_LOOSENED)}"
            raise ValueError(f"{why}; these are: {', '.join(MAY_BE_LOOSENED)}")
    return keys


LOOSENABLE = WithJsonSchema({"type": "array", "items": {"enum": list(MAY_BE_LOOSENED)}})
Loosenable = Annotated[
    frozenset[str],
    BeforeValidator(_as_list),
    AfterValidator(_loosenable),
    LOOSENABLE,
]


def moment(*, end_of_day: bool) -> BeforeValidator:
    def parse(value: object) -> object:
        return parse_when(value, end_of_day=end_of_day) if isinstance(value, str) else value

    return BeforeValidator(parse)


def _address(value: str, info: ValidationInfo) -> str:
    """Take the address itself or, by `env:NAME`, from the environment; its text must not reach an error."""
    name = value.removeprefix("env:").strip() if value.startswith("env:") else ""
    if name:
        environment = (info.context or {}).get("environment", {})
        value = environment.get(name, "")
        if not value.strip():
            raise ValueError(f"the setting {name} is missing or empty: set it to the address")
    said = f"the setting {name}" if name else "its value"
    try:
        parts = urlsplit(value.strip())
        good = parts.hostname and (parts.scheme == "https" or parts.hostname in LOOPBACK)
        good = good and parts.scheme in {"https", "http"} and parts.port != 0 and len(value.split()) == 1
    except ValueError:
        good = False
    if not good:
        raise ValueError(
            f"{said} is not an https address: write one or, to keep it out of the file, env:NAME of a setting"
        )
    return value.strip()


Address = Annotated[str, AfterValidator(_address)]


def _mailbox(addresses: tuple[str, ...]) -> tuple[str, ...]:
    for one in addresses:
        if not re.fullmatch(r"[^@\s,;:<>\"()\[\]\\]+@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?", one):
            raise ValueError(f"`{one[:60]}` is not a mail address: write one such as ops@example.com")
    return addresses


Mailboxes = Annotated[
    tuple[str, ...], BeforeValidator(_as_list), AfterValidator(_mailbox), WithJsonSchema(LIST)
]


def _flag(value: object) -> object:
    return parse_flag(value) if isinstance(value, str) else value


Flag = Annotated[bool, BeforeValidator(_flag)]

ReceiverName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,59}$")]
