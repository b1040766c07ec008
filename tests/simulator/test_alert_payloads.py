"""Alerts look like Azure's samples in both schemas."""

import json

import pytest

from simulator.fleet.alerts import TERMINAL, WORDS
from tests.simulator.support import HOUR, Stage

STAGES = sorted(WORDS)


def test_the_common_schema_has_azures_oddities() -> None:
    body = Stage().fleet.alert("VM1T-1Q8", "Planned")
    essentials, context = body["data"]["essentials"], body["data"]["alertContext"]
    assert body["schemaId"] == "azureMonitorCommonAlertSchema"
    assert essentials["monitoringService"] == "ServiceHealth"
    assert essentials["alertTargetIDs"][0].startswith("/subscriptions/")
    assert "subscriptionId" not in context
    assert (context["eventSource"], context["level"], context["channels"]) == (2, 3, 1)
    assert context["operationName"] == "Microsoft.ServiceHealth/maintenance/action"
    facts = context["properties"]
    assert [entry["ServiceName"] for entry in json.loads(facts["impactedServices"])] == [
        "Virtual Machines",
        "Virtual Machine Scale Sets",
    ]
    assert json.loads(facts["impactedServices"])[0]["ImpactedRegions"] == [{"RegionName": "West Europe"}]
    assert facts["incidentType"] == "Maintenance"
    assert "<p>" in facts["communication"]


def test_the_legacy_schema_carries_the_subscription_and_words() -> None:
    body = Stage().fleet.alert("VM1T-1Q8", "Complete", "legacy")
    activity = body["data"]["context"]["activityLog"]
    assert body["schemaId"] == "Microsoft.Insights/activityLogs"
    assert body["data"]["status"] == "Activated"
    assert activity["status"] == "Resolved"
    assert activity["eventSource"] == "ServiceHealth"
    assert activity["subscriptionId"] == Stage().wave.subscriptions[0]


@pytest.mark.parametrize("stage", STAGES)
def test_terminal_stages_are_resolved_and_others_active(stage) -> None:
    context = Stage().fleet.alert("VM1T-1Q8", stage)["data"]["alertContext"]
    assert context["status"] == ("Resolved" if stage in TERMINAL else "Active")
    assert context["properties"]["stage"] == stage


def test_every_alert_has_its_own_ids_unless_given() -> None:
    stage = Stage()
    first, second = (stage.fleet.alert("VM1T-1Q8")["data"]["alertContext"] for _ in range(2))
    assert first["properties"]["communicationId"] != second["properties"]["communicationId"]
    assert first["eventDataId"] != second["eventDataId"]
    same = stage.fleet.alert("VM1T-1Q8", communication_id="77", event_data_id="x")["data"]["alertContext"]
    assert (same["properties"]["communicationId"], same["eventDataId"]) == ("77", "x")


def test_variations_change_what_they_name() -> None:
    stage = Stage()
    late = stage.clock.now - HOUR
    body = stage.fleet.alert(
        "VM1T-1Q8",
        services_as="array",
        level="Warning",
        reboot=False,
        event_at=late,
        properties={"argQuery": "x", "maintenanceId": None},
    )
    context = body["data"]["alertContext"]
    facts = context["properties"]
    assert isinstance(facts["impactedServices"], list)
    assert context["level"] == 2
    assert context["eventTimestamp"] == "2026-11-03T08:00:00.000Z"
    assert "without a reboot" in facts["communication"]
    assert facts["argQuery"] == "x"
    assert "maintenanceId" not in facts
