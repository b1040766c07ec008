"""An instance's maintenance status under the names that Azure CLI and PowerShell have for it."""

from collections.abc import Mapping
from datetime import datetime

from planner.azure.fleet import MaintenanceStatus


def properties(status: MaintenanceStatus) -> Mapping[str, bool | datetime | str | None]:
    """The properties of `maintenanceRedeployStatus`, in the order of Microsoft's page; times are aware UTC.

    Its two windows are four properties of their own, None where Azure shows none.
    """
    ours, theirs = status.self_service, status.scheduled
    return {
        "isCustomerInitiatedMaintenanceAllowed": status.allowed,
        "preMaintenanceWindowStartTime": ours.start if ours else None,
        "preMaintenanceWindowEndTime": ours.end if ours else None,
        "maintenanceWindowStartTime": theirs.start if theirs else None,
        "maintenanceWindowEndTime": theirs.end if theirs else None,
        "lastOperationResultCode": str(status.result),
        "lastOperationMessage": status.message,
    }
