"""Posting JSON to an address that is a secret: Teams by a Workflows address, and webhooks as CloudEvents."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from handlers.channels.trouble import ChannelTrouble, Message, asked_wait

if TYPE_CHECKING:
    import aiohttp

TYPE = "breakwater.notice."
"""How the type of every event begins; a message's kind follows."""

SCHEMA = "urn:breakwater:notice:1"
"""The `$id` of docs/events.schema.json; the kind is the anchor in it."""

NOWHERE = "urn:breakwater"
"""The source of events where nobody has said where the app is reached."""

SECONDS = 20
"""For one post, connecting included. Workflows answer in one or two."""

AGAIN = frozenset({408, 425, 429})
"""Refusals that pass; every 5xx does, too."""

REFUSED = frozenset({400, 413, 415, 422})
"""Refusals of the message itself: of its form or its size. Any other is about the channel, whose address is
no longer valid, was rotated (401, 404) or moved: it passes once somebody has fixed that."""


@dataclass(frozen=True, slots=True)
class Post:
    """What is posted of a message."""

    content_type: str
    body: bytes


class Http:
    """One address of a receiver; `who` names it in trouble, `form` makes what is posted of a message."""

    def __init__(
        self,
        who: str,
        address: str,
        form: Callable[[Message], Post],
        session: "Callable[[], aiohttp.ClientSession]",
    ) -> None:
        self._who = who
        self._address = address
        self._form = form
        self._session = session

    async def send(self, message: Message) -> str:
        """One post, no redirect followed: a message goes where the policy says."""
        import aiohttp  # noqa: PLC0415 - only the stage that sends pays for it

        who, post = self._who, self._form(message)
        try:
            async with self._session().post(
                self._address,
                data=post.body,
                headers={"Content-Type": post.content_type, "Idempotency-Key": message.message_id},
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


def card(message: Message) -> Post:
    """For Teams: the card as a Workflows flow takes it. The flow answers 2xx before it posts."""
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": message.card,
    }
    body = {"type": "message", "attachments": [attachment]}
    return Post("application/json", json.dumps(body).encode())


def cloud_event(source: str) -> Callable[[Message], Post]:
    """For a webhook: the message as a CloudEvent in structured mode (docs/webhooks.md).

    `source` is where this app is reached, whatever the event is about.
    """

    def made(message: Message) -> Post:
        from cloudevents.core.bindings.http import to_structured_event  # noqa: PLC0415 - as aiohttp above
        from cloudevents.core.v1.event import CloudEvent  # noqa: PLC0415

        event = CloudEvent(
            {
                "id": message.message_id,
                "source": source or NOWHERE,
                "type": f"{TYPE}{message.kind}",
                "subject": message.about,
                "time": message.at.astimezone(UTC),
                "datacontenttype": "application/json",
                "dataschema": f"{SCHEMA}#{message.kind}",
            },
            dict(message.payload),
        )
        post = to_structured_event(event)
        return Post(post.headers["content-type"], post.body)

    return made
