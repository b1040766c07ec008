"""Mail by Azure Communication Services, with the app's identity."""

import asyncio
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from handlers.channels.http import AGAIN, REFUSED
from handlers.channels.mail import CALENDAR_NAME, CALENDAR_TYPE, address, headers
from handlers.channels.trouble import ChannelTrouble, Message, asked_wait

if TYPE_CHECKING:
    from azure.communication.email.aio import EmailClient

WATCHED_SECONDS = 30
"""How long an accepted mail is followed; afterwards it counts as sent, the service keeps trying."""


class Acs:
    """Mail to the addresses of one receiver. The operation id is the message's: sent twice, mailed once."""

    def __init__(self, client: "Callable[[], EmailClient]", sender: str, recipients: tuple[str, ...]) -> None:
        self._client = client
        self._sender = sender
        self._recipients = recipients

    async def send(self, message: Message) -> str:
        from azure.core.exceptions import (  # noqa: PLC0415 - only the stage that sends pays for it
            AzureError,
            ClientAuthenticationError,
            HttpResponseError,
        )

        mail: dict[str, Any] = {
            "senderAddress": address(self._sender),
            "content": {"subject": message.subject, "plainText": message.text, "html": message.html},
            "recipients": {"to": [{"address": address(recipient)} for recipient in self._recipients]},
            "headers": {"X-Breakwater-Message": message.message_id, **headers(message, self._sender)},
        }
        if message.calendar:
            # The service wants a bare type; the calendar says its method itself. Should the service not like
            # the attachment, the mail is to go without it.
            calendar = b64encode(message.calendar).decode()
            mail["attachments"] = [
                {"name": CALENDAR_NAME, "contentType": CALENDAR_TYPE, "contentInBase64": calendar}
            ]
            mail["headers"]["x-ms-acsemail-suppress-invalid-attachment"] = "true"
        try:
            # Plain http is for an inbox on this machine; the settings allow it on loopback only.
            poller = await self._client().begin_send(
                mail, operation_id=str(UUID(message.message_id)), enforce_https=False, polling_interval=2
            )
            async with asyncio.timeout(WATCHED_SECONDS):
                await poller.result()
        except TimeoutError:
            return ""
        except ClientAuthenticationError as error:
            raise ChannelTrouble(
                "Azure Communication Services refused the app's credential; it needs a role on the resource.",
                broken=True,
            ) from error
        except HttpResponseError as error:
            status = error.status_code or 0
            code = error.error.code if error.error else ""
            answered = getattr(error.response, "headers", None) or {}
            passes = status in AGAIN or status >= 500
            broken = status >= 400 and not passes and status not in REFUSED
            answer = f"{status} {code or error.reason or ''}".strip()
            what = f"answered {answer}" if status >= 400 else f"took the mail and did not send it ({code})"
            fix = "; check BREAKWATER_ACS_ENDPOINT and the app's role on the resource" if broken else ""
            raise ChannelTrouble(
                f"Azure Communication Services {what}{fix}.",
                recoverable=passes,
                broken=broken,
                retry_after=asked_wait(answered.get("Retry-After"), datetime.now(UTC)),
            ) from error
        except AzureError as error:
            raise ChannelTrouble(
                f"Azure Communication Services could not be reached ({type(error).__name__}).",
            ) from error
        return ""


def build_client(endpoint: str, credential: Callable[[], Any]) -> "EmailClient":
    """A client for the endpoint of a Communication Services resource; the SDK's own retries are off."""
    from azure.communication.email.aio import EmailClient  # noqa: PLC0415

    return EmailClient(endpoint, credential(), retry_total=0)
