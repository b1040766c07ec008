"""The same fleet as if every instance of it were due: what a policy would decide on the day a wave comes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from handlers.cli.snapshot import Snapshot, Subscription
from handlers.cloud.graph import Found
from planner.azure.fleet import Instance, Interval, MaintenanceStatus

AS_IF = "AS-IF"
"""The tracking id of the wave that is made up."""

SELF_SERVICE = timedelta(days=35)
"""Azure's self-service windows are about that long (Learn, maintenance notifications)."""

SCHEDULED = timedelta(days=14)
"""How long Azure's own window after that is taken to be."""


def all_due(snapshot: Snapshot) -> Snapshot:
    """The snapshot with a wave over all of it, whose self-service window opens when it was read.

    Instances that are due in earnest, or cannot be read, stay as they are.
    """
    at = snapshot.read_at
    return replace(snapshot, subscriptions=tuple(_due(each, at) for each in snapshot.subscriptions))


def is_made_up(window: Interval | None, at: datetime) -> bool:
    """Whether a self-service window is the one that an instance has that is due only as if."""
    return window == Interval(at, at + SELF_SERVICE)


def _due(seen: Subscription, at: datetime) -> Subscription:
    closes = at + SELF_SERVICE
    status = MaintenanceStatus(
        allowed=True, self_service=Interval(at, closes), scheduled=Interval(closes, closes + SCHEDULED)
    )

    def due(instance: Instance) -> Instance:
        return replace(instance, maintenance=status) if instance.maintenance is None else instance

    listed: Mapping[str, tuple[Instance, ...]] = {
        key: tuple(map(due, instances)) for key, instances in seen.instances.items()
    }
    single = {key: due(instance) for key, instance in seen.single.items()}
    wave = Found(
        subscription=seen.id,
        tracking_id=AS_IF,
        status="Active",
        level="Informational",
        title="Every instance as if it were due",
        summary="",
        impact=(("Virtual Machine Scale Sets", ()),),
        impact_start=at,
        impact_end=closes + SCHEDULED,
        updated=at,
    )
    return replace(seen, instances=listed, single=single, maintenance=(*(seen.maintenance or ()), wave))
