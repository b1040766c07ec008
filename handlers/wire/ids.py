"""Names that cross borders and their form: tracking ids, subscriptions, scale sets, queues, URLs."""

import re
from typing import Final, Literal
from urllib.parse import quote, urlsplit

TRACKING_ID: Final = r"[A-Za-z0-9_-]{1,64}"
GUID: Final = r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
RESOURCE_GROUP: Final = r"[^/\x00-\x1f%?#\\]{1,90}"
SCALE_SET: Final = r"[A-Za-z0-9_.-]{1,80}"

LONGEST_ENCODED: Final = 850
"""Characters of a resource group in a path; a whole blob name has at most 1,024."""

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
"""Hosts a secret may be sent to without TLS: it does not leave the machine."""

ALERTS: Final = "alerts"
SCALE_SETS: Final = "scale-sets"
RUNS: Final = "runs"
NOTICES: Final = "notices"
type Queue = Literal["alerts", "scale-sets", "runs", "notices"]
QUEUES: Final[tuple[Queue, ...]] = (ALERTS, SCALE_SETS, RUNS, NOTICES)


def poison(queue: str) -> str:
    """Where the host puts a message that failed five times."""
    return f"{queue}-poison"


def checked_tracking_id(text: str) -> str:
    """The tracking id as it is; ValueError when it is not one."""
    if not re.fullmatch(TRACKING_ID, text):
        raise ValueError(
            f"{text[:80]!r} is not a tracking id: 1 to 64 letters, digits, dashes, underscores are allowed."
        )
    return text


def checked_subscription(text: str) -> str:
    """The subscription in lower case; ValueError when it is not a GUID."""
    if not re.fullmatch(GUID, text):
        raise ValueError(f"{text[:80]!r} is not a subscription id: a GUID is expected.")
    return text.lower()


def checked_resource_group(text: str) -> str:
    """The resource group as it is; ValueError, without repeating it, when no path may be built from it."""
    fits = len(quote(text.lower(), safe="")) <= LONGEST_ENCODED
    if not (fits and re.fullmatch(RESOURCE_GROUP, text)) or _leads_elsewhere(text):
        raise ValueError("This is not the name of a resource group.")
    return text


def checked_scale_set(text: str) -> str:
    """The scale set's name as it is; ValueError, without repeating it, when no path may be built from it."""
    if not re.fullmatch(SCALE_SET, text) or _leads_elsewhere(text):
        raise ValueError("This is not the name of a scale set.")
    return text


def _leads_elsewhere(name: str) -> bool:
    """Dots alone, which clients resolve before they ask: `runs/<subscription>/../x` is `runs/x`."""
    return not name.strip(".")


def is_url(text: str, *schemes: str) -> bool:
    """Whether it is a URL of one of these schemes, with a host and, if it names a port, a possible one."""
    try:
        parts = urlsplit(text)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def safe_for_secrets(url: str) -> bool:
    """Whether a secret may be sent to it: by TLS, or within this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or parts.hostname in LOOPBACK
