"""A fleet that lives through waves: scale sets, the waves planned for them, and everything that happens.

Nothing runs in the background. Whoever reads or acts calls `look()` first (the methods here do), and the
fleet catches up with its clock event by event. One thread, no locks.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Any

from simulator.fleet import alerts
from simulator.fleet.answers import Answer
from simulator.fleet.behaviour import Behaviour
from simulator.fleet.build import grow
from simulator.fleet.clock import Clock
from simulator.fleet.ledger import Ledger, RepairAction, SetWideCall
from simulator.fleet.maintenance import Maintenance
from simulator.fleet.model import Instance, ScaleSet
from simulator.fleet.people import People
from simulator.fleet.repair_switch import RepairSwitch
from simulator.fleet.repairs import Repairs
from simulator.fleet.schedule import Schedule
from simulator.fleet.upkeep import Upkeep
from simulator.fleet.waves import Wave, Window
from simulator.fleet.world import World


class Fleet:
    """The simulated Azure's truth. `clock` gives aware UTC times and never goes back."""

    def __init__(self, clock: Clock) -> None:
        self.world = World(clock)
        self.repairs = Repairs(self.world)
        self.switch = RepairSwitch(self.world, self.repairs)
        self.people = People(self.world, self.switch)
        self.upkeep = Upkeep(self.world, self.people)
        self._maintenance = Maintenance(self.world)
        self._schedule = Schedule(self.world, self._maintenance)

    @property
    def ledger(self) -> Ledger:
        """Every fact up to now."""
        self.world.look()
        return self.world.ledger

    @property
    def now(self) -> datetime:
        return self.world.look()

    def next_event_at(self) -> datetime | None:
        """When something is next due, so that a test can jump there; None when nothing is."""
        self.world.look()
        return self.world.timeline.next_at()

    def at(self, moment: datetime, action: Callable[[], object]) -> None:
        """Let somebody do something at a moment to come, as if they had called it then."""
        self.world.look()

        def act() -> None:
            action()

        self.world.timeline.at(moment, act)

    def add(self, *scale_sets: ScaleSet) -> None:
        """Take scale sets in. Waves planned earlier don't cover them: as in Azure, nobody is told."""
        for scale_set in scale_sets:
            key = scale_set.id.lower()
            if key in self.world.scale_sets:
                raise ValueError(f"{scale_set.id} exists already")
            self.world.scale_sets[key] = scale_set
            self.world.subscriptions.add(scale_set.subscription)
            group = self.world.records.group(
                scale_set.subscription, scale_set.resource_group, scale_set.location
            )
            group.managed_by = scale_set.managed_by or group.managed_by
            for instance in scale_set.instances.values():
                self._admit(instance)

    def add_instance(
        self,
        scale_set: ScaleSet,
        instance_id: str,
        *,
        update_domains: int = 5,
        wave: str | None = None,
        behaviour: Behaviour | None = None,
    ) -> Instance:
        """Scale out by one, running and well at once; part of a wave only if its tracking id is given.

        Raises ValueError for an id the set has already.
        """
        now = self.world.look()
        if instance_id in scale_set.instances:
            raise ValueError(f"{scale_set.name} has an instance {instance_id} already")
        made = grow(scale_set, instance_id, update_domains, 1, behaviour or Behaviour())
        made.created = now
        self._admit(made)
        self.world.meanwhile(scale_set, made, "create")
        if wave is not None:
            self._schedule.include(wave, made)
        return made

    def _admit(self, instance: Instance) -> None:
        if instance.owner.mode == "Flexible":
            self.world.machines[instance.id.lower()] = instance
        self.repairs.watch(instance)

    def include(self, wave: str, instance: Instance) -> None:
        """Make an instance part of a wave late, without any announcement; KeyError for an unknown wave."""
        self._schedule.include(wave, instance)

    def scale_set(self, name: str) -> ScaleSet:
        """By name or ARM id, in any case; KeyError when there is none."""
        self.world.look()
        wanted = name.lower()
        for key, scale_set in self.world.scale_sets.items():
            if wanted in {key, scale_set.name.lower()}:
                return scale_set
        raise KeyError(f"no scale set {name!r} in the fleet")

    def instance(self, scale_set: str, which: str | int) -> Instance:
        """By instance id, or for a Flexible set by place or machine name; KeyError when there is none."""
        found = self.scale_set(scale_set)
        if isinstance(which, int) and found.mode == "Flexible":
            return list(found.instances.values())[which]
        return found.instances[str(which)]

    def scale_sets(self) -> list[ScaleSet]:
        self.world.look()
        return list(self.world.scale_sets.values())

    def plan(self, wave: Wave) -> Wave:
        """Announce a wave: the impacted instances show their status from now on."""
        self._schedule.plan(wave)
        return wave

    def reschedule(
        self, tracking_id: str, self_service: Window, scheduled: Window, *, again: bool = False
    ) -> None:
        """Move a wave (a cancelled one reopens); `again`: what is maintained is scheduled a second time."""
        self._schedule.reschedule(tracking_id, self_service, scheduled, again=again)

    def schedule_again(
        self, tracking_id: str, instance: Instance, self_service: Window, scheduled: Window
    ) -> None:
        """Schedule one instance a second time, with windows of its own."""
        self._schedule.schedule_again(tracking_id, instance, self_service, scheduled)

    def cancel(self, tracking_id: str) -> None:
        """Call a wave off; statuses vanish, what is in flight runs to its end."""
        self._schedule.cancel(tracking_id)

    def complete(self, tracking_id: str) -> None:
        """Declare a wave over, as Azure does by itself when its scheduled window has done its work."""
        self._schedule.complete(tracking_id)

    def wave(self, tracking_id: str) -> Wave:
        self.world.look()
        return self.world.waves[tracking_id]

    def start_maintenance(
        self, instance: Instance, *, instead: Answer | None = None, lost: bool = False
    ) -> Answer:
        """performMaintenance on one instance, asked by the customer.

        instead: Azure refuses it in these words, whatever the truth. lost: its answer does not arrive.
        """
        return self._maintenance.start(instance, instead=instead, lost=lost)

    def start_in_portal(self, instance: Instance) -> Answer:
        """performMaintenance on one instance, asked by a person: "Start now" in the portal."""
        return self._maintenance.start(instance, "person")

    def start_by_azure(self, instance: Instance) -> Answer:
        """Azure does it now, whatever the windows say: its own clock is ahead, or the host is failing."""
        now = self.world.look()
        spans = [ticket.wave.azure_reboot for ticket in instance.tickets if ticket.outstanding]
        if not spans or instance.instance_id not in instance.owner.instances:
            raise ValueError(f"{instance.name} waits for no maintenance at {now}")
        return self._maintenance.start(instance, "azure", reboot=spans[0])

    def start_set_wide(self, scale_set: ScaleSet, instance_ids: Collection[str] | None) -> list[Answer]:
        """performMaintenance on the scale set: the named instances, or ALL of them when none is named."""
        now = self.world.look()
        named = None if instance_ids is None else tuple(instance_ids)
        self.world.ledger.write(SetWideCall(at=now, scale_set=scale_set.id, instance_ids=named))
        chosen: Iterable[Instance] = scale_set.instances.values()
        if named:
            chosen = [scale_set.instances[i] for i in named if i in scale_set.instances]
        return [self._maintenance.start(instance) for instance in list(chosen)]

    def set_repairs(self, scale_set: ScaleSet, action: RepairAction) -> Answer:
        """setOrchestrationServiceState of automatic repairs, asked by the customer."""
        return self.switch.set(scale_set, action, "customer")

    def alert(
        self,
        tracking_id: str,
        stage: alerts.Stage = "Planned",
        schema: alerts.Schema = "common",
        **variations: Any,
    ) -> dict[str, Any]:
        """The body an action group would post now about a wave; `alerts.payload` lists the variations."""
        self.world.look()
        return alerts.payload(self.world, self.world.waves[tracking_id], stage, schema, **variations)
