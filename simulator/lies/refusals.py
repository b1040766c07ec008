"""Azure's ways of refusing a start, in its words; the code alone says little."""

from simulator.fleet.answers import Answer, conflict
from simulator.fleet.model import Instance

NOT_ALLOWED = "OperationNotAllowed"
ORDER = ("refused-eligible", "refused-quota", "refused-power", "refused-busy", "conflict")


def refusal(name: str, instance: Instance) -> Answer:
    """The answer of a lie by its name; KeyError for one that refuses nothing."""
    machine, location = instance.name, instance.owner.location
    messages = {
        "refused-eligible": f"Operation 'performMaintenance' is not allowed on VM '{machine}' since the "
        "Subscription of this VM is not eligible.",
        "refused-quota": "Operation could not be completed as it results in exceeding approved Total Regional "
        f"Cores quota. Additional details - Deployment Model: Resource Manager, Location: {location}, Current "
        "Limit: 100, Current Usage: 100, Additional Required: 2, (Minimum) New Limit Required: 102.",
        "refused-power": f"Operation 'performMaintenance' is not allowed on VM '{machine}'. The operation "
        "requires the VM to be running (or set to run).",
        "refused-busy": f"Operation 'performMaintenance' is not allowed on VM '{machine}' since another "
        "operation is in progress on it.",
    }
    if name == "conflict":
        return conflict()
    return Answer(409, NOT_ALLOWED, messages[name])


def locked(instance: Instance) -> Answer:
    owner = instance.owner.id
    group = owner.split("/providers/", 1)[0]
    return Answer(
        409,
        "ScopeLocked",
        f"The scope '{instance.id}' cannot perform write operation because following scope(s) are locked: "
        f"'{group}'. Please remove the lock and try again.",
    )
