"""What a call is answered with, and Azure's ways of saying no."""

import json
from dataclasses import dataclass, field
from typing import Any

from simulator.arm import shapes


@dataclass(slots=True)
class Reply:
    """A response; `dropped` closes the connection instead of sending it."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    dropped: bool = False


@dataclass(slots=True)
class Request:
    """A call as it came: names from the path (lower case), the query, the body, and where we are reached."""

    names: dict[str, str]
    query: dict[str, str]
    body: bytes
    base: str
    path: str


class Refusal(Exception):
    """Azure's error answer: status, code, message."""

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.reply = Reply(status, json.dumps(shapes.error(code, message)).encode(), headers or {})


def good(body: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(body, separators=(",", ":")).encode())


def not_found(kind: str, name: str, group: str) -> Refusal:
    return Refusal(
        404,
        "ResourceNotFound",
        f"The Resource 'Microsoft.Compute/{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def only_uniform(what: str, name: str) -> Refusal:
    return Refusal(
        409,
        "OperationNotAllowed",
        f"Operation '{what}' is not allowed on Virtual Machine Scale Set '{name}'.",
    )


def bad_request(message: str, code: str = "InvalidParameter") -> Refusal:
    return Refusal(400, code, message)
