"""The rights of Breakwater's role: what each is needed for, and which of them an identity lacks.

Where a right is missing Resource Graph answers with an empty table: what it does not show proves nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Protocol

PERMISSIONS = "providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
_SETS = "Microsoft.Compute/virtualMachineScaleSets"

RIGHTS: Mapping[str, str] = {
    "Microsoft.Authorization/permissions/read": "which rights are missing is not known",
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

WAVES = (
    "Microsoft.Maintenance/updates/read",
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.ResourceHealth/events/read",
    "Microsoft.ResourceHealth/impactedResources/read",
)
"""Without one of these Resource Graph shows no planned maintenance, and says nothing of it."""

CHANGES = (
    "Microsoft.ResourceGraph/resources/read",
    "Microsoft.ResourceHealth/availabilityStatuses/read",
    "Microsoft.Resources/changes/read",
)
"""The same for the changes of resources."""


class Reads(Protocol):
    """As much of `handlers.cloud.arm.Arm` as is needed here."""

    def pages(self, path: str) -> Any: ...


async def held(arm: Reads, subscription: str) -> list[dict[str, Any]]:
    """The permissions of whoever asks, in the whole subscription. Raises handlers.cloud.errors."""
    pages = arm.pages(f"/subscriptions/{subscription}/{PERMISSIONS}")
    return [entry async for page in pages for entry in page]


def missing(permissions: Sequence[Mapping[str, Any]], needed: Iterable[str] = RIGHTS) -> tuple[str, ...]:
    """Those of the needed actions that none of the permissions grants, in their order."""
    return tuple(action for action in needed if not allowed(action, permissions))


def allowed(action: str, permissions: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of the permissions grants the action: wildcards count, and case does not."""
    return any(
        _matches(action, entry.get("actions")) and not _matches(action, entry.get("notActions"))
        for entry in permissions
    )


def _matches(action: str, patterns: Any) -> bool:
    """As Azure matches them: `*` stands for anything, slashes included."""
    known = patterns if isinstance(patterns, list) else ()
    return any(fnmatchcase(action.lower(), str(pattern).lower().replace("[", "[[]")) for pattern in known)
