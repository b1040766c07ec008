"""An Azure small enough to be true by looking at it: some instances, their statuses and operations, no clock.

Nothing happens by itself. Whoever tests says what happens next, in any order, and asks what a poll shows.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, Orchestration, ScaleSet
from planner.record.observation import OperationSeen

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachineScaleSets/web"
)

Ending = Literal["cleared", "lingers allowed", "lingers done", "forgotten", "fails", "RetryLater", "aborted"]
ENDINGS: tuple[Ending, ...] = (
    "cleared", "lingers allowed", "lingers done", "forgotten", "fails", "RetryLater", "aborted",
)  # fmt: skip


@dataclass
class Machine:
    """One instance as it truly is; `maintained` are the windows it has been maintained in."""

    seen: Instance
    operation: str = ""
    maintained: list[Interval | None] = field(default_factory=list)

    def become(self, **changes: object) -> None:
        self.seen = replace(self.seen, **changes)  # type: ignore[arg-type]

    @property
    def window(self) -> Interval | None:
        return self.seen.status.self_service if self.seen.status is not None else None


class SmallAzure:
    """One scale set in one wave."""

    def __init__(self, *, flexible: bool, zones: int, domains: int, count: int, window: Interval) -> None:
        self.scale_set = ScaleSet(
            ID, SUBSCRIPTION, "rg", "web", "westeurope",
            orchestration=Orchestration.FLEXIBLE if flexible else Orchestration.UNIFORM,
        )  # fmt: skip
        self.zones, self.domains = zones, domains
        self.machines: dict[str, Machine] = {}
        self.operations: dict[str, OperationSeen] = {}
        self.deleted = False
        self.made = 0
        self.window = window
        self.scheduled = Interval(window.end + timedelta(days=1), window.end + timedelta(days=8))
        for _ in range(count):
            self.grow(in_wave=True)

    def grow(self, *, in_wave: bool) -> Machine:
        place, self.made = self.made, self.made + 1  # Azure gives no id twice
        name = f"web_{place:06x}" if self.scale_set.flexible else str(place)
        zone = str(1 + place % self.zones) if self.zones else ""
        made = Machine(
            Instance(
                name,
                zone=zone,
                placement_group="" if self.scale_set.flexible else f"group{zone}",
                update_domain=None if self.scale_set.flexible else place // max(1, self.zones) % self.domains,
                power="running",
                provisioning="succeeded",
                health=Health.HEALTHY,
                maintenance=self.status() if in_wave else None,
            )
        )
        self.machines[name] = made
        return made

    def status(self) -> MaintenanceStatus:
        return MaintenanceStatus(allowed=True, self_service=self.window, scheduled=self.scheduled)

    def shown(self, now: datetime) -> tuple[Instance, ...]:
        """What a listing shows: whether a start is allowed follows the window."""
        return tuple(_shown(one.seen, now) for one in self.machines.values())

    def start(self, name: str) -> str:
        """Azure takes a start; the address of its operation."""
        address = f"operation{len(self.operations)}"
        self.machines[name].operation = address
        self.operations[address] = OperationSeen("InProgress")
        return address

    def down(self, machine: Machine) -> None:
        machine.become(power="stopped", provisioning="updating", health=Health.UNKNOWN)

    def up(self, machine: Machine, health: Health = Health.HEALTHY) -> None:
        machine.become(power="running", provisioning="succeeded", health=health)

    def end(self, machine: Machine, how: Ending) -> None:
        """The operation is over; the instance runs."""
        address, status = machine.operation, machine.seen.status
        machine.operation = ""
        self.up(machine, machine.seen.health if machine.seen.running else Health.INITIALIZING)
        if how in {"RetryLater", "aborted"}:
            code = "RetryLater" if how == "RetryLater" else "MaintenanceAborted"
            if status is not None:
                machine.become(maintenance=replace(status, result=code))
            if address:
                self.operations[address] = OperationSeen("Failed", code, "Not performed.")
            return
        if how == "fails":
            if address:
                self.operations[address] = OperationSeen(
                    "Failed", "OSProvisioningTimedOut", "It did not report."
                )
            return
        if address:
            self.operations[address] = OperationSeen("Unknown" if how == "forgotten" else "Succeeded")
        self.maintained(machine, "cleared" if how == "forgotten" else how)

    def maintained(self, machine: Machine, how: Ending = "cleared") -> None:
        """It runs on an updated host now, whoever has brought that about."""
        status = machine.seen.status
        if status is None:
            return
        machine.maintained.append(status.self_service)
        after = replace(status, result="MaintenanceCompleted", allowed=how == "lingers allowed")
        machine.become(maintenance=after if how.startswith("lingers") else None)

    def moved(self, window: Interval) -> None:
        """The wave has other windows; what is done is left alone."""
        self.window = window
        self.scheduled = Interval(window.end + timedelta(days=1), window.end + timedelta(days=8))
        for one in self.machines.values():
            status = one.seen.status
            if status is not None and status.result != "MaintenanceCompleted":
                one.become(maintenance=replace(self.status(), result=status.result, allowed=status.allowed))

    def called_off(self) -> None:
        for one in self.machines.values():
            one.become(maintenance=None)


def _shown(instance: Instance, now: datetime) -> Instance:
    status = instance.status
    if status is None:
        return instance
    allowed = status.allowed and status.self_service is not None and now in status.self_service
    return replace(instance, maintenance=replace(status, allowed=allowed))
