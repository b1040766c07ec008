"""Scale sets and instances as Azure shows them, reduced to what a decision needs."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from planner.azure.usage import Habits, Source


class Orchestration(StrEnum):
    """How a scale set runs its instances; immutable in Azure."""

    UNIFORM = "Uniform"
    FLEXIBLE = "Flexible"


class Health(StrEnum):
    """What the application health probe or extension last reported."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    INITIALIZING = "initializing"
    UNKNOWN = "unknown"
    NOT_REPORTED = "not_reported"


@dataclass(frozen=True, slots=True)
class Interval:
    """From start, included, to end, excluded; aware times."""

    start: datetime
    end: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.start <= at < self.end


class Power(StrEnum):
    """Power states that decide something; Azure's others (`starting`, `stopping`) stay texts."""

    RUNNING = "running"
    STOPPED = "stopped"
    DEALLOCATING = "deallocating"
    DEALLOCATED = "deallocated"
    UNKNOWN = "unknown"


class Provisioning(StrEnum):
    """Provisioning states in which no operation runs; Azure's others (`updating`, `deleting`) stay texts."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"


class RepairsState(StrEnum):
    """Whether automatic repairs run, as the instance view of a scale set says; any other state is a text."""

    RUNNING = "running"
    SUSPENDED = "suspended"


class ResultCode(StrEnum):
    """What became of an instance's last maintenance (compute API, MaintenanceOperationResultCodeTypes)."""

    NONE = "None"
    RETRY_LATER = "RetryLater"
    ABORTED = "MaintenanceAborted"
    COMPLETED = "MaintenanceCompleted"


@dataclass(frozen=True, slots=True)
class MaintenanceStatus:
    """An instance's `maintenanceRedeployStatus`; an instance outside every wave has none.

    `unreadable` names what Azure sent that could not be understood; nothing is started on such a status.
    """

    allowed: bool
    self_service: Interval | None = None
    scheduled: Interval | None = None
    result: ResultCode | str = ResultCode.NONE
    message: str = ""
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Azure did not show what we asked for: not "no maintenance", not healthy, not stopped.

    It blocks a start, proves nothing, settles nothing and ends nothing. `reason` is a sentence for people.
    """

    reason: str


type Maintenance = MaintenanceStatus | Unreadable | None
"""What an instance shows of its maintenance; None only where Azure sent its view and no status in it."""


_AT_REST = frozenset(Provisioning)
_NOT_DOWN = frozenset({Power.RUNNING, Power.UNKNOWN})
_OFF = frozenset({Power.STOPPED, Power.DEALLOCATING, Power.DEALLOCATED})


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance; `id` is the instance id of a Uniform set, the machine's name in a Flexible one.

    `power` is unknown where Azure sent none: such an instance neither runs nor is it stopped.
    """

    id: str
    zone: str = ""
    placement_group: str = ""
    update_domain: int | None = None
    power: Power | str = Power.UNKNOWN
    provisioning: Provisioning | str = Provisioning.UNKNOWN
    health: Health = Health.NOT_REPORTED
    protected: bool = False
    created: datetime | None = None
    maintenance: Maintenance = None
    status: MaintenanceStatus | None = field(init=False, repr=False, compare=False)
    """The maintenance status Azure showed; ask `unreadable` before taking None for "no maintenance"."""
    unreadable: str = field(init=False, repr=False, compare=False)
    """Why Azure's view of it could not be read; empty when it could."""
    running: bool = field(init=False, repr=False, compare=False)
    down: bool = field(init=False, repr=False, compare=False)
    """Whether Azure says that it does not run; an unknown power state says nothing."""
    busy: bool = field(init=False, repr=False, compare=False)
    """Whether Azure is carrying out an operation on it."""
    switched_off: bool = field(init=False, repr=False, compare=False)
    """Whether somebody stopped or deallocated it, so that it is not meant to run now.

    Off in the middle of an operation (a reimage, a reboot) is down, not switched off.
    """

    def __post_init__(self) -> None:
        # What every poll asks of every instance again and again is worked out once.
        shown, busy = self.maintenance, self.provisioning not in _AT_REST
        known = isinstance(shown, MaintenanceStatus)
        object.__setattr__(self, "status", shown if known else None)
        object.__setattr__(self, "unreadable", shown.reason if isinstance(shown, Unreadable) else "")
        object.__setattr__(self, "running", self.power == Power.RUNNING)
        object.__setattr__(self, "down", self.power not in _NOT_DOWN)
        object.__setattr__(self, "busy", busy)
        object.__setattr__(self, "switched_off", self.power in _OFF and not busy)


@dataclass(frozen=True, slots=True)
class ScaleSet:
    """One scale set; `id` is its ARM id in Azure's own spelling.

    `unreadable` names what we could not read of it (a missing permission, a strange answer); checks that
    need it come out as unknown. `habits` is what the wave's look-ups showed of it, None before they were
    made; `unread` says for each of their sources why it is not read, or not yet. `scheduled_events_parts`
    names the parts of its model that adopt scheduled events, in Azure's spelling.
    """

    id: str
    subscription: str
    resource_group: str
    name: str
    location: str
    orchestration: Orchestration = Orchestration.UNIFORM
    tags: Mapping[str, str] = field(default_factory=dict)
    managed_by: str = ""
    provisioning: Provisioning | str = Provisioning.SUCCEEDED
    spot: bool = False
    ephemeral_os_disk: bool = False
    service_fabric: bool = False
    scheduled_events: bool = False
    scheduled_events_parts: tuple[str, ...] = ()
    automatic_repairs: bool = False
    repair_action: str = ""
    zone_rebalancing: bool = False
    created: datetime | None = None
    rolling_upgrade: str = ""
    unreadable: tuple[str, ...] = ()
    habits: Habits | None = None
    unread: Mapping[Source, str] = field(default_factory=dict)

    @property
    def flexible(self) -> bool:
        return self.orchestration is Orchestration.FLEXIBLE

    @property
    def awaits_look_ups(self) -> bool:
        """Whether its look-ups are still being made, by what `planner.azure.wave.informed` has set."""
        return self.habits is None and bool(self.unread)

    @property
    def key(self) -> str:
        """What tells scale sets apart: Azure ignores case in ids."""
        return self.id.lower()


type Domain = tuple[str, str, str]
"""Zone, placement group, update domain: instances that may go down together."""


def domain_of(scale_set: ScaleSet, instance: Instance) -> Domain:
    """What instances share that may be in one batch.

    Update domains count only within a placement group (azure-compute-docs, placement groups), and one that
    Azure does not show may be shared with anyone, so its instance stands alone. A Flexible scale set shows no
    usable domains: there `max-unavailable` alone widens a batch, within one zone.
    """
    if scale_set.flexible:
        return (instance.zone, "", "")
    if instance.update_domain is None:
        return (instance.zone, instance.placement_group, f"unknown, instance {instance.id}")
    return (instance.zone, instance.placement_group, str(instance.update_domain))


@lru_cache(maxsize=8192)
def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A sort key that puts 2 before 10, for instance ids and domains."""
    return tuple(
        (0, int(digits), "") if digits else (1, 0, word)
        for digits, word in re.findall("([0-9]+)|([^0-9]+)", text)
    )


def impacted(instances: Iterable[Instance]) -> tuple[Instance, ...]:
    """The instances that show maintenance, in a stable order."""
    shown = (instance for instance in instances if instance.status is not None)
    return tuple(sorted(shown, key=lambda instance: natural(instance.id)))
