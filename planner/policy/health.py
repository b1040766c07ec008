"""Whether an instance does its work, and how it was last seen."""

from planner.azure.fleet import Health, Instance, Provisioning
from planner.policy.model import HealthRule
from planner.words.instances import HEALTH_UNKNOWN, NO_HEALTH


def serving(instance: Instance, health: HealthRule, *, reported_before: bool = False) -> bool:
    """Whether an instance does its work: readable, running, no operation on it, and healthy as the rule asks.

    Provisioning stays `failed` for weeks after an extension that did not install, on machines that do their
    work (Azure/vm-scale-sets#76, #82): there the application's own health counts.
    """
    return (
        not instance.unreadable
        and instance.running
        and not instance.busy
        and (instance.provisioning != Provisioning.FAILED or instance.health is Health.HEALTHY)
        and healthy(instance, health, reported_before=reported_before)
    )


def ill(instance: Instance, health: HealthRule) -> bool:
    """Whether Azure says outright that it does not serve; unknown, unreadable and busy say nothing."""
    if instance.unreadable or instance.busy:
        return False
    if instance.down or (
        instance.provisioning == Provisioning.FAILED and instance.health is not Health.HEALTHY
    ):
        return True
    return health is not HealthRule.IGNORE and instance.health is Health.UNHEALTHY


def healthy(instance: Instance, rule: HealthRule, *, reported_before: bool = False) -> bool:
    """Healthy as the rule asks; missing, initializing and unknown are not healthy where a report is owed."""
    if rule is HealthRule.IGNORE:
        return True
    if instance.health is Health.NOT_REPORTED:
        return rule is HealthRule.IF_REPORTED and not reported_before
    return instance.health is Health.HEALTHY


def describe(instance: Instance) -> str:
    """The state an instance was last seen in, for people."""
    if instance.unreadable:
        return instance.unreadable[:1].lower() + instance.unreadable[1:]
    parts = [instance.power]
    if instance.provisioning not in {Provisioning.SUCCEEDED, Provisioning.UNKNOWN}:
        parts.append(instance.provisioning)
    unclear = {Health.NOT_REPORTED: NO_HEALTH, Health.UNKNOWN: HEALTH_UNKNOWN}
    parts.append(unclear.get(instance.health, instance.health.value))
    return ", ".join(parts)
