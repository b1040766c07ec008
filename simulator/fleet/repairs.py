"""Automatic instance repairs: what is down or not healthy for longer than the grace period is replaced.

Published: the grace period, replacing (delete, then create from the current model), one repair at a time or 5 %
of the instances, protected instances left alone, nothing while suspended. The grace period runs from the moment
an instance was last well, also while it reboots for maintenance; Azure may be more patient after what was asked
through its API, so who is safe here is safe there. Flexible sets are repaired too, but nobody can suspend it.
"""

from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from simulator.fleet.behaviour import Behaviour
from simulator.fleet.ledger import Replaced
from simulator.fleet.model import Instance, ScaleSet
from simulator.fleet.world import World

CAUSE = "automatic repairs"
SHARE = 20


class Repairs:
    """`creates`: how long from a repair until its replacement runs."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.creates = timedelta(minutes=2)
        world.watching.append(self.watch)

    def watch(self, instance: Instance) -> None:
        """Something changed about an instance: note since when it has been sick, and come back in time."""
        owner = instance.owner
        if owner.repairs_state not in {"Running", "Suspended"}:
            return
        now, timeline = self._world.now, self._world.timeline
        if not instance.sick:
            instance.sick_since = None
        elif instance.sick_since is None:
            instance.sick_since = now
            timeline.at(now + owner.grace, lambda: self.attend(owner))
        overdue = instance.sick_since is not None and now - instance.sick_since >= owner.grace
        if overdue or instance in owner.repairs.coming_up:
            timeline.at(now, lambda: self.attend(owner))

    def attend(self, owner: ScaleSet) -> None:
        """Replace who has been sick for too long, the longest first, as many at a time as is published."""
        now, service = self._world.now, owner.repairs
        if owner.repairs_state != "Running":
            return
        service.coming_up = {
            one
            for one in service.coming_up
            if one.provisioning == "Creating" and one.instance_id in owner.instances
        }
        overdue = sorted(
            (one.sick_since, one.instance_id)
            for one in owner.instances.values()
            if one.sick_since is not None
            and now - one.sick_since >= owner.grace
            and not (one.protect_from_actions or one.protect_from_scale_in)
        )
        free = max(1, len(owner.instances) // SHARE) - len(service.coming_up)
        for _, instance_id in overdue[: max(0, free)]:
            self._replace(owner.instances[instance_id])

    def _replace(self, old: Instance) -> None:
        world, owner = self._world, old.owner
        new = self._created(old)
        assert old.sick_since is not None
        world.ledger.write(
            Replaced(at=world.now, scale_set=owner.id, instance=old.id, by=new.id, sick_since=old.sick_since)
        )
        world.overtake(old)
        world.take_down(old, CAUSE)
        owner.instances.pop(old.instance_id)
        world.machines.pop(old.id.lower(), None)
        owner.instances[new.instance_id] = new
        if owner.mode == "Flexible":
            world.machines[new.id.lower()] = new
        owner.repairs.coming_up.add(new)
        world.settle(new)
        world.later(new, self.creates, lambda: world.bring_up(new))

    def _created(self, old: Instance) -> Instance:
        """The replacement: where the old one was, with the current model, on a host outside of every wave."""
        owner = old.owner
        if owner.mode == "Uniform":
            owner.last_number += 1
            instance_id = str(owner.last_number)
            name = f"{owner.name}_{instance_id}"
        else:
            instance_id = name = f"{owner.name}_{self._world.unique('machine')[:8]}"
        return Instance(
            owner=owner,
            instance_id=instance_id,
            name=name,
            vm_id=str(uuid5(NAMESPACE_URL, f"{owner.id}/vm/{instance_id}")),
            zone=old.zone,
            placement_group=old.placement_group,
            update_domain=old.update_domain,
            fault_domain=old.fault_domain,
            behaviour=Behaviour(),
            power="starting",
            provisioning="Creating",
            health="missing",
            cause=CAUSE,
            created=self._world.now,
        )
