"""What the checks say that concern the scale set as it is, and the conditions of a start."""

from collections.abc import Iterable, Sequence

from planner.text.phrases import many

THE_POLICY = "the policy"
"""Where a value comes from that nothing more exact is known of."""


def accepted(reason: str, where: str = THE_POLICY) -> str:
    return f"{reason} Accepted ({where})."


POLICY_READABLE = "The policy and the tags can be read."

SCALE_SET_READABLE = "Azure showed the scale set in full."


def scale_set_unreadable(what: Iterable[str]) -> str:
    return f"Not everything could be read: {'; '.join(what)}."


SERVICE_FABRIC = "It runs Service Fabric: self-service maintenance is not available there."
CLOUD_SERVICE = "It belongs to a cloud service: self-service maintenance is not available there."
NO_SERVICE_FABRIC = "No Service Fabric extension and no cloud service."
EXTENSIONS = "extensions of its model"


def managed(owner: str, sign: str, check: str) -> str:
    """It belongs to another service, known by this sign; `check` is what to accept to reboot it anyway."""
    return (
        f"It belongs to {owner} ({sign}), which starts, drains and replaces its instances "
        f"itself. To reboot it anyway, accept `{check}` for it."
    )


NOT_MANAGED = "No other service seems to run it or to manage its resource group."
MARKS_OF_A_MANAGER = "managedBy, resource group and tags"


def managed_by(manager: str) -> str:
    return f"managedBy {manager}"


def group_managed_by(resource_group: str, manager: str) -> str:
    return f"its resource group {resource_group} is managed by {manager}"


def tag(name: str) -> str:
    return f"tag {name}"


def other_manager(resource_type: str) -> str:
    return f"another resource, {resource_type}"


def status_unclear(why: str) -> str:
    return f"Azure sent a status that cannot be understood: {why}."


STATUS_READABLE = "Every maintenance status could be read."

NONE_PROTECTED = "No impacted instance is protected from scale-set actions."
ALL_PROTECTED = "Every impacted instance is protected from scale-set actions."


def some_protected(protected: int, impacted: int) -> str:
    return (
        f"{protected} of {impacted} impacted instances are protected and will not be rebooted "
        "unless `protection` is accepted."
    )


def rolling_upgrade(status: str) -> str:
    return f"A rolling upgrade is under way ({status})."


def other_operation(provisioning: str) -> str:
    return f"Another operation is under way: provisioning is {provisioning}."


NO_OPERATION = "No other operation on the scale set."

PROVISIONING_FINE = "The scale set's provisioning has not failed."
PROVISIONING_FAILED = (
    "The scale set's provisioning has failed: its last operation did not succeed. Repeat that operation, "
    "or accept it for this run (raise `accept: provisioning-failed`)."
)

NOT_READ_YET = (
    "Azure had not answered about it when this was planned. Nothing starts before it does; if the answer "
    "matters, the plan is made again."
)
"""Why a source is unread while the look-ups are under way."""

ALL_SHOWN = "Azure shows every instance in full."


def not_listed(first: str, others: int = 0) -> str:
    """Azure's listing lacks the instance `first`, and so many others."""
    more = f", and {many(others, 'more instance')}" if others else ""
    return f"Azure's listing lacks instance {first}{more}, and nothing proves that it is gone."


def instance_unreadable(why: str, first: str, others: int = 0) -> str:
    """Why the instance `first` cannot be read, and so many others neither."""
    more = f", and {many(others, 'more instance')} like it" if others else ""
    return f"{why} (instance {first}{more})."


def others_down(number: int, first: str, seen: str) -> str:
    """Other instances are down; `seen` is how the first of them was last seen."""
    return (
        f"{number} other instance{'s are' if number > 1 else ' is'} not running and healthy "
        f"(instance {first}: {seen})."
    )


def runs_but_failed(accept: str) -> str:
    """What to do about an instance down that only failed to provision; `accept` is how it is accepted."""
    return (
        "It runs, but its provisioning has failed and it does not report healthy: repair it, or accept it "
        f"for this run (raise `accept: {accept}`)."
    )


OTHERS_HEALTHY = "Every other instance that should run is running and healthy."


def healthy_though_failed(ids: Sequence[str]) -> str:
    names = ", ".join(ids[:5])
    return f"Provisioning has failed on {names}, but the application there is healthy, or it is accepted."
