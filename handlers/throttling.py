"""After 429: the same message again, as late as Azure asks, and people are told once it has lasted."""

from datetime import datetime, timedelta

from handlers.cloud.errors import Throttled
from handlers.wire.messages import AlertMessage, RunMessage, ScaleSetMessage

TOLD_AFTER = timedelta(minutes=30)
"""How long Azure may ask to wait, again and again, before somebody hears of it."""


def put_off[M: (AlertMessage, ScaleSetMessage, RunMessage)](
    message: M, error: Throttled, now: datetime, *, told: bool = False
) -> tuple[M, timedelta, bool]:
    """The message to send, its delay, and whether this is the moment to tell; no try is used up.

    `told`: somebody has heard of it already.
    """
    told = told or message.throttled_told
    since = message.throttled_since or now
    lasted = now - since
    tell = lasted >= TOLD_AFTER and not told
    delay = error.retry_after if tell or told else min(error.retry_after, TOLD_AFTER - lasted)
    later = message.model_copy(update={"throttled_since": since, "throttled_told": told or tell})
    return later, delay, tell
