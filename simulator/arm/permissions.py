"""Which permission each call takes, so that a scene can take it away."""

from simulator.arm.answers import Refusal
from simulator.arm.routes import Call

SET, INSTANCE = "Microsoft.Compute/virtualMachineScaleSets", "virtualMachines"
ACTIONS = {
    "list scale sets": f"{SET}/read",
    "get scale set": f"{SET}/read",
    "scale set view": f"{SET}/instanceView/read",
    "rolling upgrade": f"{SET}/rollingUpgrades/read",
    "start scale set": f"{SET}/performMaintenance/action",
    "list instances": f"{SET}/{INSTANCE}/read",
    "get instance": f"{SET}/{INSTANCE}/read",
    "list virtual machines": "Microsoft.Compute/virtualMachines/read",
    "get virtual machine": "Microsoft.Compute/virtualMachines/read",
    "operation": "Microsoft.Compute/locations/operations/read",
    "resource graph": "Microsoft.ResourceGraph/resources/read",
    "activity log": "Microsoft.Insights/eventtypes/values/read",
    "autoscale settings": "Microsoft.Insights/autoscaleSettings/read",
    "auto-shutdown schedules": "Microsoft.DevTestLab/schedules/read",
    "resource groups": "Microsoft.Resources/subscriptions/resourceGroups/read",
    "alert rules": "Microsoft.Insights/activityLogAlerts/read",
    "action group": "Microsoft.Insights/actionGroups/read",
    "permissions": "Microsoft.Authorization/permissions/read",
    "role assignments": "Microsoft.Authorization/roleAssignments/read",
    "role definition": "Microsoft.Authorization/roleDefinitions/read",
}
"""By kind of call. Resource Graph itself never refuses a table: it shows the rows of what one may read."""

UNCALLED = (
    "Microsoft.Compute/virtualMachineScaleSets/setOrchestrationServiceState/action",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/instanceView/read",
    "Microsoft.Compute/virtualMachineScaleSets/virtualMachines/performMaintenance/action",
    "Microsoft.Compute/virtualMachines/instanceView/read",
    "Microsoft.Compute/virtualMachines/performMaintenance/action",
    "Microsoft.Maintenance/updates/read",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.ResourceHealth/events/read",
    "Microsoft.ResourceHealth/impactedResources/read",
    "Microsoft.Resources/changes/read",
)
"""Further permissions of the caller: of calls of several kinds, or of rows of Resource Graph."""


TABLES = {
    "servicehealthresources": {
        "Microsoft.ResourceHealth/events/read",
        "Microsoft.ResourceHealth/impactedResources/read",
    },
    "maintenanceresources": {"Microsoft.Maintenance/updates/read"},
    "resourcechanges": {"Microsoft.Resources/changes/read"},
    "healthresourcechanges": {"Microsoft.ResourceHealth/availabilityStatuses/read"},
}
"""What the rows of a table of Resource Graph need: without it the table is empty, and nothing is refused."""


def shows(table: str, denied: set[str]) -> bool:
    """Whether the caller may see the rows of this table."""
    gone = {one.lower() for one in denied}
    return all(one.lower() not in gone for one in TABLES.get(table.lower(), ()))


def held(denied: set[str]) -> list[str]:
    """What the caller may do: all that is called here but starting a whole scale set, less what was taken."""
    gone = {one.lower() for one in denied} | {ACTIONS["start scale set"].lower()}
    return sorted({one for one in (*ACTIONS.values(), *UNCALLED) if one.lower() not in gone})


def check(call: Call, denied: set[str]) -> None:
    """Raises Refusal when the call's permission has been taken away."""
    action = ACTIONS.get(call.kind, "")
    if action and action.lower() in {one.lower() for one in denied}:
        scope = f"/subscriptions/{call.names['subscription']}" if "subscription" in call.names else "/"
        raise Refusal(
            403,
            "AuthorizationFailed",
            "The client '00000000-0000-0000-0000-000000000001' with object id "
            "'00000000-0000-0000-0000-000000000001' does not have authorization to perform action "
            f"'{action}' over scope '{scope}' or the scope is invalid. If access was recently granted, please "
            "refresh your credentials.",
        )
