"""Several messages of one queue that travel as one: a scale set's plan costs storage less than one message.

Each is complete in itself: whoever takes a bundle may send any of its messages on alone. A bundle has a
version of its own, so that hosts that don't know it put it back, like every newer message.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import to_json

from handlers.wire.ids import RUNS, SCALE_SETS, Queue
from handlers.wire.messages import Message, parse

BUNDLE_VERSION: Final = 2

MOST: Final = 16
"""Messages in a bundle: with the longest names far less than the 48 KiB that a queue carries as base64."""

_BUNDLED: Final = frozenset({SCALE_SETS, RUNS})


@dataclass(frozen=True, slots=True)
class Bundle[Kind]:
    """The messages of a bundle, each as valid as one that came alone."""

    messages: tuple[Kind, ...]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = Field(default=BUNDLE_VERSION, ge=BUNDLE_VERSION, le=BUNDLE_VERSION)
    messages: tuple[JsonValue, ...] = Field(min_length=1)


def bundled(messages: Sequence[Message]) -> Iterator[str]:
    """The texts, as few as may be, under which messages of one queue travel."""
    for first in range(0, len(messages), MOST):
        together = messages[first : first + MOST]
        yield bundle_text(together) if len(together) > 1 else together[0].model_dump_json()


def bundle_text(messages: Sequence[Message]) -> str:
    """The text under which several messages of a queue travel."""
    return to_json({"v": BUNDLE_VERSION, "messages": messages}).decode()


def texts_in(queue: Queue, body: str | bytes) -> tuple[str, ...]:
    """The texts of the messages in a bundle, unread; none when it isn't one."""
    if queue not in _BUNDLED:
        return ()
    try:
        wire = _Wire.model_validate_json(body)
    except ValidationError:
        return ()
    return tuple(to_json(message).decode() for message in wire.messages)


def parse_all(queue: Queue, texts: Sequence[str]) -> Bundle[Message]:
    """The bundle of these texts. Raises BadMessage or NewerMessage if there is one such among them."""
    return Bundle(tuple(parse(queue, text) for text in texts))
