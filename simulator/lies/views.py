"""One instance or scale set in Azure's JSON, said otherwise. Every function answers a new value."""

from typing import Any

Json = dict[str, Any]


def _properties(raw: Json, **changed: Any) -> Json:
    return {**raw, "properties": {**raw.get("properties", {}), **changed}}


def without_view(raw: Json) -> Json:
    found = {key: value for key, value in raw.get("properties", {}).items() if key != "instanceView"}
    return {**raw, "properties": found}


def null_view(raw: Json) -> Json:
    return _properties(raw, instanceView=None)


def empty_view(raw: Json) -> Json:
    return _properties(raw, instanceView={})


def _view(raw: Json, **changed: Any) -> Json:
    """With parts of its instance view changed; None takes a part away."""
    known = raw.get("properties", {}).get("instanceView")
    if not known:
        return raw
    view = {key: value for key, value in {**known, **changed}.items() if value is not None}
    return _properties(raw, instanceView=view)


def without_status(raw: Json) -> Json:
    return _view(raw, maintenanceRedeployStatus=None)


def without_health(raw: Json) -> Json:
    return _view(raw, vmHealth=None)


def unknown_health(raw: Json) -> Json:
    if "vmHealth" not in (raw.get("properties", {}).get("instanceView") or {}):
        return raw
    return _view(raw, vmHealth={"status": {"code": "HealthState/unknown", "level": "Info"}})


def _statuses(raw: Json) -> list[Json]:
    return list((raw.get("properties", {}).get("instanceView") or {}).get("statuses", ()))


def without_power(raw: Json) -> Json:
    return _view(raw, statuses=[one for one in _statuses(raw) if not _is(one, "PowerState")])


def unknown_power(raw: Json) -> Json:
    other = {"code": "PowerState/unknown", "level": "Info", "displayStatus": "VM status unknown"}
    return _view(raw, statuses=[other if _is(one, "PowerState") else one for one in _statuses(raw)])


def failed(raw: Json) -> Json:
    """Provisioning failed, of what is well provisioned; everything else is left as it is."""
    if raw.get("properties", {}).get("provisioningState") != "Succeeded":
        return raw
    word = {
        "code": "ProvisioningState/failed/VMExtensionProvisioningError",
        "level": "Error",
        "displayStatus": "Provisioning failed",
    }
    statuses = [word if _is(one, "ProvisioningState") else one for one in _statuses(raw)]
    return _properties(_view(raw, statuses=statuses) if statuses else raw, provisioningState="Failed")


def status(raw: Json) -> Json:
    """The maintenance status, empty when none is shown."""
    found = (raw.get("properties", {}).get("instanceView") or {}).get("maintenanceRedeployStatus")
    return found if isinstance(found, dict) else {}


def earlier_code(raw: Json) -> Json:
    """The result code of an earlier wave, where this one has none yet."""
    shown = status(raw)
    allowed = shown.get("isCustomerInitiatedMaintenanceAllowed") is True
    if not allowed or shown.get("lastOperationResultCode") != "None":
        return raw
    return _view(raw, maintenanceRedeployStatus={**shown, "lastOperationResultCode": "MaintenanceCompleted"})


def _is(one: Json, kind: str) -> bool:
    return str(one.get("code", "")).startswith(f"{kind}/")
