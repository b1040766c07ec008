"""What instances showed of their maintenance when they were last read; those alike stand together."""

from collections.abc import Iterable
from dataclasses import dataclass

from planner.azure.fleet import Instance, MaintenanceStatus


@dataclass(frozen=True, slots=True)
class Shown:
    """One `maintenanceRedeployStatus` and the instances that showed it, in the order of the listing.

    A thousand instances of a wave share a few of them, so that the record stays small.
    """

    status: MaintenanceStatus
    instances: tuple[str, ...]


def shown_by(instances: Iterable[Instance]) -> tuple[Shown, ...]:
    """The statuses in the order in which they were seen; an instance that shows none is in none."""
    alike: dict[MaintenanceStatus, list[str]] = {}
    last: MaintenanceStatus | None = None
    ids: list[str] = []
    for instance in instances:
        status = instance.status
        if status is None:
            continue
        if status is not last:
            last, ids = status, alike.setdefault(status, [])
        ids.append(instance.id)
    return tuple(Shown(status, tuple(ids)) for status, ids in alike.items())
