"""A command as a person sends it: JSON or a form, who and why, and what it is about."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from pydantic_core import from_json

from handlers.wire.http import Request
from planner.people.commands import SAYABLE
from planner.policy.overrides import RAISABLE, checked_raise
from planner.record.command import Command, CommandKind

YOUR_NAME, WHY = "YOUR NAME", "WHY"
"""Placeholders for who and why in the commands that people are sent; nobody is called that."""

PRINCIPAL = "x-ms-client-principal-name"
"""Who signed in, set by App Service authentication; without it anybody can send this header."""

LARGEST_BODY = 64 * 1024
LONGEST_RAISE, LONGEST_NAME = 400, 200
LONGEST_ACTOR, LONGEST_COMMENT, MOST_NAMES = 200, 2000, 1000
_ABOUT = ("actor", "comment", "checksum", "instances", "domains")
_NOTICE = "notice"
_UNTOUCHED = frozenset({YOUR_NAME.lower(), WHY.lower(), "who", "name", "actor", "comment", "reason"})
_LEFT_IN = re.compile(r"<[^<>:/]*>|\$\w+|\$\{\w+\}|\$\(.*\)")
"""A whole value like `<your name>`, or like `$USER`, which single quotes kept from the shell."""


class Refused(Exception):
    """The command is refused, with the HTTP status and the sentence to answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class CommandRequest:
    """What the person asks; `raised` is policy key to value as written, `notice` what is acknowledged."""

    kind: CommandKind
    actor: str
    comment: str = ""
    checksum: str = ""
    instances: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)
    notice: int = 0

    def command(self, at: datetime) -> Command:
        """The command as it is written on a run's record, with an id of its own."""
        return Command(
            id=f"person-{uuid.uuid4()}",
            kind=self.kind,
            actor=self.actor,
            comment=self.comment,
            at=at,
            checksum=self.checksum,
            instances=self.instances,
            domains=self.domains,
            raised=self.raised,
            notice=self.notice,
        )


def read(request: Request, *, signed_in: bool) -> CommandRequest:
    """The command of a request. Raises Refused: 400 for what is not understood, 409 for an unedited template.

    `signed_in`: the platform guards the app, so its header says who it is. Otherwise any client could have
    sent that header.
    """
    action = request.path_parameters.get("action", "")
    if action not in SAYABLE:
        raise Refused(400, f"{action[:40]!r} is not an action; use {', '.join(SAYABLE)}.")
    kind = CommandKind(action)
    given = given_in(request)
    instances = _names(given.get("instances"), "instances", ",")
    domains = _names(given.get("domains"), "domains", ";")
    actor, comment = who_and_why(request, given, signed_in=signed_in)
    if (instances or domains) and kind is not CommandKind.SKIP:
        which = "instances" if instances else "domains"
        raise Refused(400, f"`{which}` belongs to skip; {kind} is about the whole scale set.")
    notice = _number(given, kind)
    if kind is CommandKind.ACKNOWLEDGE:
        only(given, (*_ABOUT, _NOTICE), kind)
    elif kind is not CommandKind.RAISE:
        only(given, _ABOUT, kind)
    more = {key: value for key, value in given.items() if key not in _ABOUT}
    raised = raised_in(more) if kind is CommandKind.RAISE else {}
    return CommandRequest(
        kind, actor, comment, _line(given.get("checksum"))[:128], instances, domains, raised, notice
    )


def _number(given: Mapping[str, Any], kind: CommandKind) -> int:
    """The notice that an acknowledgement is for; zero for whichever pages."""
    if kind is not CommandKind.ACKNOWLEDGE or _NOTICE not in given:
        return 0
    text = str(given[_NOTICE])
    if not re.fullmatch(r"[1-9]\d{0,6}", text, re.ASCII):
        raise Refused(400, f"`{_NOTICE}` must be the number of the notice that pages, or be left out.")
    return int(text)


def who_and_why(request: Request, given: Mapping[str, Any], *, signed_in: bool) -> tuple[str, str]:
    """Who says it and why; raises Refused."""
    actor = (_line(request.headers.get(PRINCIPAL)) if signed_in else "") or _actor(given)
    return actor, _comment(given)


def only(given: Mapping[str, Any], known: Sequence[str], kind: str) -> None:
    """Raise Refused for a field nobody knows: a misspelt `domains` must not skip everything."""
    strange = [str(key)[:40] for key in given if key not in known]
    if strange:
        raise Refused(400, f"`{strange[0]}` is not a field of {kind}; use {', '.join(known)}.")


def _actor(given: Mapping[str, Any]) -> str:
    actor = _line(given.get("actor"))
    if not actor:
        raise Refused(400, "Say who you are: `actor` is missing. It is recorded in the run's history.")
    if _untouched(actor):
        raise Refused(
            409, f"Say who you are: `actor` is still {actor[:40]!r}. It is recorded in the run's history."
        )
    return actor[:LONGEST_ACTOR]


def _comment(given: Mapping[str, Any]) -> str:
    comment = given.get("comment")
    if comment is None:
        return ""
    if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT or "\x00" in comment:
        raise Refused(400, f"`comment` must be text of at most {LONGEST_COMMENT} characters.")
    comment = comment.strip()
    if not comment:
        raise Refused(400, "`comment` is empty: say why, or leave it out.")
    if _untouched(comment):
        raise Refused(
            409, f"Say why, or leave it out: `comment` is still {comment[:40]!r}. It would be in the history."
        )
    return comment


def _untouched(text: str) -> bool:
    """Whether it is still the template's placeholder, or another one."""
    plain = " ".join(re.sub(r"[\W_]+", " ", text).split()).lower()
    return plain in _UNTOUCHED or _LEFT_IN.fullmatch(text) is not None


def raised_in(given: Mapping[str, Any]) -> Mapping[str, str]:
    """What to raise, by key of the policy; raises Refused."""
    found: dict[str, str] = {}
    for key, value in given.items():
        if not isinstance(value, str | int) or isinstance(value, bool) or len(str(value)) > LONGEST_RAISE:
            raise Refused(400, f"`{key[:40]}` must be text of at most {LONGEST_RAISE} characters.")
        try:
            found[checked_raise(key, str(value))] = str(value)
        except ValueError as error:
            raise Refused(400, f"This cannot be raised: {error}.") from error
    if not found:
        raise Refused(400, f"Say what to raise: {', '.join(RAISABLE)}, such as soak=10m.")
    return found


def given_in(request: Request) -> Mapping[str, Any]:
    """The fields of a JSON object or of a form, none for an empty body; raises Refused."""
    if len(request.body) > LARGEST_BODY:
        raise Refused(
            400,
            f"The body has {len(request.body)} bytes; at most {LARGEST_BODY} are accepted. "
            "Send several requests.",
        )
    try:
        text = request.body.decode()
        if not text.strip():
            return {}
        # curl says "form" of whatever it is given with -d.
        form = "form-urlencoded" in request.headers.get("content-type", "")
        if form and not text.lstrip().startswith("{"):
            fields = parse_qsl(
                text, keep_blank_values=True, strict_parsing=True, max_num_fields=50, errors="strict"
            )
            return dict(fields)
        given = from_json(text)
    except ValueError as error:
        raise Refused(400, "The body is neither a JSON object nor a form in UTF-8.") from error
    if not isinstance(given, dict):
        raise Refused(400, "The body is JSON, but not an object.")
    return given


def _line(value: Any) -> str:
    return " ".join(value.replace("\x00", " ").split()) if isinstance(value, str) else ""


def _names(value: Any, name: str, separator: str) -> tuple[str, ...]:
    """A JSON list, or names with separators as a form sends them; a domain's name may hold commas."""
    if value is None:
        return ()
    names = value.split(separator) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(entry, str | int) for entry in names):
        raise Refused(400, f"`{name}` must be a list of names.")
    found = tuple(dict.fromkeys(filter(None, (str(entry).strip() for entry in names))))
    if not found:
        raise Refused(400, f"`{name}` names nothing; leave it out to mean all that is left.")
    if len(found) > MOST_NAMES or any(len(entry) > LONGEST_NAME for entry in found):
        raise Refused(
            400, f"At most {MOST_NAMES} {name} at a time, each of at most {LONGEST_NAME} characters."
        )
    return found
