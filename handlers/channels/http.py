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
"""Refusals of the message itself: of its form or its size. Any other is about the channel, whose address is
no longer valid, was rotated (401, 404) or moved: it passes once somebody has fixed that."""


class Http:
    """One address of a receiver; `who` names it in trouble, `body` makes the JSON of a message."""

    def __init__(
        self,
        who: str,
        address: str,
        body: Callable[[Message], Mapping[str, Any]],
        session: "Callable[[], aiohttp.ClientSession]",
    ) -> None:
        self._who = who
        self._address = address
        self._body = body
        self._session = session

    async def send(self, message: Message) -> str:
        """One post, no redirect followed: a message goes where the policy says."""
        import aiohttp  # noqa: PLC0415 - only the stage that sends pays for it

        who = self._who
        try:
            async with self._session().post(
                self._address,
                data=json.dumps(self._body(message)).encode(),
                headers={"Content-Type": "application/json", "Idempotency-Key": message.message_id},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=SECONDS),
            ) as response:
                status = response.status
                wait = asked_wait(response.headers.get("Retry-After"), datetime.now(UTC))
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise ChannelTrouble(
                f"{who} has an invalid URL; fix it in the policy file.", broken=True
            ) from error
        except TimeoutError as error:
            raise ChannelTrouble(f"{who} did not answer within {SECONDS} s.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise ChannelTrouble(f"{who} could not be reached ({type(error).__name__}).") from error
        if 200 <= status < 300:
            return ""
        if status in AGAIN or status >= 500:
            raise ChannelTrouble(f"{who} answered {status}.", retry_after=wait)
        if status in REFUSED:
            raise ChannelTrouble(f"{who} refused the message with {status}.", recoverable=False)
        raise ChannelTrouble(
            f"{who} answered {status}: its address is no longer valid. Put the current one into the policy "
            "file, or into the setting that it names.",
            broken=True,
            retry_after=wait,
        )


def card(message: Message) -> Mapping[str, Any]:
    """For Teams: the card as a Workflows flow takes it. The flow answers 2xx before it posts."""
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": message.card,
    }
    return {"type": "message", "attachments": [attachment]}


def payload(message: Message) -> Mapping[str, Any]:
    """For a webhook: the message as JSON (docs/notices.md)."""
    return message.payload
