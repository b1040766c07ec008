"""Whether an instance does its work, and how it was last seen, in words."""

from planner.fleet import Health, Instance
from planner.policy import HealthRule


def serving(instance: Instance, health: HealthRule, *, reported_before: bool = False) -> bool:
    """Whether an instance does its work: running, no operation on it, and healthy as the rule asks."""
    return (
        instance.running
        and not instance.busy
        and instance.provisioning != "failed"
        and healthy(instance, health, reported_before=reported_before)
    )


def healthy(instance: Instance, rule: HealthRule, *, reported_before: bool = False) -> bool:
    """Healthy as the rule asks; missing, initializing and unknown are not healthy where a report is owed."""
    if rule is HealthRule.IGNORE:
        return True
    if instance.health is Health.NOT_REPORTED:
        return rule is HealthRule.IF_REPORTED and not reported_before
    return instance.health is Health.HEALTHY


def describe(instance: Instance) -> str:
    """The last state seen of an instance, in words."""
    parts = [instance.power]
    if instance.provisioning not in {"succeeded", "unknown"}:
        parts.append(instance.provisioning)
    unclear = {Health.NOT_REPORTED: "reports no health", Health.UNKNOWN: "health unknown"}
    parts.append(unclear.get(instance.health, instance.health.value))
    return ", ".join(parts)
