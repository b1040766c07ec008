"""A command about a whole wave as a person sends it: for the runs that stand somewhere, or for the limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from handlers.wire.command_request import CommandRequest, Refused, given_in, only, raised_in, who_and_why
from handlers.wire.http import Request
from handlers.wire.ids import checked_subscription
from planner.people.commands import SAYABLE
from planner.record.command import CommandKind

FOR_WAVES = tuple(kind for kind in SAYABLE if kind is not CommandKind.APPROVE)
"""An approval is for one plan, which somebody has looked at."""

LARGEST_LIMIT = 10_000
_ABOUT = ("actor", "comment", "runs", "subscription")


class Which(StrEnum):
    """Which runs of a wave a command is for."""

    LATE = "late"
    WAITING = "waiting"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class WaveRequest:
    """What the person asks of a wave: `command` of the runs `which`, or, without any, to raise `limits`.

    `limits` is key under `limits` of the policy to number, `subscription` empty for all of the wave's.
    """

    command: CommandRequest
    which: Which | None
    subscription: str = ""
    limits: Mapping[str, int] = field(default_factory=dict)


def read(request: Request, *, signed_in: bool) -> WaveRequest:
    """The command of a request; raises Refused as `command_request.read` does."""
    action = request.path_parameters.get("action", "")
    if action == CommandKind.APPROVE:
        raise Refused(400, "An approval is for one plan: approve each scale set, on its page.")
    if action not in FOR_WAVES:
        raise Refused(400, f"{action[:40]!r} is not an action for a wave; use {', '.join(FOR_WAVES)}.")
    kind = CommandKind(action)
    given = given_in(request)
    actor, comment = who_and_why(request, given, signed_in=signed_in)
    if kind is not CommandKind.RAISE:
        only(given, _ABOUT, kind)
    more = {key: value for key, value in given.items() if key not in _ABOUT}
    limits = {key: _number(key, value) for key, value in more.items() if _is_limit(key)}
    subscription = _subscription(given)
    if limits:
        if len(limits) < len(more) or "runs" in given:
            raise Refused(
                400, "Limits are the wave's, `runs` and the rest are for its runs: send two commands."
            )
        return WaveRequest(CommandRequest(kind, actor, comment), None, subscription, limits)
    which = _which(given)
    raised = raised_in(more) if kind is CommandKind.RAISE else {}
    return WaveRequest(CommandRequest(kind, actor, comment, raised=raised), which, subscription)


def _is_limit(key: str) -> bool:
    return key in {"scale-sets", "regions", "per-region"} or key.startswith("by-match.")


def _number(key: str, value: Any) -> int:
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= LARGEST_LIMIT and len(text) <= 5):
        raise Refused(400, f"`{key[:90]}` must be a number from 1 to {LARGEST_LIMIT}.")
    return int(text)


def _which(given: Mapping[str, Any]) -> Which:
    try:
        return Which(given.get("runs", ""))
    except ValueError:
        raise Refused(
            400,
            "Say which scale sets: `runs` is `late` (no place before the deadline), `waiting` (not begun) "
            "or `all`.",
        ) from None


def _subscription(given: Mapping[str, Any]) -> str:
    text = given.get("subscription", "")
    if text == "":
        return ""
    try:
        return checked_subscription(str(text))
    except ValueError as error:
        raise Refused(400, str(error)) from error
