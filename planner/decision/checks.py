"""The checks: each one named rule with its evidence, outcome and a sentence.

Counter-indications come from Microsoft's guidance "When to start a maintenance using self-service"
(planned maintenance notifications for scale sets): they speak of the scale set and decide its verdict.
Conditions come and go (an operation in flight, an instance down): they hold up a start and decide nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from planner.azure.fleet import Health, Instance, Provisioning, ScaleSet, impacted, natural
from planner.azure.usage import Source
from planner.decision.azure_upkeep import automatic_repairs, zone_rebalancing
from planner.decision.counter_indications import declared, often_resized, often_stopped, short_lived
from planner.decision.managed import owner
from planner.decision.scheduled_events import scheduled_events
from planner.policy.health import describe, serving
from planner.policy.keys import ACCEPTABLE
from planner.policy.model import CheckName, Rules
from planner.policy.overrides import INSTANCE, accepted_instances
from planner.record.check import Check, Outcome

HARMLESS = frozenset({CheckName.OFTEN_STOPPED, CheckName.SHORT_LIVED, CheckName.OFTEN_RESIZED})
"""Checks that protect neither data nor people: what could not be read there is said and does not block."""

LOOKED_UP = HARMLESS | {CheckName.MANAGED}
"""Checks that need the extra look-ups of the wave."""


def counter_indications(
    scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules, now: datetime
) -> tuple[Check, ...]:
    """Every structural check, in a fixed order, passed ones too."""
    found = (
        _policy(rules),
        _scale_set_readable(scale_set),
        _service_fabric(scale_set),
        _managed(scale_set),
        short_lived(scale_set, instances, rules, now),
        _local_state(scale_set, rules),
        scheduled_events(scale_set, rules),
        often_stopped(scale_set, instances, rules),
        often_resized(scale_set, rules),
        _status_readable(instances),
        _protection(instances),
        automatic_repairs(scale_set),
        zone_rebalancing(scale_set),
    )
    return tuple(_accepted(check, rules) for check in found)


def evaluated_again(shown: Sequence[Check], fresh: Sequence[Check]) -> tuple[Check, ...]:
    """The checks people are shown, each as it came out last."""
    by_name = {one.name: one for one in fresh}
    return tuple(by_name.get(one.name, one) for one in shown)


def conditions(
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    rules: Rules,
    *,
    going_down: frozenset[str] = frozenset(),
    reported: bool = False,
    missing: Sequence[str] = (),
    reporting: Collection[str] = (),
) -> tuple[Check, ...]:
    """What must hold at the moment of a start; `going_down` are the batch's own instances.

    `reported`: the instances reported health when the plan was made. In a Uniform set all of them report or
    none, so one that falls silent is not healthy. `missing` are instances that Azure does not show just now,
    `reporting` those that have reported health before and owe it.
    """
    others = [instance for instance in instances if instance.id not in going_down]
    owed = not scale_set.flexible and (
        reported or any(instance.health is not Health.NOT_REPORTED for instance in instances)
    )
    return (
        _accepted(_operation_in_flight(scale_set), rules),
        _accepted(_provisioning_failed(scale_set), rules),
        _all_shown(instances, missing),
        _others_serving(others, rules, owed=owed, reporting=reporting),
    )


def blocking(checks: Sequence[Check]) -> tuple[Check, ...]:
    """The checks that stand in the way."""
    return tuple(
        check
        for check in checks
        if check.outcome is Outcome.BLOCK or (check.outcome is Outcome.UNKNOWN and check.name not in HARMLESS)
    )


def in_the_way(checks: Sequence[Check], scale_set: ScaleSet) -> tuple[Check, ...]:
    """The checks that stand in the way of a plan.

    One that waits for look-ups does not: nothing starts before they are made (`start.gate`), and a plan
    that they change is made again.
    """
    return tuple(
        check
        for check in blocking(checks)
        if not (check.outcome is Outcome.UNKNOWN and check.name in LOOKED_UP and scale_set.awaits_look_ups)
    )


def _accepted(check: Check, rules: Rules) -> Check:
    if check.outcome in {Outcome.BLOCK, Outcome.UNKNOWN} and check.name in rules.accept:
        if check.name not in ACCEPTABLE:
            return check
        where = rules.sources.get("accept", "the policy")
        sentence = f"{check.reason} Accepted ({where})."
        return Check(check.name, Outcome.ACCEPTED, sentence, check.instances, check.evidence)
    return check


def _policy(rules: Rules) -> Check:
    if rules.problems:
        return Check(CheckName.POLICY, Outcome.BLOCK, " ".join(rules.problems))
    return Check(CheckName.POLICY, Outcome.PASS, "The policy and the tags can be read.", (), rules.notes)


def _scale_set_readable(scale_set: ScaleSet) -> Check:
    if scale_set.unreadable:
        return Check(
            CheckName.SCALE_SET_READABLE,
            Outcome.UNKNOWN,
            f"Not everything could be read: {'; '.join(scale_set.unreadable)}.",
        )
    return Check(CheckName.SCALE_SET_READABLE, Outcome.PASS, "Azure showed the scale set in full.")


def _service_fabric(scale_set: ScaleSet) -> Check:
    """The guidance: self-service maintenance is not available for Cloud Services and Service Fabric."""
    name = CheckName.SERVICE_FABRIC
    if scale_set.service_fabric:
        words = "It runs Service Fabric: self-service maintenance is not available there."
        return Check(name, Outcome.BLOCK, words, (), ("extensions of its model",))
    if "/cloudservices/" in scale_set.managed_by.lower():
        words = "It belongs to a cloud service: self-service maintenance is not available there."
        return Check(name, Outcome.BLOCK, words, (), (f"managedBy {scale_set.managed_by}",))
    return Check(name, Outcome.PASS, "No Service Fabric extension and no cloud service.")


def _managed(scale_set: ScaleSet) -> Check:
    """Services that run a scale set drain and repair its instances in their own way (see `managed`)."""
    name = CheckName.MANAGED
    found = owner(scale_set)
    if found is not None:
        words = (
            f"It belongs to {found.name} ({found.sign}), which starts, drains and replaces its instances in "
            f"its own way. To start maintenance all the same, accept `{name}` for it."
        )
        return Check(name, Outcome.BLOCK, words, (), ("managedBy, resource group and tags",))
    if Source.GROUPS in scale_set.unread:
        return Check(name, Outcome.UNKNOWN, scale_set.unread[Source.GROUPS], (), (str(Source.GROUPS),))
    return Check(name, Outcome.PASS, "No other service is seen to run it or to manage its resource group.")


def _local_state(scale_set: ScaleSet, rules: Rules) -> Check:
    if scale_set.ephemeral_os_disk:
        return Check(
            CheckName.LOCAL_STATE,
            Outcome.BLOCK,
            "Its OS disks are ephemeral: starting maintenance redeploys an instance, its local data is lost.",
            (),
            ("diffDiskSettings of its model",),
        )
    return declared(CheckName.LOCAL_STATE, "it keeps much state on local disks", rules)


def _status_readable(instances: Sequence[Instance]) -> Check:
    strange = impacted(
        instance for instance in instances if (status := instance.status) and status.unreadable
    )
    if strange:
        first = strange[0].status
        return Check(
            CheckName.STATUS_READABLE,
            Outcome.UNKNOWN,
            f"Azure sent a status that cannot be understood: {first.unreadable if first else ''}.",
            tuple(one.id for one in strange),
        )
    return Check(CheckName.STATUS_READABLE, Outcome.PASS, "Every maintenance status could be read.")


def _protection(instances: Sequence[Instance]) -> Check:
    """Protected instances are skipped one by one; a set with nothing else is left to Azure."""
    affected = impacted(instances)
    protected = tuple(instance.id for instance in affected if instance.protected)
    if protected and len(protected) == len(affected):
        return Check(
            CheckName.PROTECTION,
            Outcome.BLOCK,
            "Every impacted instance is protected from scale-set actions.",
            protected,
        )
    if protected:
        return Check(
            CheckName.PROTECTION,
            Outcome.PASS,
            f"{len(protected)} of {len(affected)} impacted instances are protected and will not be started "
            "unless `protection` is accepted.",
            protected,
        )
    return Check(
        CheckName.PROTECTION, Outcome.PASS, "No impacted instance is protected from scale-set actions."
    )


def _operation_in_flight(scale_set: ScaleSet) -> Check:
    name = CheckName.OPERATION_IN_FLIGHT
    if scale_set.rolling_upgrade:
        return Check(name, Outcome.BLOCK, f"A rolling upgrade is under way ({scale_set.rolling_upgrade}).")
    if scale_set.provisioning not in {Provisioning.SUCCEEDED, Provisioning.FAILED}:
        words = f"Another operation is under way: provisioning is {scale_set.provisioning}."
        return Check(name, Outcome.BLOCK, words)
    return Check(name, Outcome.PASS, "No other operation on the scale set.")


def _provisioning_failed(scale_set: ScaleSet) -> Check:
    """A set stays `Failed` for weeks after one extension or one instance failed (Azure/vm-scale-sets#76)."""
    name = CheckName.PROVISIONING_FAILED
    if scale_set.provisioning == Provisioning.FAILED:
        words = (
            "The provisioning of the scale set is failed: its last operation did not end well. Repeat that "
            "operation, or accept it for this run (raise `accept: provisioning-failed`)."
        )
        return Check(name, Outcome.BLOCK, words)
    return Check(name, Outcome.PASS, "The provisioning of the scale set is not failed.")


def _all_shown(instances: Sequence[Instance], missing: Sequence[str]) -> Check:
    """What Azure does not show is neither healthy nor gone, so nothing starts beside it."""
    name = CheckName.INSTANCES_READABLE
    unreadable = [instance for instance in instances if instance.unreadable]
    if missing:
        first = min(missing, key=natural)
        words = f"Azure does not list instance {first}, and no direct read says that it is gone."
        return Check(name, Outcome.UNKNOWN, words, tuple(missing))
    if unreadable:
        first_one = min(unreadable, key=lambda one: natural(one.id))
        words = f"{first_one.unreadable} (instance {first_one.id})."
        return Check(name, Outcome.UNKNOWN, words, tuple(one.id for one in unreadable))
    return Check(name, Outcome.PASS, "Azure shows every instance with its view.")


def _others_serving(
    others: Sequence[Instance], rules: Rules, *, owed: bool, reporting: Collection[str]
) -> Check:
    accepted = accepted_instances(rules.accept)
    meant_to_run = [one for one in others if not one.switched_off and not one.unreadable]
    down = [
        one
        for one in meant_to_run
        if not serving(one, rules.health, reported_before=owed or one.id in reporting)
        and not (one.id in accepted and one.running and not one.busy)
    ]
    if down:
        # Azure lists in no order one may rely on; the sentence stays the same.
        down.sort(key=lambda one: natural(one.id))
        first = down[0]
        return Check(
            CheckName.OTHERS_HEALTHY,
            Outcome.BLOCK,
            f"{len(down)} other instance{'s are' if len(down) > 1 else ' is'} not running and healthy "
            f"(instance {first.id}: {describe(first)}).{_way_on(first)}",
            tuple(one.id for one in down),
        )
    words = "Every other instance meant to run is running and healthy."
    failed = [one for one in meant_to_run if one.provisioning == Provisioning.FAILED]
    if failed:
        which = ", ".join(one.id for one in failed[:5])
        words += (
            f" Provisioning is failed on {which}; the application there reports healthy or it is accepted."
        )
    return Check(CheckName.OTHERS_HEALTHY, Outcome.PASS, words)


def _way_on(instance: Instance) -> str:
    if instance.provisioning != Provisioning.FAILED or not instance.running:
        return ""
    return (
        " It runs with failed provisioning and does not report healthy: repair it, or accept it for this run "
        f"(raise `accept: {INSTANCE}{instance.id}`)."
    )
