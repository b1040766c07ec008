"""What the real compute client reads from the simulated ARM."""

import json

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest

from simulator.arm import Bucket, Faults
from simulator.fleet import SUBSCRIPTION, flexible, uniform
from tests.simulator.support import DAY, GROUP, HOUR, START, Stage, azure, wave


async def test_scale_sets_are_listed_by_subscription_location_and_resource_group(monkeypatch) -> None:
    stage = Stage(
        uniform("web"), uniform("north", location="northeurope"), uniform("other", resource_group="rg-other")
    )
    async with azure(stage.fleet, monkeypatch, page_size=2) as (client, server):
        sets = client.virtual_machine_scale_sets
        assert [s.name async for s in sets.list_all()] == ["web", "north", "other"]
        assert server.calls["list scale sets"] == 2
        assert [s.name async for s in sets.list_by_location("NorthEurope")] == ["north"]
        assert [s.name async for s in sets.list("RG-OTHER")] == ["other"]


async def test_a_scale_set_shows_what_the_guidance_asks_about(monkeypatch) -> None:
    stage = Stage(
        uniform("fabric", service_fabric=True, health="none"),
        uniform("spot", spot=True, eviction_policy="Delete", zones=("1", "2", "3")),
        uniform("local", ephemeral_os_disk=True, automatic_repairs=True, terminate_notification=True),
        uniform("probe", health="probe", tags={"breakwater-self-service": "always"}),
    )
    async with azure(stage.fleet, monkeypatch) as (client, _):
        found = {s.name: s async for s in client.virtual_machine_scale_sets.list_all()}
    extensions = found["fabric"].virtual_machine_profile.extension_profile.extensions
    assert [e.publisher for e in extensions] == ["Microsoft.Azure.ServiceFabric"]
    assert found["spot"].virtual_machine_profile.priority == "Spot"
    assert found["spot"].virtual_machine_profile.eviction_policy == "Delete"
    assert found["spot"].zones == ["1", "2", "3"]
    profile = found["local"].virtual_machine_profile
    assert profile.storage_profile.os_disk.diff_disk_settings.option == "Local"
    assert profile.scheduled_events_profile.terminate_notification_profile.enable is True
    assert found["local"].automatic_repairs_policy.enabled is True
    assert found["probe"].virtual_machine_profile.network_profile.health_probe.id.endswith("/probes/health")
    assert found["probe"].tags == {"breakwater-self-service": "always"}
    assert found["probe"].orchestration_mode == "Uniform"


async def test_a_missing_scale_set_is_azures_404(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, _):
        with pytest.raises(ResourceNotFoundError) as refused:
            await client.virtual_machine_scale_sets.get(GROUP, "nobody")
    assert refused.value.error.code == "ResourceNotFound"


async def test_instances_come_in_pages_and_carry_a_view_only_when_asked(monkeypatch) -> None:
    stage = Stage(uniform("web", 7, update_domains=5))
    async with azure(stage.fleet, monkeypatch, page_size=3) as (client, server):
        vms = client.virtual_machine_scale_set_vms
        bare = [vm async for vm in vms.list(GROUP, "web")]
        assert server.calls["list instances"] == 3
        assert [vm.instance_view for vm in bare] == [None] * 7
        viewed = [vm async for vm in vms.list(GROUP, "web", expand="instanceView")]
    assert [vm.instance_id for vm in viewed] == [str(i) for i in range(7)]
    assert [vm.name for vm in viewed][:2] == ["web_0", "web_1"]
    assert [vm.instance_view.platform_update_domain for vm in viewed] == [0, 1, 2, 3, 4, 0, 1]
    assert len({vm.instance_view.placement_group_id for vm in viewed}) == 1
    status = viewed[0].instance_view.maintenance_redeploy_status
    assert status.is_customer_initiated_maintenance_allowed is True
    assert status.pre_maintenance_window_start_time == START + DAY
    assert status.maintenance_window_end_time == START + 16 * DAY
    assert status.last_operation_result_code == "None"
    assert viewed[0].instance_view.vm_health.status.code == "HealthState/healthy"
    assert [s.code for s in viewed[0].instance_view.statuses] == [
        "ProvisioningState/succeeded",
        "PowerState/running",
    ]


async def test_the_flag_follows_the_window_although_texts_are_kept(monkeypatch) -> None:
    stage = Stage(at=0 * DAY)
    async with azure(stage.fleet, monkeypatch) as (client, _):

        async def allowed() -> bool:
            viewed = [
                vm
                async for vm in client.virtual_machine_scale_set_vms.list(GROUP, "web", expand="instanceView")
            ]
            (flag,) = {
                vm.instance_view.maintenance_redeploy_status.is_customer_initiated_maintenance_allowed
                for vm in viewed
            }
            return flag

        seen = []
        for days in (0, 1, 4, 0.5):
            stage.clock.advance(days * DAY)
            seen.append(await allowed())
    assert seen == [False, True, False, False]


async def test_an_instance_outside_every_wave_has_no_maintenance_status(monkeypatch) -> None:
    stage = Stage(uniform("web", 2, health="none"), impacted=lambda i: i.instance_id == "0")
    async with azure(stage.fleet, monkeypatch) as (client, _):
        view = await client.virtual_machine_scale_set_vms.get_instance_view(GROUP, "web", "1")
        got = await client.virtual_machine_scale_set_vms.get(GROUP, "web", "0", expand="instanceView")
    assert view.maintenance_redeploy_status is None
    assert view.vm_health is None
    assert got.instance_view.maintenance_redeploy_status is not None


async def test_a_flexible_sets_instances_are_virtual_machines(monkeypatch) -> None:
    stage = Stage(flexible("flex", 5, zones=("1", "2")), flexible("second", 2))
    set_id = stage.fleet.scale_set("flex").id
    async with azure(stage.fleet, monkeypatch, page_size=2) as (client, _):
        only_ids = [vm async for vm in client.virtual_machine_scale_set_vms.list(GROUP, "flex")]
        assert all(vm.properties is None and "/virtualMachines/flex_" in vm.id for vm in only_ids)
        for chosen in (
            f"'virtualMachineScaleSet/id' eq {set_id}",
            f"'virtualMachineScaleSet/id' eq '{set_id.lower()}'",
            f"virtualMachineScaleSet/id eq '{set_id}'",
        ):
            found = [
                vm async for vm in client.virtual_machines.list(GROUP, filter=chosen, expand="instanceView")
            ]
            assert len(found) == 5
        assert found[0].instance_view.platform_update_domain is None
        assert found[0].instance_view.maintenance_redeploy_status is not None
        assert found[0].virtual_machine_scale_set.id == set_id
        assert {vm.zones[0] for vm in found} == {"1", "2"}
        assert len([vm async for vm in client.virtual_machines.list_all()]) == 7
        with pytest.raises(HttpResponseError) as refused:
            [vm async for vm in client.virtual_machines.list_all(expand="instanceView")]
        assert refused.value.status_code == 400
        one = await client.virtual_machines.get(GROUP, found[0].name, expand="instanceView")
        assert one.instance_view.vm_health.status.code == "HealthState/healthy"
        with pytest.raises(HttpResponseError) as refused:
            await client.virtual_machine_scale_sets.get_instance_view(GROUP, "flex")
        assert refused.value.error.code == "OperationNotAllowed"


async def test_rolling_upgrades_are_404_until_there_was_one(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, _):
        latest = client.virtual_machine_scale_set_rolling_upgrades.get_latest
        with pytest.raises(ResourceNotFoundError):
            await latest(GROUP, "web")
        stage.fleet.people.start_rolling_upgrade(stage.fleet.scale_set("web"))
        assert (await latest(GROUP, "web")).running_status.code == "RollingForward"
        assert (await client.virtual_machine_scale_sets.get(GROUP, "web")).provisioning_state == "Updating"
        stage.fleet.people.end_rolling_upgrade(stage.fleet.scale_set("web"))
        assert (await latest(GROUP, "web")).running_status.code == "Completed"


async def test_paths_are_read_in_any_case(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, server):
        path = stage.fleet.scale_set("web").id.upper()
        answer = await client.send_request(HttpRequest("GET", f"{server.url}{path}?api-version=2026-04-01"))
    assert answer.json()["name"] == "web"


async def test_without_a_token_for_arm_the_answer_is_401(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (_, server), aiohttp.ClientSession() as session:
        address = f"{server.url}{stage.fleet.scale_set('web').id}?api-version=2026-04-01"
        async with session.get(address) as answer:
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
        asked = {"resource": "https://storage.azure.com", "api-version": "2019-08-01"}
        secret = {"X-IDENTITY-HEADER": server.identity_header}
        async with session.get(server.identity_url, params=asked, headers=secret) as issued:
            wrong = (await issued.json())["access_token"]
        async with session.get(address, headers={"Authorization": f"Bearer {wrong}"}) as answer:
            assert (await answer.json())["error"]["code"] == "InvalidAuthenticationTokenAudience"
        async with session.get(server.identity_url, params=asked) as issued:
            assert issued.status == 401
        ours = {"Authorization": f"Bearer {server.token}"}
        async with session.get(address.split("?", maxsplit=1)[0], headers=ours) as answer:
            assert (await answer.json())["error"]["code"] == "MissingApiVersionParameter"


async def test_an_unknown_subscription_is_404(monkeypatch) -> None:
    stage = Stage()
    strange = "99999999-0000-0000-0000-000000000000"
    async with azure(stage.fleet, monkeypatch, subscription=strange) as (client, _):
        with pytest.raises(ResourceNotFoundError) as refused:
            [s async for s in client.virtual_machine_scale_sets.list_all()]
    assert refused.value.error.code == "SubscriptionNotFound"


async def test_faults_throttle_fail_drop_and_garble(monkeypatch) -> None:
    stage = Stage(uniform("web", 2))
    faults = Faults()
    async with azure(stage.fleet, monkeypatch, faults=faults) as (client, server):

        async def look():
            return [
                vm
                async for vm in client.virtual_machine_scale_set_vms.list(GROUP, "web", expand="instanceView")
            ]

        faults.throttle(retry_after=7, kind="list instances")
        with pytest.raises(HttpResponseError) as refused:
            await look()
        assert refused.value.status_code == 429
        assert refused.value.response.headers["Retry-After"] == "7"
        faults.fail(status=500)
        with pytest.raises(HttpResponseError) as refused:
            await look()
        assert refused.value.status_code == 500
        faults.drop(2)
        with pytest.raises(Exception, match="disconnected"):
            await look()
        faults.malformed_dates.add("web_0")
        faults.unknown_codes.add("web_1")
        first, second = await look()
        assert first.instance_view.maintenance_redeploy_status.pre_maintenance_window_start_time == "soon"
        assert second.instance_view.maintenance_redeploy_status.last_operation_result_code == "Perplexed"
        assert [seen.status for seen in server.seen] == [429, 500, 0, 0, 200]


async def test_resource_graph_finds_the_wave_and_what_it_impacts(monkeypatch) -> None:
    stage = Stage(uniform("web", 3))
    stage.fleet.plan(wave("OLD-1", impacted=lambda _: False))
    stage.after(2 * HOUR)
    async with azure(stage.fleet, monkeypatch) as (client, server):

        async def ask(query: str, **options: object) -> dict:
            request = HttpRequest(
                "POST",
                f"{server.url}/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01",
                json={"query": query, "subscriptions": [SUBSCRIPTION], "options": options},
            )
            return json.loads((await client.send_request(request)).text())

        events = await ask(
            "ServiceHealthResources | where type =~ 'Microsoft.ResourceHealth/events' "
            "| where properties.EventType == 'PlannedMaintenance' "
            "and todatetime(properties.LastUpdateTime) > ago(60d) "
            "| project trackingId = tostring(properties.TrackingId), status = properties.Status, "
            "subscriptionId | order by trackingId asc"
        )
        assert events["data"] == [
            {"trackingId": "OLD-1", "status": "Active", "subscriptionId": SUBSCRIPTION},
            {"trackingId": "VM1T-1Q8", "status": "Active", "subscriptionId": SUBSCRIPTION},
        ]
        fresh = await ask("servicehealthresources | where todatetime(properties.LastUpdateTime) > ago(3h)")
        assert [row["name"] for row in fresh["data"]] == ["OLD-1"]
        hit = (
            "maintenanceresources | where type == 'microsoft.maintenance/updates' "
            "| mv-expand d = properties.value | where tostring(d.notificationId) == 'VM1T-1Q8'"
            " | project target = tolower(name), status = tostring(d.status)"
        )
        first = await ask(hit, **{"$top": 2})
        rest = await ask(hit, **{"$top": 2, "$skipToken": first["$skipToken"]})
        targets = [row["target"] for row in first["data"] + rest["data"]]
        assert targets == [i.id.lower() for i in stage.fleet.scale_set("web").instances.values()]
        assert "$skipToken" not in rest
        refused = await ask("resources | summarize count()")
        assert refused["error"]["code"] == "BadRequest"


async def test_a_token_bucket_throttles_each_kind_of_call_by_itself(monkeypatch) -> None:
    stage = Stage()
    faults = Faults(buckets={"get scale set": Bucket(capacity=2, refill=0.01)})
    async with azure(stage.fleet, monkeypatch, faults=faults) as (client, server):
        get = client.virtual_machine_scale_sets.get
        await get(GROUP, "web")
        await get(GROUP, "web")
        with pytest.raises(HttpResponseError) as refused:
            await get(GROUP, "web")
        assert refused.value.status_code == 429
        assert int(refused.value.response.headers["Retry-After"]) > 90
        assert len([s async for s in client.virtual_machine_scale_sets.list_all()]) == 1
        assert server.calls == {"token": 1, "get scale set": 3, "list scale sets": 1}


async def test_a_wave_over_two_subscriptions_is_found_in_each(monkeypatch) -> None:
    other = "aaaaaaaa-0000-4000-8000-000000000002"
    stage = Stage(
        uniform("web", 2), uniform("far", 2, subscription=other), subscriptions=(SUBSCRIPTION, other)
    )
    async with azure(stage.fleet, monkeypatch, subscription=other) as (client, _):
        (far,) = [s async for s in client.virtual_machine_scale_sets.list_all()]
        vms = [
            vm async for vm in client.virtual_machine_scale_set_vms.list(GROUP, "far", expand="instanceView")
        ]
    assert far.name == "far"
    assert all(vm.instance_view.maintenance_redeploy_status is not None for vm in vms)
    body = stage.fleet.alert("VM1T-1Q8", subscription=other)
    assert body["data"]["essentials"]["alertTargetIDs"] == [f"/subscriptions/{other}"]
