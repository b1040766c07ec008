"""The rights of Breakwater's role, and what each is needed for."""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from handlers.cli.checkup.finding import Finding, well, wrong

AREA = "rights"
_SETS = "Microsoft.Compute/virtualMachineScaleSets"

RIGHTS: Mapping[str, str] = {
    f"{_SETS}/read": "no scale set is found, and `scale-set-readable` is unknown",
    f"{_SETS}/instanceView/read": "whether automatic repairs are suspended is unknown",
    f"{_SETS}/rollingUpgrades/read": "`operation-in-flight` is unknown",
    f"{_SETS}/setOrchestrationServiceState/action": (
        "automatic repairs are not suspended: Azure may replace an instance that reboots"
    ),
    f"{_SETS}/virtualMachines/read": "`impacted`, `status-readable` and `instances-readable` are unknown",
    f"{_SETS}/virtualMachines/instanceView/read": "`instances-readable` and `others-healthy` are unknown",
    f"{_SETS}/virtualMachines/performMaintenance/action": "no instance of a Uniform scale set is started",
    "Microsoft.Compute/virtualMachines/read": "`impacted` of Flexible scale sets is unknown",
    "Microsoft.Compute/virtualMachines/instanceView/read": (
        "`instances-readable` of Flexible scale sets is unknown"
    ),
    "Microsoft.Compute/virtualMachines/performMaintenance/action": (
        "no instance of a Flexible scale set is started"
    ),
    "Microsoft.Compute/locations/operations/read": "what became of a start is seen by the status alone",
    "Microsoft.DevTestLab/schedules/read": "`often-stopped` is unknown",
    "Microsoft.Insights/autoscaleSettings/read": "`often-stopped` and `short-lived` are unknown",
    "Microsoft.Insights/eventtypes/values/read": "`often-stopped` and `short-lived` are unknown",
    "Microsoft.Maintenance/updates/read": "a wave that no alert brought is not found",
    "Microsoft.ResourceGraph/resources/read": (
        "`often-resized` is unknown, and a wave that no alert brought is not found"
    ),
    "Microsoft.ResourceHealth/availabilityStatuses/read": (
        "`often-resized` and `often-stopped` cannot tell Azure's own repairs apart"
    ),
    "Microsoft.ResourceHealth/events/read": "a wave that no alert brought is not found",
    "Microsoft.ResourceHealth/impactedResources/read": "a wave that no alert brought is not found",
    "Microsoft.Resources/changes/read": "`often-resized` sees no change",
    "Microsoft.Resources/subscriptions/resourceGroups/read": "`managed` is unknown",
}
"""The actions of infra/modules/role.bicep, and what is so without each."""

WHOLE = f"{_SETS}/performMaintenance/action"
"""Takes a whole scale set down: Breakwater's identity must not have it."""


def allowed(action: str, permissions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the permissions grants the action: wildcards count, and case does not."""
    return any(
        _matches(action, entry.get("actions")) and not _matches(action, entry.get("notActions"))
        for entry in permissions
    )


def judged(subscription: str, permissions: Sequence[Mapping[str, Any]], principal: str) -> Iterator[Finding]:
    """Each right that is missing: of the app's identity where `principal` names it, else of the caller.

    The caller needs only the reads: nothing typed here starts anything.
    """
    whose = "The app's identity" if principal else "Your sign-in"
    needed = [action for action in RIGHTS if principal or action.endswith("/read")]
    missing = [action for action in needed if not allowed(action, permissions)]
    remedy = (
        f"az deployment sub create --subscription {subscription} --location REGION "
        f"--template-file infra/modules/role.bicep --parameters principalId={principal}"
        if principal
        else f"az role assignment create --role Reader --assignee ME --scope /subscriptions/{subscription}"
    )
    for action in missing:
        yield wrong(AREA, f"{whose} lacks {action} in {subscription}: {RIGHTS[action]}.", remedy)
    if principal and allowed(WHOLE, permissions):
        yield wrong(
            AREA,
            f"{whose} may call {WHOLE} in {subscription}, which can take a whole scale set down: "
            "Breakwater never does. Take the wider role away from it.",
            f"az role assignment list --subscription {subscription} --assignee {principal} --output table",
        )
    if not missing:
        which = f"all {len(needed)} {'rights of the role' if principal else 'reads of the role'}"
        beside = "" if principal else " The app's own rights: --principal ID."
        yield well(AREA, f"{whose} has {which} in {subscription}.{beside}")


def _matches(action: str, patterns: Any) -> bool:
    """As Azure matches them: `*` stands for anything, slashes included."""
    known = patterns if isinstance(patterns, list) else ()
    return any(fnmatchcase(action.lower(), str(pattern).lower().replace("[", "[[]")) for pattern in known)
