"""The checks: named rules, each with its evidence, outcome and a sentence.

Counter-indications come from Microsoft's guidance "When to start a maintenance using self-service"
(planned maintenance notifications for scale sets): they concern the scale set and decide its verdict.
Conditions come and go (an operation in flight, an instance down): they hold up a start and decide nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from planner.azure.fleet import Health, Instance, Provisioning, ScaleSet, impacted, natural
from planner.azure.usage import Source
from planner.decision.azure_upkeep import automatic_repairs, zone_rebalancing
from planner.decision.counter_indications import (
    local_state,
    often_resized,
    often_stopped,
    scheduled_events,
    short_lived,
)
from planner.decision.managed import owner
from planner.policy.health import describe, serving
from planner.policy.keys import ACCEPTABLE
from planner.policy.model import CheckName, Rules
from planner.policy.overrides import INSTANCE, accepted_instances
from planner.record.check import Check, Outcome
from planner.record.copying import replace

HARMLESS = frozenset({CheckName.OFTEN_STOPPED, CheckName.SHORT_LIVED, CheckName.OFTEN_RESIZED})
"""Checks that protect neither data nor people: what they could not read is said and does not block."""

LOOKED_UP = HARMLESS | {CheckName.MANAGED}
"""Checks that need the extra look-ups of the wave."""


def counter_indications(
    scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules, now: datetime
) -> tuple[Check, ...]:
    """Every structural check, in a fixed order, passed ones too."""
    hit = impacted(instances)
    found = (
        _policy(rules),
        _scale_set_readable(scale_set),
        _service_fabric(scale_set),
        _managed(scale_set),
        short_lived(scale_set, instances, rules, now),
        local_state(scale_set, rules),
        scheduled_events(scale_set, rules),
        often_stopped(scale_set, hit, rules),
        often_resized(scale_set, rules),
        _status_readable(hit),
        _protection(hit),
        automatic_repairs(scale_set),
        zone_rebalancing(scale_set),
    )
    return tuple(_accepted(check, rules) for check in found)


def evaluated_again(shown: Sequence[Check], fresh: Sequence[Check]) -> tuple[Check, ...]:
    """The checks people are shown, each as it came out last."""
    by_name = {check.name: check for check in fresh}
    return tuple(by_name.get(check.name, check) for check in shown)


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
    none, so one that falls silent is not healthy. `missing` are instances that Azure does not show just now;
    `reporting` are those that have reported health before, so that silence counts against them.
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
    accepted = check.name in rules.accept and check.name in ACCEPTABLE
    if not accepted or check.outcome not in {Outcome.BLOCK, Outcome.UNKNOWN}:
        return check
    where = rules.sources.get("accept", "the policy")
    return replace(check, outcome=Outcome.ACCEPTED, reason=f"{check.reason} Accepted ({where}).")


def _policy(rules: Rules) -> Check:
    if rules.problems:
        return Check(CheckName.POLICY, Outcome.BLOCK, " ".join(rules.problems))
    return Check(CheckName.POLICY, Outcome.PASS, "The policy and the tags can be read.", (), rules.notes)


def _scale_set_readable(scale_set: ScaleSet) -> Check:
    name = CheckName.SCALE_SET_READABLE
    if scale_set.unreadable:
        words = f"Not everything could be read: {'; '.join(scale_set.unreadable)}."
        return Check(name, Outcome.UNKNOWN, words)
    return Check(name, Outcome.PASS, "Azure showed the scale set in full.")


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
            f"It belongs to {found.name} ({found.sign}), which starts, drains and replaces its instances "
            f"itself. To reboot it anyway, accept `{name}` for it."
        )
        return Check(name, Outcome.BLOCK, words, (), ("managedBy, resource group and tags",))
    if Source.GROUPS in scale_set.unread:
        return Check(name, Outcome.UNKNOWN, scale_set.unread[Source.GROUPS], (), (str(Source.GROUPS),))
    return Check(name, Outcome.PASS, "No other service seems to run it or to manage its resource group.")


def _status_readable(hit: Sequence[Instance]) -> Check:
    name = CheckName.STATUS_READABLE
    strange = {
        instance.id: status.unreadable
        for instance in hit
        if (status := instance.status) is not None and status.unreadable
    }
    if strange:
        words = f"Azure sent a status that cannot be understood: {next(iter(strange.values()))}."
        return Check(name, Outcome.UNKNOWN, words, tuple(strange))
    return Check(name, Outcome.PASS, "Every maintenance status could be read.")


def _protection(hit: Sequence[Instance]) -> Check:
    """Protected instances are skipped one by one; a set with nothing else is left to Azure."""
    name = CheckName.PROTECTION
    protected = tuple(instance.id for instance in hit if instance.protected)
    if not protected:
        return Check(name, Outcome.PASS, "No impacted instance is protected from scale-set actions.")
    if len(protected) == len(hit):
        words = "Every impacted instance is protected from scale-set actions."
        return Check(name, Outcome.BLOCK, words, protected)
    words = (
        f"{len(protected)} of {len(hit)} impacted instances are protected and will not be rebooted "
        "unless `protection` is accepted."
    )
    return Check(name, Outcome.PASS, words, protected)


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
    if scale_set.provisioning != Provisioning.FAILED:
        return Check(name, Outcome.PASS, "The scale set's provisioning has not failed.")
    words = (
        "The scale set's provisioning has failed: its last operation did not succeed. Repeat that operation, "
        "or accept it for this run (raise `accept: provisioning-failed`)."
    )
    return Check(name, Outcome.BLOCK, words)


def _all_shown(instances: Sequence[Instance], missing: Sequence[str]) -> Check:
    """What Azure does not show is neither healthy nor gone, so nothing starts beside it."""
    name = CheckName.INSTANCES_READABLE
    if missing:
        first = min(missing, key=natural)
        words = f"Azure's listing lacks instance {first}, and nothing proves that it is gone."
        return Check(name, Outcome.UNKNOWN, words, tuple(missing))
    unreadable = {instance.id: instance.unreadable for instance in instances if instance.unreadable}
    if unreadable:
        first = min(unreadable, key=natural)
        words = f"{unreadable[first]} (instance {first})."
        return Check(name, Outcome.UNKNOWN, words, tuple(unreadable))
    return Check(name, Outcome.PASS, "Azure shows every instance in full.")


def _in_order(instances: Iterable[Instance]) -> list[Instance]:
    return sorted(instances, key=lambda instance: natural(instance.id))


def _others_serving(
    others: Sequence[Instance], rules: Rules, *, owed: bool, reporting: Collection[str]
) -> Check:
    name = CheckName.OTHERS_HEALTHY
    accepted = accepted_instances(rules.accept)
    meant_to_run = [each for each in others if not each.switched_off and not each.unreadable]
    # Azure lists in no order one may rely on; the sentence stays the same.
    down = _in_order(
        instance
        for instance in meant_to_run
        if not serving(instance, rules.health, reported_before=owed or instance.id in reporting)
        and not (instance.id in accepted and instance.running and not instance.busy)
    )
    if down:
        first = down[0]
        words = (
            f"{len(down)} other instance{'s are' if len(down) > 1 else ' is'} not running and healthy "
            f"(instance {first.id}: {describe(first)}).{_way_on(first)}"
        )
        return Check(name, Outcome.BLOCK, words, tuple(instance.id for instance in down))
    words = "Every other instance that should run is running and healthy."
    failed = _in_order(each for each in meant_to_run if each.provisioning == Provisioning.FAILED)
    if failed:
        names = ", ".join(instance.id for instance in failed[:5])
        words += (
            f" Provisioning has failed on {names}, but the application there is healthy, or it is accepted."
        )
    return Check(name, Outcome.PASS, words)


def _way_on(instance: Instance) -> str:
    if instance.provisioning != Provisioning.FAILED or not instance.running:
        return ""
    return (
        " It runs, but its provisioning has failed and it does not report healthy: repair it, or accept it "
        f"for this run (raise `accept: {INSTANCE}{instance.id}`)."
    )
