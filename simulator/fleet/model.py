"""Scale sets and their instances, as Azure keeps them."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from simulator.fleet.behaviour import Behaviour, Health
from simulator.fleet.ledger import Domain, Neighbour, Who
from simulator.fleet.repair_service import RepairService, RepairsState, duration
from simulator.fleet.waves import Ticket

Power = Literal["running", "starting", "stopping", "stopped", "deallocating", "deallocated"]
Mode = Literal["Uniform", "Flexible"]
RepairAction = Literal["Replace", "Reimage", "Restart"]
UpgradeCode = Literal["", "RollingForward", "Completed", "Cancelled", "Faulted"]


@dataclass(slots=True, eq=False)
class Operation:
    """An asynchronous operation, readable at its address until long after it ended."""

    id: str
    subscription: str
    location: str
    started: datetime
    who: Who
    status: Literal["InProgress", "Succeeded", "Failed"] = "InProgress"
    ended: datetime | None = None
    code: str = ""
    message: str = ""


@dataclass(slots=True, weakref_slot=True, eq=False, kw_only=True)
class ScaleSet:
    """A scale set. `health` says how its instances report health, or that they don't.

    managed_by: the resource its resource group is managed by; Azure says it of the group, not of the set.
    scheduled_events_policy: it says only how the events of people's own operations are approved;
    events_published: whether events go to Event Grid and Resource Graph, None when it does not say.
    repair_action is shown; the simulated service replaces, whatever it says.
    """

    subscription: str
    resource_group: str
    name: str
    location: str
    mode: Mode
    zones: tuple[str, ...] = ()
    sku: str = "Standard_D2s_v5"
    tags: dict[str, str] = field(default_factory=dict)
    health: Literal["extension", "probe", "none"] = "extension"
    single_placement_group: bool = True
    fault_domains: int = 5
    managed_by: str | None = None
    service_fabric: bool = False
    spot: bool = False
    eviction_policy: Literal["Deallocate", "Delete"] = "Deallocate"
    ephemeral_os_disk: bool = False
    automatic_repairs: bool = False
    repair_grace: str = "PT30M"
    repair_action: RepairAction = "Replace"
    zone_rebalancing: bool = False
    repairs: RepairService = field(default_factory=RepairService)
    terminate_notification: bool = False
    os_image_notification: bool = False
    scheduled_events_policy: bool = False
    events_published: bool | None = None
    provisioning: str = "Succeeded"
    upgrade: UpgradeCode = ""
    upgrade_started: datetime | None = None
    created: datetime | None = None
    instances: "dict[str, Instance]" = field(default_factory=dict)
    last_number: int = -1
    version: int = 0
    id: str = field(init=False)

    def __post_init__(self) -> None:
        self.id = (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.Compute/virtualMachineScaleSets/{self.name}"
        )

    @property
    def reports_health(self) -> bool:
        return self.health != "none"

    @property
    def repairs_state(self) -> RepairsState:
        """`serviceState` of automatic repairs, empty for a set without them."""
        if not self.automatic_repairs:
            return ""
        if not self.reports_health:
            return "NotRunning"
        return "Suspended" if self.repairs.suspended else "Running"

    @property
    def grace(self) -> timedelta:
        """How long an instance may be unwell before it is repaired."""
        return duration(self.repair_grace)


@dataclass(slots=True, weakref_slot=True, eq=False, kw_only=True)
class Instance:
    """One instance. A Flexible set's are virtual machines: no update domain, a name instead of a number."""

    owner: ScaleSet
    instance_id: str
    name: str
    vm_id: str
    zone: str = ""
    placement_group: str = ""
    update_domain: int | None = None
    fault_domain: int | None = None
    behaviour: Behaviour = field(default_factory=Behaviour)
    power: Power = "running"
    provisioning: str = "Succeeded"
    health: Health = "healthy"
    protect_from_scale_in: bool = False
    protect_from_actions: bool = False
    latest_model: bool = True
    created: datetime | None = None
    tickets: list[Ticket] = field(default_factory=list)
    shown_since: datetime | None = None
    operation: Operation | None = None
    cause: str = ""
    unwell_since: datetime | None = None
    sick_since: datetime | None = None
    is_down: bool = False
    epoch: int = 0
    used: Counter[str] = field(default_factory=Counter)
    version: int = 0
    id: str = field(init=False)

    def __post_init__(self) -> None:
        if self.owner.mode == "Uniform":
            self.id = f"{self.owner.id}/virtualMachines/{self.instance_id}"
        else:
            root = self.owner.id.split("/providers/", 1)[0]
            self.id = f"{root}/providers/Microsoft.Compute/virtualMachines/{self.name}"
        if not self.owner.reports_health:
            self.health = "missing"

    @property
    def kind(self) -> str:
        """Its resource type."""
        kind = (
            "virtualMachineScaleSets/virtualMachines" if self.owner.mode == "Uniform" else "virtualMachines"
        )
        return f"Microsoft.Compute/{kind}"

    @property
    def domain(self) -> Domain:
        """Who may go down together: (zone, placement group, update domain), or a Flexible instance alone."""
        if self.owner.mode == "Flexible":
            return (self.zone, "", self.name)
        return (self.zone, self.placement_group, str(self.update_domain))

    @property
    def sick(self) -> bool:
        """Down or not healthy, as automatic repairs see it: what somebody switched off is not."""
        switched_off = self.power in {"stopped", "deallocated"} and self.cause == self.power
        return not switched_off and (self.power != "running" or self.health != "healthy")

    @property
    def azure_domain(self) -> Domain:
        """What Azure takes down together: the update domain, or without one the fault domain."""
        if self.owner.mode == "Flexible":
            return (self.zone, "", f"fd{self.fault_domain}")
        return self.domain

    @property
    def ticket(self) -> Ticket | None:
        """The part in a wave the instance view shows: the earliest planned that is not over."""
        return next((t for t in self.tickets if t.shown and not t.wave.over), None)

    def touch(self) -> None:
        """What is read of this instance changed."""
        self.version += 1
        self.owner.version += 1

    def trouble(self) -> str:
        """Why it is not serving, in a word or two; empty when it is."""
        if self.operation is not None and self.operation.status == "InProgress":
            return "maintenance"
        if self.power != "running":
            return self.power
        if self.provisioning != "Succeeded":
            return f"provisioning {self.provisioning.lower()}"
        if self.owner.reports_health and self.health != "healthy":
            return f"health {self.health}"
        return ""

    def as_neighbour(self, now: datetime) -> Neighbour | None:
        reason = self.trouble()
        if not reason:
            return None
        return Neighbour(self.id, self.domain, reason, self.cause, self.unwell_since or now)
