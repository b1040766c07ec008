"""What people, autoscale and Azure do to a fleet besides maintenance, at the worst moments."""

import json
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Literal

from simulator.fleet.behaviour import Health
from simulator.fleet.model import Instance, ScaleSet, UpgradeCode
from simulator.fleet.records import PERSON, Annotation, Change
from simulator.fleet.repair_switch import RepairSwitch
from simulator.fleet.world import World

SHORT = timedelta(minutes=2)


class People:
    """Each act happens at the clock's time, is written in the ledger, and overtakes what was in flight."""

    def __init__(self, world: World, switch: RepairSwitch) -> None:
        self._world = world
        self._switch = switch

    def stop(self, instance: Instance, *, by: str = PERSON) -> None:
        """Power off, keeping the host: the maintenance status stays."""
        self._log(instance, "powerOff/action", by)
        self._off(instance, "stopped")

    def deallocate(self, instance: Instance, *, by: str = PERSON) -> None:
        """Power off and give the host back: the maintenance status vanishes."""
        self._log(instance, "deallocate/action", by)
        self._deallocate(instance)

    def deallocate_all(
        self, scale_set: ScaleSet, instance_ids: Collection[str] = (), *, by: str = PERSON
    ) -> None:
        """One call on the scale set, for the named instances or without names for all of them."""
        now = self._world.look()
        body = json.dumps({"instanceIds": list(instance_ids)}) if instance_ids else ""
        self._world.records.act(
            now,
            "Microsoft.Compute/virtualMachineScaleSets/deallocate/action",
            scale_set.id,
            by,
            properties={"requestbody": body, "statusCode": "OK", "serviceRequestId": ""},
        )
        for instance in list(scale_set.instances.values()):
            if not instance_ids or instance.instance_id in instance_ids:
                self._deallocate(instance)

    def _deallocate(self, instance: Instance) -> None:
        self._off(instance, "deallocated")
        for ticket in instance.tickets:
            ticket.shown = False
        instance.shown_since = self._world.now
        instance.touch()

    def start(self, instance: Instance, *, back_in_wave: bool = False, boot: timedelta = SHORT) -> None:
        """Power on. back_in_wave: it landed on a host of the wave again, its status has reverted."""
        self._log(instance, "start/action", PERSON)
        self._act(instance, "start")
        instance.power = "starting"
        if back_in_wave:
            for ticket in instance.tickets:
                ticket.renew(ticket.self_service, ticket.scheduled)
            instance.shown_since = self._world.now
        self._world.settle(instance)
        self._world.later(instance, boot, lambda: self._world.bring_up(instance))

    def delete(self, instance: Instance, *, by: str = PERSON) -> None:
        self._log(instance, "delete", by)
        self._act(instance, "delete")
        self._world.take_down(instance, "delete")
        instance.owner.instances.pop(instance.instance_id, None)
        self._world.machines.pop(instance.id.lower(), None)
        instance.owner.version += 1

    def reimage(self, instance: Instance, *, takes: timedelta = SHORT) -> None:
        self._log(instance, "reimage/action", PERSON)
        self._bounce(instance, "reimage", takes)

    def service_heal(self, instance: Instance, *, takes: timedelta = SHORT) -> None:
        """Azure moves it to another host because its own failed; it leaves its waves.

        It may be scheduled a second time there: `Fleet.schedule_again`.
        """
        now = self._world.look()
        self._world.records.annotations.append(
            Annotation(at=now, resource=instance.id, name="VirtualMachineMigrationInitiatedForRepair")
        )
        self._bounce(instance, "service heal", takes)
        for ticket in instance.tickets:
            ticket.shown = False
        instance.shown_since = self._world.now
        instance.touch()

    def resize(self, instance: Instance, *, takes: timedelta = SHORT) -> None:
        """Another size is other hardware: it leaves its waves, and may be scheduled anew there."""
        self._bounce(instance, "resize", takes)
        for ticket in instance.tickets:
            ticket.shown = False
        instance.shown_since = self._world.now
        instance.touch()

    def delete_scale_set(self, scale_set: ScaleSet) -> None:
        """The scale set with all its instances; its name is free again."""
        self._world.look()
        for instance in list(scale_set.instances.values()):
            self.delete(instance)
        self._world.meanwhile(scale_set, None, "delete")
        self._world.scale_sets.pop(scale_set.id.lower(), None)

    def set_health(self, instance: Instance, health: Health) -> None:
        """What the application on it reports from now on (until it next boots)."""
        self._world.look()
        self._world.meanwhile(instance.owner, instance, f"health {health}")
        self._world.health(instance, health)

    def protect(self, instance: Instance, *, from_actions: bool, from_scale_in: bool = False) -> None:
        self._world.look()
        self._world.meanwhile(instance.owner, instance, f"protection {from_actions}")
        instance.protect_from_actions, instance.protect_from_scale_in = from_actions, from_scale_in
        self._world.settle(instance)

    def set_tags(self, scale_set: ScaleSet, tags: Mapping[str, str]) -> None:
        """Replace the scale set's tags."""
        now = self._world.look()
        for tag in sorted({*scale_set.tags, *tags}):
            before, after = scale_set.tags.get(tag, ""), tags.get(tag, "")
            if before != after:
                self._world.records.changes.append(
                    Change(
                        at=now,
                        resource=scale_set.id,
                        path=f"tags.{tag}",
                        before=before,
                        after=after,
                        by=PERSON,
                    )
                )
        self._world.meanwhile(scale_set, None, "tags changed")
        scale_set.tags = dict(tags)
        scale_set.version += 1

    def start_rolling_upgrade(self, scale_set: ScaleSet) -> None:
        now = self._world.look()
        self._world.meanwhile(scale_set, None, "rolling upgrade started")
        scale_set.upgrade, scale_set.upgrade_started = "RollingForward", now
        scale_set.provisioning = "Updating"
        scale_set.version += 1

    def end_rolling_upgrade(
        self, scale_set: ScaleSet, code: Literal["Completed", "Cancelled", "Faulted"] = "Completed"
    ) -> None:
        self._world.look()
        self._world.meanwhile(scale_set, None, f"rolling upgrade {code.lower()}")
        ended: UpgradeCode = code
        scale_set.upgrade, scale_set.provisioning = ended, "Succeeded"
        scale_set.version += 1

    def suspend_repairs(self, scale_set: ScaleSet) -> None:
        """Suspended as soon as they ask: they wait for it, and overtake what the customer's software asked."""
        self._switch.set(scale_set, "Suspend", "person")

    def resume_repairs(self, scale_set: ScaleSet) -> None:
        self._switch.set(scale_set, "Resume", "person")

    def _log(self, instance: Instance, what: str, by: str) -> None:
        """Into the activity log, as an operation on the instance."""
        now = self._world.look()
        self._world.records.act(now, f"{instance.kind}/{what}", instance.id, by)

    def _act(self, instance: Instance, what: str) -> None:
        self._world.look()
        self._world.meanwhile(instance.owner, instance, what)
        self._world.overtake(instance)

    def _off(self, instance: Instance, power: Literal["stopped", "deallocated"]) -> None:
        self._act(instance, power)
        instance.provisioning = "Succeeded"
        self._world.take_down(instance, power)
        instance.power = power
        self._world.settle(instance)

    def _bounce(self, instance: Instance, what: str, takes: timedelta) -> None:
        self._act(instance, what)
        instance.provisioning = "Updating"
        self._world.take_down(instance, what)
        self._world.later(instance, takes, lambda: self._world.bring_up(instance))
