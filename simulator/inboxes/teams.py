"""A Teams Workflows webhook: takes posted JSON, answers 202, refuses what Teams would refuse.

At another path it is any webhook's inbox.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.inboxes.base import Answer, slug
from simulator.inboxes.web import WebInbox

LARGEST = 28 * 1024  # bytes; larger messages fail in Teams (reference: "about 28 KB")


@dataclass(frozen=True, slots=True)
class Post:
    """One message as it was posted."""

    body: Any
    headers: Mapping[str, str]
    size: int  # bytes


class TeamsInbox(WebInbox[Post]):
    """Answers 202 to JSON, 400 to anything else, 413 above 28 KB."""

    suffix = ".json"

    def __init__(
        self,
        *,
        answers: Iterable[Answer] = (),
        folder: Path | None = None,
        path: str = "/workflows/teams",
        largest: int = LARGEST,
    ) -> None:
        """As every inbox; `path` is the webhook's, `largest` its limit in bytes."""
        super().__init__(answers=answers, folder=folder)
        self._path = path
        self._largest = largest

    @property
    def url(self) -> str:
        """The webhook's address, with a signature as Workflows addresses have one: it is the secret."""
        return f"{self._origin}{self._path}?sig=simulated"

    def as_file(self, message: Post) -> bytes:
        """The posted JSON, indented."""
        return json.dumps(message.body, indent=2, ensure_ascii=False).encode()

    def title(self, message: Post) -> str:
        """The first text of the card, or the summary."""
        return slug(_first_text(message.body))

    def _routes(self) -> Any:
        return [("POST", self._path, self._receive)]

    async def _receive(self, request: web.Request) -> web.Response:
        scripted = self._next_answer()
        raw = await request.read()
        if scripted and not scripted.keep:
            return web.Response(status=scripted.status, headers=scripted.all_headers)
        if len(raw) > self._largest:
            return web.json_response({"error": {"code": "RequestEntityTooLarge"}}, status=413)
        try:
            body = json.loads(raw)
        except ValueError:
            return web.json_response({"error": {"code": "InvalidRequestContent"}}, status=400)
        await self._keep(Post(body, dict(request.headers), len(raw)))
        if scripted:
            return web.Response(status=scripted.status, headers=scripted.all_headers)
        return web.Response(status=202)


def _first_text(body: Any) -> str:
    """The first `text` string in a card, depth first; empty without one."""
    if isinstance(body, dict):
        if isinstance(body.get("text"), str):
            return str(body["text"])
        body = list(body.values())
    if isinstance(body, list):
        return next((text for one in body if (text := _first_text(one))), "")
    return ""
