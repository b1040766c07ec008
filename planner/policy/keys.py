"""The keys of the policy that hold for one scale set, and how each one's text is read.

File and tags go through the same parsers. A parser gives the value or raises ValueError with a sentence
that says what is wrong and what to write.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from planner.policy.durations import Share, parse_duration, parse_share, parse_when, shown
from planner.policy.model import CheckName, HealthRule, Mode, SelfService
from planner.policy.weekly import parse_windows

TAG_PREFIX = "breakwater-"

COUNTER_INDICATIONS = (
    CheckName.SCHEDULED_EVENTS.value,
    CheckName.LOCAL_STATE.value,
    CheckName.SHORT_LIVED.value,
    CheckName.OFTEN_STOPPED.value,
    CheckName.OFTEN_RESIZED.value,
)
"""Checks that Azure alone cannot decide: their names are keys of the policy."""

ACCEPTABLE = (
    CheckName.SERVICE_FABRIC,
    CheckName.MANAGED,
    CheckName.SHORT_LIVED,
    CheckName.LOCAL_STATE,
    CheckName.SCHEDULED_EVENTS,
    CheckName.OFTEN_STOPPED,
    CheckName.OFTEN_RESIZED,
    CheckName.PROTECTION,
    CheckName.AUTOMATIC_REPAIRS,
    CheckName.ZONE_REBALANCING,
    CheckName.AZURE_DOMAINS,
    CheckName.OPERATION_IN_FLIGHT,
    CheckName.PROVISIONING_FAILED,
)
"""Checks that a person may accept by name. What Azure refuses or nobody can read is not among them."""

FILE_ONLY = (
    "lead",
    "stop",
    "freezes",
    "limits",
    "receivers",
    "routes",
    "rules",
    "defaults",
    "tags-may-loosen",
)

MAY_BE_LOOSENED = (
    "self-service",
    "mode",
    "windows",
    "complete-by",
    "soak",
    "max-unavailable",
    "health",
    "stalled-after",
    *COUNTER_INDICATIONS,
    "accept",
)
"""Keys where a tag can be looser than the file, and so needs `tags-may-loosen`."""

_YES = frozenset({"true", "yes", "on"})
_NO = frozenset({"false", "no", "off"})
_NAME = re.compile(r"[\w.()/-]+(?: [\w.()/-]+)*")


def parse_choice[T: StrEnum](kind: type[T]) -> Callable[[str], T]:
    """Make the parser for the values of an enumeration, in any case."""

    def parse(text: str) -> T:
        word = text.strip().lower()
        try:
            return kind(word)
        except ValueError:
            choices = f"write {', '.join(kind)}"
            raise ValueError(
                f"`{shown(text)}` is none of the choices{nearest(word, kind)}; {choices}"
            ) from None

    return parse


def parse_flag(text: str) -> bool:
    """True or false, yes or no, on or off; raises ValueError with a sentence."""
    word = text.strip().lower()
    if word in _YES | _NO:
        return word in _YES
    raise ValueError(f"`{shown(text)}` is neither yes nor no: write true or false")


def parse_positive(text: str) -> timedelta:
    """A duration above zero; raises ValueError with a sentence."""
    duration = parse_duration(text)
    if not duration:
        raise ValueError(f"`{shown(text)}` leaves no time at all: write more than zero, such as 60m")
    return duration


def parse_deadline(text: str) -> datetime | None:
    """The moment in UTC, None for `none`; raises ValueError with a sentence."""
    return None if text.strip().lower() == "none" else parse_when(text)


def parse_max_unavailable(text: str) -> Share | None:
    """The file's share; None for `default`, by which a rule gives the built-in limit back."""
    return None if text.strip().lower() == "default" else parse_share(text)


def parse_name(text: str) -> str:
    """A name of up to 90 characters, empty for `none`; raises ValueError with a sentence."""
    name = text.strip()
    if name.lower() == "none":
        return ""
    if _NAME.fullmatch(name) and len(name) <= 90:
        return name
    raise ValueError(
        f"`{shown(text)}` is not a name: write letters, digits, dots, hyphens and slashes, or none"
    )


def parse_names(text: str) -> tuple[str, ...]:
    """Names separated by commas or semicolons, each once, in their order; empty for `none`."""
    if text.strip().lower() == "none":
        return ()
    names = [parse_name(part) for part in re.split(r"[,;]", text)]
    if "" in names:
        raise ValueError(f"`{shown(text)}` says both none and a name: write the names alone, or none alone")
    return tuple(dict.fromkeys(names))


def parse_checks(text: str) -> tuple[str, ...]:
    """Names of checks that can be accepted, with hyphens and in lower case whatever was written."""
    names = tuple(name.lower().replace("_", "-") for name in parse_names(text))
    for name in names:
        if name not in ACCEPTABLE:
            raise ValueError(
                f"`{shown(name)}` is not the name of a check that can be accepted"
                f"{nearest(name, ACCEPTABLE)}; write {', '.join(ACCEPTABLE)}"
            )
    return tuple(dict.fromkeys(names))


PARSERS: Mapping[str, Callable[[str], Any]] = {
    "self-service": parse_choice(SelfService),
    "mode": parse_choice(Mode),
    "lead": parse_duration,
    "windows": parse_windows,
    "complete-by": parse_deadline,
    "tier": parse_name,
    "after": parse_names,
    "soak": parse_duration,
    "max-unavailable": parse_max_unavailable,
    "health": parse_choice(HealthRule),
    "recover-within": parse_positive,
    "stalled-after": parse_positive,
    **dict.fromkeys(COUNTER_INDICATIONS, parse_flag),
    "accept": parse_checks,
    "owner": parse_name,
}
"""The keys of a rule, each with its parser, in the order of docs/policy.md."""

TAG_KEYS = tuple(key for key in PARSERS if key not in FILE_ONLY)


def nearest(word: str, known: Iterable[str]) -> str:
    """`, did you mean …?`, or nothing when no known word is near."""
    near = get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f", did you mean `{near[0]}`?" if near else ""
