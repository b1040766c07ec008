"""After 429: the same message again, as late as Azure asks; people are told once if it lasts."""

from datetime import datetime, timedelta

from handlers.cloud.errors import Throttled
from handlers.wire.messages import AlertMessage, ScaleSetMessage
from planner.text.backoff import TOLD_AFTER, throttled_wait


def put_off[M: (AlertMessage, ScaleSetMessage)](
    message: M, error: Throttled, now: datetime, *seed: object
) -> tuple[M, timedelta, bool]:
    """The message to send, its delay, and whether people are to be told now; no try is used up.

    `seed` is what the message is about, so that messages do not all come back at once.
    """
    since = message.throttled_since or now
    lasted, told = now - since, message.throttled_told
    tell = lasted >= TOLD_AFTER and not told
    delay = throttled_wait(error.retry_after, lasted, *seed, now)
    if not (tell or told):
        delay = min(delay, TOLD_AFTER - lasted)
    later = message.model_copy(update={"throttled_since": since, "throttled_told": told or tell})
    return later, delay, tell
