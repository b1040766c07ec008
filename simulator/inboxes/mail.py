"""A mail server that keeps what it is given, as messages and as .eml files."""

import asyncio
import ssl
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from simulator.inboxes.base import Inbox, slug


class MailInbox(Inbox[EmailMessage]):
    """SMTP on a free port; any user and password are accepted, none is required.

    With a `certificate` it offers STARTTLS and takes no password before it, or, `tls_first`, speaks nothing else.

    Scripted answers are SMTP codes given at the end of DATA: 451 for "later", 554 for "never". `sign_in` is the
    code for every sign-in, 535 where the password counts no longer.
    """

    suffix = ".eml"

    certificate: ssl.SSLContext | None = None
    tls_first = False
    sign_in = 235

    @property
    def url(self) -> str:
        """As BREAKWATER_SMTP wants it: smtp://127.0.0.1:port."""
        return f"smtp{'s' if self.tls_first else ''}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Where it listens; known once started."""
        return int(self._server.sockets[0].getsockname()[1])

    def as_file(self, message: EmailMessage) -> bytes:
        """The message as it came."""
        return message.as_bytes()

    def title(self, message: EmailMessage) -> str:
        """The subject."""
        return slug(str(message["subject"] or ""))

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(
                _Handler(self),
                loop=loop,
                authenticator=lambda *_: self._signed_in(),
                auth_require_tls=self.certificate is not None and not self.tls_first,
                tls_context=None if self.tls_first else self.certificate,
                enable_SMTPUTF8=True,
            ),
            "127.0.0.1",
            0,
            ssl=self.certificate if self.tls_first else None,
        )

    def _signed_in(self) -> AuthResult:
        if self.sign_in == 235:
            return AuthResult(success=True)
        return AuthResult(success=False, handled=False, message=f"{self.sign_in} as scripted")

    async def close(self) -> None:
        """Stop listening; the messages stay."""
        self._server.close()
        self._server.close_clients()
        await self._server.wait_closed()

    async def take(self, envelope: Envelope) -> str:
        """What to answer at the end of DATA; keeps the message unless a scripted answer refuses it."""
        scripted = self._next_answer()
        if scripted is None or scripted.keep:
            raw = envelope.original_content or b""
            await self._keep(message_from_bytes(raw, policy=policy.default))
        return f"{scripted.status} as scripted" if scripted else "250 kept"


class _Handler:
    def __init__(self, inbox: MailInbox) -> None:
        self._inbox = inbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> Any:  # noqa: N802 - aiosmtpd's name
        return await self._inbox.take(envelope)
