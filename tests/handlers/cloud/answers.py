"""Answers of the activity log and of autoscale, for the tests of the look-ups."""

import copy
from typing import Any

from tests.handlers.parts import scale_set

WEB = scale_set("web")


AT = "2026-11-20T08:00:00.1234567Z"


def event(**changes: Any) -> dict[str, Any]:
    made = {
        "correlationId": "c-1",
        "eventDataId": "e-1",
        "eventTimestamp": AT,
        "operationId": "o-1",
        "operationName": {"value": "Microsoft.Compute/virtualMachineScaleSets/deallocate/action"},
        "resourceId": WEB.id,
        "status": {"value": "Succeeded"},
        "claims": {"appid": "an-app"},
        "properties": {"requestbody": ""},
    }
    return copy.deepcopy(made | changes)


def setting(**changes: Any) -> dict[str, Any]:
    profile = {"name": "p", "capacity": {"minimum": "0", "maximum": "0", "default": "0"}, "rules": []}
    properties = {
        "enabled": True,
        "targetResourceUri": WEB.id.upper(),
        "profiles": [profile | {"recurrence": {"frequency": "Week"}}],
    }
    return {"name": "scale", "properties": properties | changes}
