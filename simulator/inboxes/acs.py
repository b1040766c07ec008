"""Azure Communication Services Email: POST /emails:send starts an operation, GET follows it to its end."""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.inboxes.base import Answer, slug
from simulator.inboxes.web import WebInbox

KEY = "c2ltdWxhdGVkLWtleQ=="  # any base64 signs; signatures are not verified here


@dataclass(frozen=True, slots=True)
class Sent:
    """One accepted mail; the operation id is the sender's own when it gave one."""

    operation_id: str
    body: Any
    headers: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The mail's subject."""
        return str(self.body.get("content", {}).get("subject", ""))


class AcsInbox(WebInbox[Sent]):
    """Wants an HMAC or bearer header as the service does; the same Operation-Id twice is one mail.

    Args (beside every inbox's):
        outcome: how operations end, `Succeeded` or `Failed`.
        poll_after: seconds of the Retry-After the sender is given.
    """

    suffix = ".json"

    def __init__(
        self,
        *,
        answers: Iterable[Answer] = (),
        folder: Path | None = None,
        outcome: str = "Succeeded",
        poll_after: int = 0,
    ) -> None:
        super().__init__(answers=answers, folder=folder)
        self._outcome = outcome
        self._poll_after = str(poll_after)
        self._operations: set[str] = set()

    @property
    def url(self) -> str:
        """The endpoint, as BREAKWATER_ACS_ENDPOINT wants it."""
        return self._origin

    def as_file(self, message: Sent) -> bytes:
        """The request's JSON, indented."""
        return json.dumps(message.body, indent=2, ensure_ascii=False).encode()

    def title(self, message: Sent) -> str:
        """The subject."""
        return slug(message.subject)

    def _routes(self) -> Any:
        return [
            ("POST", "/emails:send", self._send),
            ("GET", "/emails/operations/{operation}", self._operation),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        scripted = self._next_answer()
        if refused := _unauthorised(request):
            return refused
        if scripted and not scripted.keep:
            return _error(scripted.status, "Scripted", scripted.all_headers)
        try:
            body = json.loads(await request.read())
        except ValueError:
            return _error(400, "InvalidRequest")
        operation = request.headers.get("Operation-Id") or str(uuid.uuid4())
        if operation not in self._operations:
            self._operations.add(operation)
            await self._keep(Sent(operation, body, dict(request.headers)))
        if scripted:
            return _error(scripted.status, "Scripted", scripted.all_headers)
        return web.json_response(
            {"id": operation, "status": "Running"},
            status=202,
            headers={
                "Operation-Location": f"{self._origin}/emails/operations/{operation}?api-version=2025-09-01",
                "Retry-After": self._poll_after,
            },
        )

    async def _operation(self, request: web.Request) -> web.Response:
        operation = request.match_info["operation"]
        if refused := _unauthorised(request):
            return refused
        if operation not in self._operations:
            return _error(404, "OperationNotFound")
        answer: dict[str, Any] = {"id": operation, "status": self._outcome}
        if self._outcome != "Succeeded":
            answer["error"] = {"code": "EmailDropped", "message": "The simulated service dropped this mail."}
        return web.json_response(answer)


def _unauthorised(request: web.Request) -> web.Response | None:
    scheme = request.headers.get("Authorization", "").partition(" ")[0]
    return None if scheme in {"HMAC-SHA256", "Bearer"} else _error(401, "Denied")


def _error(status: int, code: str, headers: Mapping[str, str] | None = None) -> web.Response:
    body = {"error": {"code": code, "message": f"The simulated service answers {status}."}}
    return web.json_response(body, status=status, headers=headers)
