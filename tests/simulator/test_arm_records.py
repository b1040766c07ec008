"""What the simulated ARM tells of a fleet's past and surroundings, in the published shapes."""

import json
from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError
from azure.core.rest import HttpRequest

from simulator.arm import Faults
from simulator.fleet import SUBSCRIPTION, flexible, uniform
from simulator.fleet.records import AUTOSCALE, OPERATOR, PERSON, Profile
from tests.simulator.support import DAY, HOUR, MINUTE, START, Stage, azure

ROOT = f"/subscriptions/{SUBSCRIPTION}"
LOG = f"{ROOT}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
SPAN = f"eventTimestamp ge '{START:%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '2026-12-31T00:00:00Z'"
COMPUTE = f"{LOG}&$filter={SPAN} and resourceProvider eq 'Microsoft.Compute'"


async def got(client, server, path: str) -> list[dict]:
    found, address = [], server.url + path
    while address:
        response = await client.send_request(HttpRequest("GET", address))
        response.raise_for_status()
        page = json.loads(response.text())
        found += page["value"]
        address = page.get("nextLink")
    return found


async def test_an_operation_is_in_the_activity_log_started_accepted_and_ended(monkeypatch) -> None:
    stage = Stage(uniform("web", 2), flexible("api", 1))
    people = stage.fleet.people
    people.deallocate(stage.fleet.instance("web", 1))
    stage.after(HOUR)
    people.stop(stage.fleet.instance("api", 0), by="an-app")
    stage.after(timedelta(seconds=5))
    async with azure(stage.fleet, monkeypatch) as (client, server):
        events = await got(client, server, COMPUTE)
    told = [(one["operationName"]["value"].split("/", 1)[1], one["status"]["value"]) for one in events]
    assert told == [
        ("virtualMachines/powerOff/action", "Accepted"),
        ("virtualMachines/powerOff/action", "Started"),
        ("virtualMachineScaleSets/virtualMachines/deallocate/action", "Succeeded"),
        ("virtualMachineScaleSets/virtualMachines/deallocate/action", "Accepted"),
        ("virtualMachineScaleSets/virtualMachines/deallocate/action", "Started"),
    ]
    assert len({one["correlationId"] for one in events}) == 2
    assert len({one["eventDataId"] for one in events}) == 5
    assert {one["caller"] for one in events} == {PERSON, "an-app"}
    assert events[0]["claims"]["appid"] == "an-app"
    assert events[2]["resourceProviderName"]["value"] == "Microsoft.Compute"
    assert events[2]["resourceType"]["value"] == "Microsoft.Compute/virtualMachineScaleSets/virtualMachines"
    assert events[4]["eventTimestamp"] == "2026-11-03T09:00:00.0000000Z"


async def test_the_log_knows_who_started_maintenance_and_no_caller_when_fields_are_selected(
    monkeypatch,
) -> None:
    stage = Stage(uniform("web", 1))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    async with azure(stage.fleet, monkeypatch) as (client, server):
        (event,) = await got(client, server, f"{COMPUTE}&$select=claims,operationName")
    assert event.keys() == {"claims", "operationName"}
    assert event["operationName"]["value"].endswith("/virtualMachines/performMaintenance/action")
    assert event["claims"]["appid"] == OPERATOR


@pytest.mark.parametrize(
    "query",
    [
        "",
        "&$filter=resourceProvider eq 'Microsoft.Compute'",
        f"&$filter={SPAN} and operationName eq 'x'",
        f"&$filter={SPAN} and resourceProvider eq 'a' and resourceGroupName eq 'b'",
        "&$filter=eventTimestamp ge '2025-01-01T00:00:00Z'",
        "&$filter=eventTimestamp ge 'yesterday'",
        f"&$filter={SPAN}&$select=caller",
    ],
)
async def test_the_log_refuses_what_its_page_does_not_publish(monkeypatch, query: str) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, server):
        with pytest.raises(HttpResponseError) as refused:
            await got(client, server, LOG + query)
    assert refused.value.status_code == 400


async def test_the_log_comes_in_pages(monkeypatch) -> None:
    stage = Stage(uniform("web", 4))
    for instance in list(stage.fleet.scale_set("web").instances.values()):
        stage.fleet.people.stop(instance)
    stage.after(MINUTE)
    async with azure(stage.fleet, monkeypatch, page_size=5) as (client, server):
        assert len(await got(client, server, COMPUTE)) == 12
        assert server.calls["activity log"] == 3


async def test_autoscale_settings_and_what_autoscale_removed(monkeypatch) -> None:
    stage = Stage(uniform("web", 5))
    web = stage.fleet.scale_set("web")
    stage.fleet.upkeep.autoscale(
        web,
        Profile(name="default", minimum=2, maximum=5),
        Profile(name="night", minimum=0, maximum=0, directions=(), recurrence=("Monday", "Tuesday")),
    )
    stage.fleet.upkeep.scale_in(web, 2)
    stage.after(MINUTE)
    async with azure(stage.fleet, monkeypatch) as (client, server):
        path = f"{ROOT}/providers/Microsoft.Insights/autoscalesettings?api-version=2022-10-01"
        (setting,) = await got(client, server, path)
        (event,) = await got(
            client, server, f"{LOG}&$filter={SPAN} and resourceProvider eq 'Microsoft.Insights'"
        )
        deleted = await got(client, server, COMPUTE)
    usual, night = setting["properties"]["profiles"]
    assert setting["properties"]["targetResourceUri"] == web.id
    assert [one["scaleAction"]["direction"] for one in usual["rules"]] == ["Increase", "Decrease"]
    assert night["capacity"] == {"minimum": "0", "maximum": "0", "default": "0"}
    assert night["recurrence"]["schedule"]["days"] == ["Monday", "Tuesday"]
    assert event["category"]["value"] == "Autoscale"
    assert event["properties"]["ResourceName"] == web.id
    assert (event["properties"]["OldInstancesCount"], event["properties"]["NewInstancesCount"]) == ("5", "3")
    assert len(web.instances) == 3
    assert {one["operationName"]["value"].rpartition("/")[2] for one in deleted} == {"delete"}
    assert {one["caller"] for one in deleted} == {AUTOSCALE}


async def test_shutdown_schedules_and_groups_are_listed_by_subscription(monkeypatch) -> None:
    stage = Stage(uniform("web", 1), flexible("api", 1, resource_group="rg-other"))
    machine = stage.fleet.instance("api", 0)
    stage.fleet.upkeep.shut_down_daily(machine)
    stage.fleet.upkeep.group(stage.fleet.scale_set("api")).managed_by = "/the/manager"
    async with azure(stage.fleet, monkeypatch) as (client, server):
        path = f"{ROOT}/providers/Microsoft.DevTestLab/schedules?api-version=2018-09-15"
        (schedule,) = await got(client, server, path)
        groups = await got(client, server, f"{ROOT}/resourcegroups?api-version=2021-04-01")
        stage.fleet.upkeep.group(stage.fleet.scale_set("web")).hidden = True
        seen = await got(client, server, f"{ROOT}/resourcegroups?api-version=2021-04-01")
    assert schedule["properties"]["taskType"] == "ComputeVmShutdownTask"
    assert schedule["properties"]["targetResourceId"] == machine.id
    assert [(one["name"], one.get("managedBy")) for one in groups] == [
        ("rg-breakwater", None),
        ("rg-other", "/the/manager"),
    ]
    assert [one["name"] for one in seen] == ["rg-other"]


async def test_resource_graph_knows_changes_repairs_and_the_machines_of_flexible_sets(monkeypatch) -> None:
    stage = Stage(uniform("web", 1), flexible("api", 1), at=0 * DAY)
    fleet, web = stage.fleet, stage.fleet.scale_set("web")
    fleet.upkeep.resize(web, "Standard_D4s_v5")
    stage.after(15 * DAY)
    fleet.upkeep.resize(web, "Standard_D8s_v5")
    fleet.people.set_tags(web, {"a": "b"})
    fleet.people.service_heal(fleet.instance("api", 0))
    async with azure(fleet, monkeypatch) as (client, server):

        async def ask(query: str) -> list[dict]:
            request = HttpRequest(
                "POST",
                f"{server.url}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
                json={"query": query, "subscriptions": [SUBSCRIPTION], "options": {}},
            )
            return json.loads((await client.send_request(request)).text())["data"]

        sizes = await ask(
            "resourcechanges | extend size = properties.changes['sku.name'] | where isnotempty(size) "
            "| project size.previousValue, size.newValue, at = properties.changeAttributes.timestamp"
        )
        tags = await ask("resourcechanges | where isnotempty(properties.changes['tags.a'])")
        repaired = await ask(
            "healthresourcechanges | where properties.changes['properties.annotationName'].newValue =~ "
            "'virtualmachinemigrationinitiatedforrepair' | project id = properties.targetResourceId"
        )
        machines = await ask(
            "resources | where type =~ 'Microsoft.Compute/virtualMachines' "
            "| project id, owner = properties.virtualMachineScaleSet.id"
        )
    assert [one["at"] for one in sizes] == ["2026-11-17T09:00:00.000+00:00"]
    assert len(tags) == 1
    machine = fleet.instance("api", 0)
    assert repaired == [
        {"id": f"{machine.id}/providers/Microsoft.ResourceHealth/resourceAnnotations/current"}
    ]
    assert machines == [{"id": machine.id, "owner": fleet.scale_set("api").id}]


async def test_a_permission_that_is_taken_away_is_azures_403(monkeypatch) -> None:
    stage = Stage()
    faults = Faults(denied={"microsoft.insights/autoscalesettings/read"})
    async with azure(stage.fleet, monkeypatch, faults=faults) as (client, server):
        with pytest.raises(HttpResponseError) as refused:
            await got(
                client,
                server,
                f"{ROOT}/providers/microsoft.insights/AutoscaleSettings?api-version=2022-10-01",
            )
        assert await got(client, server, COMPUTE) == []
    assert refused.value.status_code == 403
    assert refused.value.error.code == "AuthorizationFailed"
    assert "Microsoft.Insights/autoscaleSettings/read" in refused.value.error.message
