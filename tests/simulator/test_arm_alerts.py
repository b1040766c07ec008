"""What the simulated ARM tells of rights, alert rules and action groups, in the published shapes."""

import json

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from simulator.arm import Faults
from simulator.fleet import SUBSCRIPTION
from simulator.fleet.alerting import Assignment
from tests.simulator.support import Stage, azure

ROOT = f"/subscriptions/{SUBSCRIPTION}"
PERMISSIONS = f"{ROOT}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
RULES = f"{ROOT}/providers/Microsoft.Insights/activityLogAlerts?api-version=2020-10-01"
ASSIGNMENTS = f"{ROOT}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
WHO = "99999999-8888-7777-6666-555555555555"


async def got(client, server, path: str) -> dict:
    response = await client.send_request(HttpRequest("GET", server.url + path))
    response.raise_for_status()
    return json.loads(response.text())


async def test_the_caller_sees_its_permissions_less_what_was_taken_away(monkeypatch) -> None:
    gone = "Microsoft.Compute/virtualMachines/read"
    async with azure(Stage().fleet, monkeypatch, faults=Faults(denied={gone})) as (client, server):
        (entry,) = (await got(client, server, PERMISSIONS))["value"]
    assert entry.keys() == {"actions", "notActions", "dataActions", "notDataActions"}
    assert gone not in entry["actions"]
    assert "Microsoft.Compute/virtualMachineScaleSets/read" in entry["actions"]
    assert "Microsoft.Compute/virtualMachineScaleSets/performMaintenance/action" not in entry["actions"]


async def test_an_alert_rule_leads_to_its_action_group_whatever_the_casing(monkeypatch) -> None:
    stage = Stage()
    stage.fleet.world.alerting.wire(SUBSCRIPTION, "https://app.example", "k", "/app")
    async with azure(stage.fleet, monkeypatch) as (client, server):
        (rule,) = (await got(client, server, RULES))["value"]
        (called,) = rule["properties"]["actions"]["actionGroups"]
        address = f"{called['actionGroupId'].lower()}?api-version=2023-01-01"
        group = await got(client, server, address)
        with pytest.raises(HttpResponseError) as missing:
            await got(client, server, address.replace("/breakwater?", "/none?"))
    assert {"field": "category", "equals": "ServiceHealth"} in rule["properties"]["condition"]["allOf"]
    (receiver,) = group["properties"]["azureFunctionReceivers"]
    assert receiver["httpTriggerUrl"] == "https://app.example/api/alerts?code=k"
    assert missing.value.status_code == 404


async def test_a_principals_roles_are_found_by_its_assignments(monkeypatch) -> None:
    stage = Stage()
    stage.fleet.world.alerting.assignments.append(Assignment(principal=WHO, scope=ROOT, actions=("*/read",)))
    async with azure(stage.fleet, monkeypatch) as (client, server):
        asked = f"{ASSIGNMENTS}&$filter=assignedTo('{WHO}')"
        (assigned,) = (await got(client, server, asked))["value"]
        role = await got(
            client, server, f"{assigned['properties']['roleDefinitionId']}?api-version=2022-04-01"
        )
        nobody = (await got(client, server, asked.replace(WHO, SUBSCRIPTION)))["value"]
        with pytest.raises(HttpResponseError) as wrong:
            await got(client, server, f"{ASSIGNMENTS}&$filter=name eq 'x'")
    assert assigned["properties"]["scope"] == ROOT
    assert role["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert nobody == []
    assert wrong.value.status_code == 400


@pytest.mark.parametrize(
    ("path", "right"),
    [(PERMISSIONS, "Microsoft.Authorization/permissions/read"), (RULES, "Microsoft.Insights/activityLogAlerts/read")],
)  # fmt: skip
async def test_without_the_right_they_are_refused(monkeypatch, path, right) -> None:
    async with azure(Stage().fleet, monkeypatch, faults=Faults(denied={right})) as (client, server):
        with pytest.raises(HttpResponseError) as refused:
            await got(client, server, path)
    assert refused.value.status_code == 403
    assert right in str(refused.value)
