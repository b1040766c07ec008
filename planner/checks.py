"""The checks: each one named rule with its evidence, outcome and a sentence.

Counter-indications come from Microsoft's guidance "When to start a maintenance using self-service"
(planned maintenance notifications for scale sets): they speak of the scale set and decide its verdict.
Conditions come and go (an operation in flight, an instance down): they hold up a start and decide nothing.
"""

from collections.abc import Sequence

from planner.fleet import Health, Instance, ScaleSet, impacted
from planner.policy import HealthRule, Rules
from planner.run import Check, Outcome

FIRM = frozenset({"policy", "service-fabric", "status-readable", "scale-set-readable"})
"""Checks nobody can accept: the maintenance is not available there, or we do not know enough."""

STOPPING = frozenset({Outcome.BLOCK, Outcome.UNKNOWN})


def counter_indications(
    scale_set: ScaleSet, instances: Sequence[Instance], rules: Rules
) -> tuple[Check, ...]:
    """Every structural check, in a fixed order, passed ones too."""
    found = (
        _policy(rules),
        _scale_set_readable(scale_set),
        _service_fabric(scale_set),
        _managed(scale_set),
        _short_lived(scale_set, rules),
        _local_state(scale_set, rules),
        _scheduled_events(scale_set, rules),
        _declared("often-stopped", "its instances are often stopped or deallocated", rules),
        _declared("often-resized", "its instances are often resized", rules),
        _status_readable(instances),
        _protection(instances),
    )
    return tuple(_accepted(check, rules) for check in found)


def conditions(
    scale_set: ScaleSet,
    instances: Sequence[Instance],
    rules: Rules,
    *,
    going_down: frozenset[str] = frozenset(),
) -> tuple[Check, ...]:
    """What must hold at the moment of a start; `going_down` are the batch's own instances."""
    others = [one for one in instances if one.id not in going_down]
    return (_operation_in_flight(scale_set), _others_serving(others, rules))


def blocking(checks: Sequence[Check]) -> tuple[Check, ...]:
    return tuple(check for check in checks if check.outcome in STOPPING)


def serving(instance: Instance, health: HealthRule) -> bool:
    """Whether an instance does its work: running, no operation on it, and healthy as the rule asks."""
    return (
        instance.running
        and not instance.busy
        and instance.provisioning != "failed"
        and healthy(instance, health)
    )


def healthy(instance: Instance, rule: HealthRule, *, reported_before: bool = False) -> bool:
    """Healthy as the rule asks; missing, initializing and unknown are not healthy where a report is owed."""
    if rule is HealthRule.IGNORE:
        return True
    if instance.health is Health.NOT_REPORTED:
        return rule is HealthRule.IF_REPORTED and not reported_before
    return instance.health is Health.HEALTHY


def _accepted(check: Check, rules: Rules) -> Check:
    if check.outcome in STOPPING and check.name in rules.accept and check.name not in FIRM:
        return Check(check.name, Outcome.ACCEPTED, f"{check.reason} Accepted by the policy.", check.instances)
    return check


def _policy(rules: Rules) -> Check:
    if rules.problems:
        return Check("policy", Outcome.BLOCK, " ".join(rules.problems))
    return Check("policy", Outcome.PASS, "The policy and the tags can be read.")


def _scale_set_readable(scale_set: ScaleSet) -> Check:
    if scale_set.unreadable:
        return Check(
            "scale-set-readable",
            Outcome.UNKNOWN,
            f"Not everything could be read: {'; '.join(scale_set.unreadable)}.",
        )
    return Check("scale-set-readable", Outcome.PASS, "Azure showed the scale set in full.")


def _service_fabric(scale_set: ScaleSet) -> Check:
    if scale_set.service_fabric:
        return Check(
            "service-fabric",
            Outcome.BLOCK,
            "It runs Service Fabric: self-service maintenance is not available there.",
        )
    return Check("service-fabric", Outcome.PASS, "No Service Fabric extension.")


def _managed(scale_set: ScaleSet) -> Check:
    if scale_set.managed_by:
        return Check(
            "managed",
            Outcome.BLOCK,
            f"It is managed by {scale_set.managed_by}, which drains and repairs instances in its own way.",
        )
    return Check("managed", Outcome.PASS, "No other service manages it.")


def _short_lived(scale_set: ScaleSet, rules: Rules) -> Check:
    if scale_set.spot:
        return Check(
            "short-lived",
            Outcome.BLOCK,
            "It runs Spot instances: they may be evicted before Azure gets to them.",
        )
    return _declared("short-lived", "its instances are short-lived", rules)


def _local_state(scale_set: ScaleSet, rules: Rules) -> Check:
    if scale_set.ephemeral_os_disk:
        return Check(
            "local-state",
            Outcome.BLOCK,
            "Its OS disks are ephemeral: starting maintenance redeploys an instance, its local data is lost.",
        )
    return _declared("local-state", "it keeps much state on local disks", rules)


def _scheduled_events(scale_set: ScaleSet, rules: Rules) -> Check:
    if scale_set.scheduled_events:
        return Check(
            "scheduled-events",
            Outcome.BLOCK,
            "It has adopted scheduled events: its instances prepare for Azure's own maintenance.",
        )
    return _declared("scheduled-events", "its instances handle scheduled events", rules)


def _declared(name: str, what: str, rules: Rules) -> Check:
    if name in rules.declared:
        where = rules.sources.get(name, "the policy")
        return Check(name, Outcome.BLOCK, f"Declared ({where}): {what}.")
    return Check(name, Outcome.NOT_DECLARED, f"Azure cannot show whether {what}; not declared.")


def _status_readable(instances: Sequence[Instance]) -> Check:
    strange = [one for one in impacted(instances) if one.maintenance and one.maintenance.unreadable]
    if strange:
        first = strange[0].maintenance
        return Check(
            "status-readable",
            Outcome.UNKNOWN,
            f"Azure sent a status that cannot be understood: {first.unreadable if first else ''}.",
            tuple(one.id for one in strange),
        )
    return Check("status-readable", Outcome.PASS, "Every maintenance status could be read.")


def _protection(instances: Sequence[Instance]) -> Check:
    """Protected instances are excused one by one; a set with nothing else is left to Azure."""
    affected = impacted(instances)
    protected = tuple(one.id for one in affected if one.protected)
    if protected and len(protected) == len(affected):
        return Check(
            "protection",
            Outcome.BLOCK,
            "Every impacted instance is protected from scale-set actions.",
            protected,
        )
    if protected:
        return Check(
            "protection",
            Outcome.PASS,
            f"{len(protected)} of {len(affected)} impacted instances are protected and will not be started.",
            protected,
        )
    return Check("protection", Outcome.PASS, "No impacted instance is protected from scale-set actions.")


def _operation_in_flight(scale_set: ScaleSet) -> Check:
    name = "operation-in-flight"
    if scale_set.rolling_upgrade:
        return Check(name, Outcome.BLOCK, f"A rolling upgrade is under way ({scale_set.rolling_upgrade}).")
    if scale_set.provisioning != "succeeded":
        return Check(
            name,
            Outcome.BLOCK,
            f"Another operation is under way or failed: provisioning is {scale_set.provisioning}.",
        )
    return Check(name, Outcome.PASS, "No other operation on the scale set.")


def _others_serving(others: Sequence[Instance], rules: Rules) -> Check:
    meant_to_run = [one for one in others if not one.switched_off]
    down = [one for one in meant_to_run if not serving(one, rules.health)]
    if down:
        first = down[0]
        return Check(
            "others-healthy",
            Outcome.BLOCK,
            f"{len(down)} other instance{'s are' if len(down) > 1 else ' is'} not running and healthy "
            f"(instance {first.id}: {describe(first)}).",
            tuple(one.id for one in down),
        )
    return Check("others-healthy", Outcome.PASS, "Every other instance meant to run is running and healthy.")


def describe(instance: Instance) -> str:
    """The last state seen of an instance, in words."""
    parts = [instance.power]
    if instance.provisioning not in {"succeeded", "unknown"}:
        parts.append(instance.provisioning)
    parts.append("reports no health" if instance.health is Health.NOT_REPORTED else instance.health.value)
    return ", ".join(parts)
