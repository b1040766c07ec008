"""What an alert is about: Service Health, maintenance, or a test.

`operationName` and `incidentType` can be relied on; the event source and the level are numbers in one schema
and words in the other (Learn, azure-monitor/alerts/activity-log-alerts-webhook). What cannot be read is
examined further, not ignored.
"""

from handlers.wire import alert_facts as facts
from handlers.wire.outside_json import AnyCase

_OPERATION, _MAINTENANCE = "microsoft.servicehealth/", "microsoft.servicehealth/maintenance/action"
_OTHER_INCIDENTS = frozenset(
    {"actionrequired", "assistedrecovery", "billing", "incident", "informational", "security"}
)
_TEST_TRACKING_IDS = frozenset({"TEST-TTT", "ABC1-DEF"})
"""Sent by the action group's test button."""


def service_health(event: AnyCase, essentials: AnyCase) -> bool:
    """Whether Service Health sent the event."""
    operation = event.text("operationName").lower()
    sources = (essentials.text("monitoringService"), event.text("eventSource"))
    if operation.startswith(_OPERATION) or "servicehealth" in map(facts.folded, sources):
        return True
    # Only its events have an incident type; operations of others look like `provider/type/verb`.
    return "/" not in operation and "incidentType" in event.part("properties")


def test(properties: AnyCase) -> bool:
    """Whether somebody pressed the test button."""
    tracking_id = properties.text("trackingId").upper()
    return facts.flag(properties.get("isSynthetic")) or tracking_id in _TEST_TRACKING_IDS


def maintenance(event: AnyCase) -> bool | None:
    """Whether the event is about maintenance; None when neither its type nor its operation can be read."""
    operation = event.text("operationName").lower()
    incident = event.part("properties").words("incidentType").lower()
    if incident == "maintenance":
        return True
    if operation.startswith(_OPERATION):
        return operation == _MAINTENANCE and incident not in _OTHER_INCIDENTS
    return False if incident else None
