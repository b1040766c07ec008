"""Posting JSON to an address that is a secret: Teams by a Workflows address, and plain webhooks."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from handlers.channels.trouble import ChannelTrouble, Message, asked_wait

if TYPE_CHECKING:
    import aiohttp

SECONDS = 20
"""For one post, connecting included. Workflows answer in one or two."""

AGAIN = frozenset({408, 425, 429})
"""Refusals that pass; every 5xx does, too."""

REFUSED = frozenset({400, 413, 415, 422})
"""Refusals of the message itself: of its form or its size. Any other is about the channel, whose address no
longer counts, was rotated (401, 404) or moved: it passes once somebody has fixed that."""


class Teams:
    """A card to a channel, by the address of a Workflows flow, which answers 2xx before it posts."""

    def __init__(self, address: str, session: "Callable[[], aiohttp.ClientSession]") -> None:
        self._address = address
        self._session = session

    async def send(self, message: Message) -> str:
        envelope = {
            "type": "message",
            "attachments": [
                {
                    "contentType": "application/vnd.microsoft.card.adaptive",
                    "contentUrl": None,
                    "content": message.card,
                }
            ],
        }
        await post(self._session(), "Teams", self._address, envelope, message.message_id)
        return ""


class Webhook:
    """The message as JSON, for whatever the receiver has; documented in docs/notices.md."""

    def __init__(self, address: str, session: "Callable[[], aiohttp.ClientSession]") -> None:
        self._address = address
        self._session = session

    async def send(self, message: Message) -> str:
        await post(self._session(), "The webhook", self._address, message.payload, message.message_id)
        return ""


async def post(
    session: "aiohttp.ClientSession", who: str, address: str, body: Mapping[str, Any], message_id: str
) -> None:
    """One post, no redirect followed: a message goes where the policy says. Raises ChannelTrouble."""
    import aiohttp  # noqa: PLC0415 - only the stage that sends pays for it

    headers = {"Content-Type": "application/json", "Idempotency-Key": message_id}
    try:
        async with session.post(
            address,
            data=json.dumps(body).encode(),
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=SECONDS),
        ) as response:
            if 200 <= response.status < 300:
                return
            status = response.status
            wait = asked_wait(response.headers.get("Retry-After"), datetime.now(UTC))
    except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
        raise ChannelTrouble(
            f"{who} has an invalid URL; fix it in the policy file.", recoverable=True, broken=True
        ) from error
    except TimeoutError as error:
        raise ChannelTrouble(f"{who} did not answer within {SECONDS} s.", recoverable=True) from error
    except (aiohttp.ClientError, OSError) as error:
        raise ChannelTrouble(
            f"{who} could not be reached ({type(error).__name__}).", recoverable=True
        ) from error
    if status in AGAIN or status >= 500:
        raise ChannelTrouble(f"{who} answered {status}.", recoverable=True, retry_after=wait)
    if status in REFUSED:
        raise ChannelTrouble(f"{who} refused the message with {status}.", recoverable=False)
    raise ChannelTrouble(
        f"{who} answered {status}: its address does not count any more. Put the one that does into the "
        "policy file, or into the setting that it names.",
        recoverable=True,
        broken=True,
        retry_after=wait,
    )
