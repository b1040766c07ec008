"""Where records lie and what queues are called; one function a name.

Names in paths are lower-cased (a tracking id keeps its case) and percent-encoded. Everything raises
ValueError with a sentence when a tracking id, a subscription, a resource group or a scale set's name is not
one: a path is never built from an unchecked name.
"""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from handlers.wire.ids import (
    ALERTS,
    NOTICES,
    QUEUES,
    RUNS,
    SCALE_SETS,
    Queue,
    checked_resource_group,
    checked_scale_set,
    checked_subscription,
    checked_tracking_id,
)

__all__ = [
    "ALERTS",
    "ALERTS_PREFIX",
    "ARCHIVE_PREFIX",
    "CLAIMS_PREFIX",
    "CONTAINER",
    "DELIVERIES_PREFIX",
    "NOTICES",
    "QUARANTINE",
    "QUEUES",
    "RUNS",
    "RUNS_PREFIX",
    "SCALE_SETS",
    "SWEEP_STATE",
    "WAVES_PREFIX",
    "Queue",
    "alert_path",
    "archive_path",
    "checked_subscription",
    "checked_tracking_id",
    "claim_path",
    "claim_prefix",
    "delivery_path",
    "delivery_prefix",
    "failure_path",
    "poison",
    "quarantine_path",
    "run_path",
    "throttled_path",
    "wave_path",
    "wave_prefix",
]

CONTAINER: Final = "breakwater"

ALERTS_PREFIX: Final = "alerts/"
WAVES_PREFIX: Final = "waves/"
RUNS_PREFIX: Final = "runs/"
ARCHIVE_PREFIX: Final = "archive/"
CLAIMS_PREFIX: Final = "claims/"
DELIVERIES_PREFIX: Final = "deliveries/"
FAILURES_PREFIX: Final = "failures/"
QUARANTINE: Final = "quarantine/"
THROTTLED_PREFIX: Final = "throttled/"
SWEEP_STATE: Final = "sweep/state.json"


def poison(queue: str) -> str:
    """Where the host puts a message that failed five times."""
    return f"{queue}-poison"


def _part(name: str) -> str:
    if not name:
        raise ValueError("An empty name cannot be part of a record's path.")
    return quote(name.lower(), safe="")


def alert_path(body_hash: str) -> str:
    """`body_hash` is the SHA-256 of the body's bytes in hex."""
    return f"{ALERTS_PREFIX}{_part(body_hash)}.json"


def failure_path(queue: str, digest: str) -> str:
    """Why a message failed; `digest` stands for its text."""
    return f"{FAILURES_PREFIX}{_part(queue)}/{_part(digest)}.json"


def wave_prefix(tracking_id: str) -> str:
    return f"{WAVES_PREFIX}{checked_tracking_id(tracking_id)}/"


def wave_path(tracking_id: str, subscription: str) -> str:
    return f"{wave_prefix(tracking_id)}{checked_subscription(subscription)}.json"


def _scale_set(subscription: str, resource_group: str, name: str) -> str:
    group, scale_set = checked_resource_group(resource_group), checked_scale_set(name)
    return f"{checked_subscription(subscription)}/{_part(group)}/{_part(scale_set)}"


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


def throttled_path(subscription: str) -> str:
    """Until when Azure wants to be left alone about a subscription."""
    return f"{THROTTLED_PREFIX}{checked_subscription(subscription)}.json"


def delivery_prefix(tracking_id: str) -> str:
    return f"{DELIVERIES_PREFIX}{checked_tracking_id(tracking_id)}/"


def delivery_path(tracking_id: str, receiver: str) -> str:
    return f"{delivery_prefix(tracking_id)}{_part(receiver)}.json"


def quarantine_path(at: datetime, source: str, body_hash: str) -> str:
    """Where something that could not be processed is kept; `source` is a queue or `alert`."""
    return f"{QUARANTINE}{at.astimezone(UTC):%Y-%m-%d}/{_part(source)}-{_part(body_hash)}.json"
