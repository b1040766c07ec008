"""What Azure does to a scale set by itself meanwhile: it repairs instances and balances zones."""

from planner.azure.fleet import ScaleSet
from planner.policy.model import CheckName
from planner.record.check import Check, Outcome
from planner.words import repairs as words


def automatic_repairs(scale_set: ScaleSet) -> Check:
    """Repairs could hit an instance that reboots; a Flexible set does not show whether they run."""
    name = CheckName.AUTOMATIC_REPAIRS
    if not scale_set.automatic_repairs:
        return Check(name, Outcome.PASS, words.OFF)
    action = scale_set.repair_action
    if scale_set.flexible:
        return Check(name, Outcome.UNKNOWN, words.cannot_be_seen(action))
    return Check(name, Outcome.PASS, words.suspended_meanwhile(action))


def zone_rebalancing(scale_set: ScaleSet) -> Check:
    """Automatic zone balance creates an instance in one zone and deletes one in another, at any time.

    Learn, virtual-machine-scale-sets/auto-zone-balance-overview, 2025-04-18 (preview): one instance at most
    every 12 hours; instance ids and disks are not kept. Its service state (compute API,
    OrchestrationServiceNames) is left alone: no document says what suspending it does.
    """
    name = CheckName.ZONE_REBALANCING
    if not scale_set.zone_rebalancing:
        return Check(name, Outcome.PASS, words.ZONE_BALANCE_OFF)
    return Check(name, Outcome.BLOCK, words.zone_balance_on(name), (), (words.ZONE_BALANCE_KEY,))
