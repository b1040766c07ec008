"""Where records lie; one function a name.

Names in paths are lower-cased (a tracking id keeps its case) and percent-encoded. Everything raises
ValueError with a sentence for an invalid tracking id, subscription, resource group or scale set name: a path
is never built from an unchecked name.
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from handlers.wire.ids import (
    checked_resource_group,
    checked_scale_set,
    checked_subscription,
    checked_tracking_id,
)

CONTAINER: Final = "breakwater"

ALERTS_PREFIX: Final = "alerts/"
WAVES_PREFIX: Final = "waves/"
RUNS_PREFIX: Final = "runs/"
ARCHIVE_PREFIX: Final = "archive/"
CLAIMS_PREFIX: Final = "claims/"
DRILLS_PREFIX: Final = "drills/"
QUARANTINE: Final = "quarantine/"
LISTINGS_PREFIX: Final = "listings/"
SWEEP_STATE: Final = "sweep/state.json"


def _part(name: str) -> str:
    if not name:
        raise ValueError("An empty name cannot be part of a record's path.")
    return quote(name.lower(), safe="")


def alert_path(body_hash: str) -> str:
    """`body_hash` is the SHA-256 of the body's bytes in hex."""
    return f"{ALERTS_PREFIX}{_part(body_hash)}.json"


def failure_path(queue: str, digest: str) -> str:
    """Where it stands why a message failed; `digest` is the hash of its text."""
    return f"failures/{_part(queue)}/{_part(digest)}.json"


def wave_prefix(tracking_id: str) -> str:
    return f"{WAVES_PREFIX}{checked_tracking_id(tracking_id)}/"


def wave_path(tracking_id: str, subscription: str) -> str:
    return f"{wave_prefix(tracking_id)}{checked_subscription(subscription)}.json"


def _scale_set(subscription: str, resource_group: str, name: str) -> str:
    group, scale_set = checked_resource_group(resource_group), checked_scale_set(name)
    return f"{checked_subscription(subscription)}/{_part(group)}/{_part(scale_set)}"


def listing_path(subscription: str) -> str:
    return f"{LISTINGS_PREFIX}{checked_subscription(subscription)}.json"


def run_path(subscription: str, resource_group: str, name: str) -> str:
    return f"{RUNS_PREFIX}{_scale_set(subscription, resource_group, name)}.json"


def archive_path(subscription: str, resource_group: str, name: str, ended: datetime) -> str:
    """`ended` is an aware time; the name sorts by it."""
    stamp = ended.astimezone(UTC).strftime("%Y-%m-%dT%H-%M-%S-%fZ")
    return f"{ARCHIVE_PREFIX}{_scale_set(subscription, resource_group, name)}/{stamp}.json"


def claim_prefix(subscription: str) -> str:
    return f"{CLAIMS_PREFIX}{checked_subscription(subscription)}/"


def claim_path(subscription: str, resource_group: str, name: str) -> str:
    return f"{CLAIMS_PREFIX}{_scale_set(subscription, resource_group, name)}"


def limits_prefix(subscription: str) -> str:
    """Where it stands what people have raised of a subscription's limits."""
    return f"limits/{checked_subscription(subscription)}/"


def limits_path(tracking_id: str, subscription: str) -> str:
    return f"{limits_prefix(subscription)}{checked_tracking_id(tracking_id)}.json"


def drill_path(subscription: str) -> str:
    """Where a drill is on record: its invented scale sets and what was started of them."""
    return f"{DRILLS_PREFIX}{checked_subscription(subscription)}.json"


def used_link_path(link_id: str) -> str:
    """Where it stands that a link to act on a whole wave was used."""
    return f"links/{_part(link_id)}.json"


def throttled_path(subscription: str) -> str:
    """Where it stands until when Azure takes no more requests about a subscription."""
    return f"throttled/{checked_subscription(subscription)}.json"


def delivery_prefix(tracking_id: str) -> str:
    return f"deliveries/{checked_tracking_id(tracking_id)}/"


def delivery_path(tracking_id: str, receiver: str) -> str:
    return f"{delivery_prefix(tracking_id)}{_part(receiver)}.json"


def calendar_path(tracking_id: str, receiver: str) -> str:
    """Where it stands what a wave's calendar has said: to a receiver, or to whoever has the wave's link."""
    whose = f"of/{_part(receiver)}" if receiver else "whole"
    return f"calendars/{checked_tracking_id(tracking_id)}/{whose}.json"


def quarantine_path(at: datetime, source: str, body_hash: str) -> str:
    """Where a message that could not be processed is kept; `source` is a queue or `alert`."""
    return f"{QUARANTINE}{at.astimezone(UTC):%Y-%m-%d}/{_part(source)}-{_part(body_hash)}.json"
