"""What Azure does to a scale set by itself meanwhile: it repairs instances and balances zones."""

from planner.azure.fleet import ScaleSet
from planner.policy.model import CheckName
from planner.record.check import Check, Outcome

REPAIRS = {
    "replace": "delete an unhealthy instance with its local data and create another (repair action Replace)",
    "reimage": "reimage an unhealthy instance, whose OS disk is lost (repair action Reimage)",
    "restart": "restart an unhealthy instance, which keeps its disks (repair action Restart)",
}
"""What each repair action does; Replace is the default.

Learn, virtual-machine-scale-sets/virtual-machine-scale-sets-automatic-instance-repairs, 2026-05-19.
"""


def automatic_repairs(scale_set: ScaleSet) -> Check:
    """Repairs could hit an instance that reboots; a Flexible set does not show whether they run."""
    name = CheckName.AUTOMATIC_REPAIRS
    if not scale_set.automatic_repairs:
        return Check(name, Outcome.PASS, "Automatic repairs are off.")
    given = scale_set.repair_action
    does = REPAIRS.get((given or "replace").lower(), f"do what `{given[:40]}` says to an unhealthy instance")
    if scale_set.flexible:
        words = (
            "Automatic repairs are on and Azure does not show their state for a Flexible scale set, so they "
            f"cannot be suspended safely. While an instance reboots they may {does}."
        )
        return Check(name, Outcome.UNKNOWN, words)
    words = (
        "Automatic repairs are on. They are suspended from each start until its instances are healthy again; "
        f"otherwise they would {does}."
    )
    return Check(name, Outcome.PASS, words)


def zone_rebalancing(scale_set: ScaleSet) -> Check:
    """Automatic zone balance creates an instance in one zone and deletes one in another, at any time.

    Learn, virtual-machine-scale-sets/auto-zone-balance-overview, 2025-04-18 (preview): one instance at most
    every 12 hours; instance ids and disks are not kept. Its service state (compute API,
    OrchestrationServiceNames) is left alone: no document says what suspending it does.
    """
    name = CheckName.ZONE_REBALANCING
    if not scale_set.zone_rebalancing:
        return Check(name, Outcome.PASS, "Automatic zone balance is off.")
    words = (
        "Automatic zone balance is on: at any time Azure may create an instance in one zone and delete one "
        "in another, with its disks. Breakwater does not suspend that. Switch it off until the wave is over "
        f"(az vmss update --enable-automatic-zone-balancing false), or accept `{name}`."
    )
    return Check(name, Outcome.BLOCK, words, (), ("automaticZoneRebalancingPolicy.enabled of its model",))
