"""The channels of a receiver; clients are built when first needed and shared."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from handlers.channels.email_acs import Acs, build_client
from handlers.channels.email_smtp import Smtp
from handlers.channels.http import Http, card, cloud_event
from handlers.channels.trouble import ChannelTrouble, Message, Sender
from handlers.wire.settings import Settings
from planner.policy.model import Receiver

if TYPE_CHECKING:
    import aiohttp
    from azure.communication.email.aio import EmailClient


class Nowhere:
    """A channel that lacks a setting: every message waits, with the reason, until somebody has set it."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    async def send(self, message: Message) -> str:  # noqa: ARG002 - every sender takes one
        raise ChannelTrouble(self._reason, broken=True)


class Channels:
    """Senders by the settings. `credential` gives the app's identity when Azure is asked to send mail."""

    def __init__(self, settings: Settings, credential: Callable[[], Any]) -> None:
        self._settings = settings
        self._credential = credential
        self._session: aiohttp.ClientSession | None = None
        self._acs: EmailClient | None = None

    def of(self, receiver: Receiver) -> dict[str, Sender]:
        """The receiver's channels by name, in a fixed order; empty when it names none."""
        senders: dict[str, Sender] = {}
        if receiver.email:
            senders["email"] = self._mail(receiver.email)
        if receiver.teams:
            senders["teams"] = Http("Teams", receiver.teams, card, self._shared_session)
        if receiver.webhook:
            form = cloud_event(self._settings.public_url)
            senders["webhook"] = Http("The webhook", receiver.webhook, form, self._shared_session)
        return senders

    async def close(self) -> None:
        """Close what was opened."""
        if self._session is not None:
            await self._session.close()
        if self._acs is not None:
            await self._acs.close()

    def _mail(self, recipients: tuple[str, ...]) -> Sender:
        settings = self._settings
        smtp = settings.smtp.get_secret_value()
        if not smtp and not settings.acs_endpoint:
            return Nowhere("No way to send mail: set BREAKWATER_SMTP or BREAKWATER_ACS_ENDPOINT.")
        if not settings.mail_from:
            return Nowhere("Mail needs a sender: set BREAKWATER_MAIL_FROM.")
        if smtp:
            return Smtp(smtp, settings.mail_from, recipients)
        return Acs(self._acs_client, settings.mail_from, recipients)

    def _acs_client(self) -> "EmailClient":
        if self._acs is None:
            self._acs = build_client(self._settings.acs_endpoint, self._credential)
        return self._acs

    def _shared_session(self) -> "aiohttp.ClientSession":
        import aiohttp  # noqa: PLC0415 - only the stage that sends pays for it

        if self._session is None or self._session.closed:
            self._session = aiohttp.ClientSession()
        return self._session
