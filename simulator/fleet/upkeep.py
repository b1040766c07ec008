"""What people set up around scale sets, and what autoscale does to them, over the weeks before a wave."""

from simulator.fleet.model import Instance, ScaleSet
from simulator.fleet.people import People
from simulator.fleet.records import (
    AUTOSCALE,
    PERSON,
    AutoscaleSetting,
    Change,
    Group,
    Profile,
    Shutdown,
)
from simulator.fleet.world import World


class Upkeep:
    def __init__(self, world: World, people: People) -> None:
        self._world, self._people = world, people

    def resize(self, scale_set: ScaleSet, sku: str, *, by: str = PERSON) -> None:
        """Another size for the scale set's model; instances get it when they are next updated."""
        now = self._world.look()
        self._world.meanwhile(scale_set, None, f"resized to {sku}")
        records = self._world.records
        records.act(now, "Microsoft.Compute/virtualMachineScaleSets/write", scale_set.id, by)
        records.changes.append(
            Change(at=now, resource=scale_set.id, path="sku.name", before=scale_set.sku, after=sku, by=by)
        )
        scale_set.sku = sku
        scale_set.version += 1

    def autoscale(
        self, scale_set: ScaleSet, *profiles: Profile, name: str = "", enabled: bool = True
    ) -> AutoscaleSetting:
        """Let autoscale look after the number of instances."""
        usual = Profile(name="default", minimum=1, maximum=10)
        made = AutoscaleSetting(
            name=name or f"{scale_set.name}-autoscale",
            target=scale_set.id,
            location=scale_set.location,
            profiles=profiles or (usual,),
            enabled=enabled,
        )
        self._world.records.autoscale.append(made)
        return made

    def scale_in(self, scale_set: ScaleSet, count: int = 1) -> None:
        """Autoscale removes the youngest instances."""
        now = self._world.look()
        before = len(scale_set.instances)
        for instance in list(scale_set.instances.values())[-count:]:
            self._people.delete(instance, by=AUTOSCALE)
        after = len(scale_set.instances)
        setting = next(
            (one.name for one in self._world.records.autoscale if one.target == scale_set.id), "autoscale"
        )
        root = scale_set.id.split("/providers/", 1)[0]
        said = f"The autoscale engine attempting to scale resource '{scale_set.id}'"
        self._world.records.act(
            now,
            "Microsoft.Insights/AutoscaleSettings/Scaledown/Action",
            f"{root}/providers/microsoft.insights/autoscalesettings/{setting}",
            AUTOSCALE,
            properties={
                "Description": f"{said} from {before} instances count to {after} instances count.",
                "ResourceName": scale_set.id,
                "OldInstancesCount": str(before),
                "NewInstancesCount": str(after),
                "LastScaleActionTime": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            },
        )

    def shut_down_daily(self, target: ScaleSet | Instance, *, enabled: bool = True) -> Shutdown:
        """An auto-shutdown schedule; that it is there, not that it acts."""
        location = target.location if isinstance(target, ScaleSet) else target.owner.location
        made = Shutdown(
            name=f"shutdown-computevm-{target.name}", target=target.id, location=location, enabled=enabled
        )
        self._world.records.shutdowns.append(made)
        return made

    def group(self, scale_set: ScaleSet) -> Group:
        """The scale set's resource group, to be given a manager or hidden."""
        return self._world.records.group(scale_set.subscription, scale_set.resource_group, scale_set.location)
