"""Names that cross borders and how they look: tracking ids, subscriptions, queues."""

import re
from typing import Final, Literal

TRACKING_ID: Final = r"[A-Za-z0-9_-]{1,64}"
GUID: Final = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_tracking_id = re.compile(TRACKING_ID, re.ASCII)
_guid = re.compile(GUID, re.ASCII)

ALERTS: Final = "alerts"
SCALE_SETS: Final = "scale-sets"
RUNS: Final = "runs"
NOTICES: Final = "notices"
type Queue = Literal["alerts", "scale-sets", "runs", "notices"]
QUEUES: Final[tuple[Queue, ...]] = (ALERTS, SCALE_SETS, RUNS, NOTICES)


def checked_tracking_id(text: str) -> str:
    """The tracking id as it is; ValueError when it is not one."""
    if not _tracking_id.fullmatch(text):
        raise ValueError(
            f"{text[:80]!r} is not a tracking id: 1 to 64 letters, digits, dashes, underscores are allowed."
        )
    return text


def checked_subscription(text: str) -> str:
    """The subscription in lower case; ValueError when it is not a GUID."""
    if not _guid.fullmatch(text):
        raise ValueError(f"{text[:80]!r} is not a subscription id: a GUID is expected.")
    return text.lower()
