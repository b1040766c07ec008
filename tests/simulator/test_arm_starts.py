"""Starting maintenance through the real compute client, and following the operation."""

from datetime import timedelta

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.rest import HttpRequest

from simulator.fleet import Behaviour, flexible, uniform
from simulator.fleet.ledger import SetWideCall
from tests.simulator.support import GROUP, MINUTE, Stage, azure


async def test_a_start_is_a_202_whose_operation_ends_when_the_instance_is_back(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, server):
        poller = await client.virtual_machine_scale_set_vms.begin_perform_maintenance(
            GROUP, "web", "3", polling=False
        )
        first = poller.polling_method()._initial_response.http_response
        assert first.status_code == 202
        assert first.headers["Retry-After"] == "0"

        async def status(header: str) -> tuple[int, str]:
            answer = await client.send_request(HttpRequest("GET", first.headers[header]))
            return answer.status_code, answer.json()["status"] if answer.content else ""

        assert await status("Azure-AsyncOperation") == (200, "InProgress")
        assert await status("Location") == (202, "")
        view = await client.virtual_machine_scale_set_vms.get_instance_view(GROUP, "web", "3")
        assert view.statuses[0].code == "ProvisioningState/updating"
        stage.after(5 * MINUTE)
        assert await status("Azure-AsyncOperation") == (200, "Succeeded")
        assert await status("Location") == (200, "")
        view = await client.virtual_machine_scale_set_vms.get_instance_view(GROUP, "web", "3")
        assert view.maintenance_redeploy_status is None
        assert server.calls["start"] == 1
        assert server.calls["operation"] == 4


async def test_the_clients_own_poller_sees_success_and_failure(monkeypatch) -> None:
    good, bad = Behaviour(reboot=timedelta(0)), Behaviour(reboot=timedelta(0), fails_after_reboot=True)
    stage = Stage(uniform("good", 1, behaviour=good), uniform("bad", 1, behaviour=bad))
    async with azure(stage.fleet, monkeypatch) as (client, _):
        start = client.virtual_machine_scale_set_vms.begin_perform_maintenance
        await (await start(GROUP, "good", "0")).result()
        with pytest.raises(HttpResponseError) as failed:
            await (await start(GROUP, "bad", "0")).result()
    assert failed.value.error.code == "OSProvisioningTimedOut"


async def test_an_instance_that_is_not_eligible_is_azures_409(monkeypatch) -> None:
    stage = Stage(eligible=lambda _: False)
    async with azure(stage.fleet, monkeypatch) as (client, _):
        with pytest.raises(ResourceExistsError) as refused:
            await client.virtual_machine_scale_set_vms.begin_perform_maintenance(GROUP, "web", "0")
    assert refused.value.error.code == "OperationNotAllowed"
    assert "is not allowed on VM 'web_0'" in refused.value.error.message


async def test_a_second_start_in_flight_is_a_conflict(monkeypatch) -> None:
    stage = Stage()
    async with azure(stage.fleet, monkeypatch) as (client, _):
        start = client.virtual_machine_scale_set_vms.begin_perform_maintenance
        await start(GROUP, "web", "0", polling=False)
        with pytest.raises(ResourceExistsError) as refused:
            await start(GROUP, "web", "0", polling=False)
    assert refused.value.error.code == "Conflict"


async def test_a_lost_answer_breaks_the_connection_after_the_work_began(monkeypatch) -> None:
    stage = Stage(uniform("web", 1, behaviour=Behaviour(lost_answers=1)))
    async with azure(stage.fleet, monkeypatch) as (client, _):
        with pytest.raises(Exception, match="disconnected"):
            await client.virtual_machine_scale_set_vms.begin_perform_maintenance(GROUP, "web", "0")
    (asked,) = stage.fleet.ledger.starts("customer")
    assert asked.accepted
    assert not asked.answered
    assert stage.fleet.instance("web", 0).power == "stopped"


async def test_an_answer_of_200_says_done_while_the_instance_is_still_down(monkeypatch) -> None:
    stage = Stage(uniform("web", 1, behaviour=Behaviour(answer=200)))
    async with azure(stage.fleet, monkeypatch) as (client, _):
        poller = await client.virtual_machine_scale_set_vms.begin_perform_maintenance(GROUP, "web", "0")
        await poller.result()
    assert stage.fleet.instance("web", 0).power == "stopped"


async def test_a_flexible_instance_is_started_as_a_virtual_machine(monkeypatch) -> None:
    stage = Stage(flexible("flex", 2))
    name = stage.fleet.instance("flex", 1).name
    async with azure(stage.fleet, monkeypatch) as (client, _):
        poller = await client.virtual_machines.begin_perform_maintenance(GROUP, name, polling=False)
        assert poller.polling_method()._initial_response.http_response.status_code == 202
        with pytest.raises(ResourceExistsError):
            await client.virtual_machine_scale_sets.begin_perform_maintenance(
                GROUP, "flex", {"instanceIds": [name]}
            )
    assert [s.instance for s in stage.fleet.ledger.starts("customer")] == [stage.fleet.instance("flex", 1).id]


@pytest.mark.parametrize(("body", "started"), [({"instanceIds": ["1", "2"]}, 2), (None, 4)])
async def test_the_set_wide_call_without_ids_starts_every_instance(monkeypatch, body, started) -> None:
    stage = Stage(uniform("web", 4))
    async with azure(stage.fleet, monkeypatch) as (client, _):
        await client.virtual_machine_scale_sets.begin_perform_maintenance(GROUP, "web", body, polling=False)
    assert len(stage.fleet.ledger.starts("customer")) == started
    (call,) = stage.fleet.ledger.of(SetWideCall)
    assert call.instance_ids == (None if body is None else ("1", "2"))
