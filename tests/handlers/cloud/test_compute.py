"""The compute face against the simulated ARM, over HTTP and with a real token."""

import gc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.core.pipeline.policies import ContentDecodePolicy

from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled, Unreachable
from planner.azure.fleet import Health, Orchestration
from simulator.arm import Faults
from simulator.fleet import SUBSCRIPTION, Behaviour, flexible, uniform
from tests.simulator.support import DAY, START, Stage


async def test_a_listing_follows_its_pages_and_costs_one_call_each(desk) -> None:
    stage = Stage(*(uniform(f"set{number}", 1) for number in range(7)))
    at = await desk(stage, page_size=3)
    assert [scale_set.name async for page, _ in at.compute.scale_sets() for scale_set in page] == [
        f"set{number}" for number in range(7)
    ]
    assert at.server.calls["list scale sets"] == 3
    assert at.server.calls["token"] == 1


async def test_uniform_instances_come_with_domain_power_health_and_windows_in_one_call_a_page(desk) -> None:
    at = await desk(Stage(uniform("web", 5, update_domains=2, zones=("1", "2"))), page_size=2)
    instances = await at.compute.instances(await at.scale_set("web"))
    assert [(instance.id, instance.zone, instance.update_domain) for instance in instances] == [
        ("0", "1", 0), ("1", "2", 0), ("2", "1", 1), ("3", "2", 1), ("4", "1", 0),
    ]  # fmt: skip
    assert {(instance.power, instance.provisioning, instance.health) for instance in instances} == {
        ("running", "succeeded", Health.HEALTHY)
    }
    status = instances[0].maintenance
    assert status is not None
    assert (status.allowed, status.result, status.unreadable) == (True, "None", "")
    assert status.self_service.start == START + DAY
    assert status.scheduled.end == START + 16 * DAY
    assert at.server.calls["list instances"] == 3
    assert not {"get instance", "instance view", "scale set view"} & set(at.server.calls)


async def test_flexible_instances_are_asked_for_by_their_scale_set(desk) -> None:
    at = await desk(Stage(flexible("api", 5, zones=("1",)), flexible("apix", 2)), page_size=2)
    api = await at.scale_set("api")
    assert api.orchestration is Orchestration.FLEXIBLE
    instances = await at.compute.instances(api)
    assert len(instances) == 5
    assert all(instance.id.startswith("api_") for instance in instances)
    assert all(instance.update_domain is None and instance.maintenance for instance in instances)
    assert at.server.calls["list virtual machines"] == 3


@pytest.mark.parametrize("made", [uniform, flexible])
async def test_a_start_is_accepted_with_the_address_to_follow_it_at(desk, made) -> None:
    stage = Stage(made("web", 1))
    at = await desk(stage)
    web = await at.scale_set("web")
    (instance,) = await at.compute.instances(web)
    accepted = await at.compute.start(web, instance.id)
    assert accepted.operation.startswith(f"{at.server.url}/subscriptions/{SUBSCRIPTION}/providers/")
    assert (await at.compute.operation(accepted.operation)).status == "InProgress"
    stage.after(timedelta(minutes=5))
    assert (await at.compute.operation(accepted.operation)).status == "Succeeded"
    assert len(stage.fleet.ledger.starts("customer")) == 1


async def test_a_start_that_is_done_at_once_has_no_address(desk) -> None:
    stage = Stage(uniform("web", 1, behaviour=Behaviour(answer=200)))
    at = await desk(stage)
    assert (await at.compute.start(await at.scale_set("web"), "0")).operation == ""


async def test_a_start_azure_does_not_allow_is_refused_with_azures_code(desk) -> None:
    at = await desk(Stage(uniform("web", 1, behaviour=Behaviour(refused=True))))
    with pytest.raises(Refused) as refused:
        await at.compute.start(await at.scale_set("web"), "0")
    assert refused.value.code == "OperationNotAllowed"
    assert "is not eligible" in refused.value.sentence
    assert at.server.calls["start"] == 1


async def test_an_operation_that_failed_says_so_with_azures_code(desk) -> None:
    stage = Stage(uniform("web", 1, behaviour=Behaviour(fails_after_reboot=True)))
    at = await desk(stage)
    address = (await at.compute.start(await at.scale_set("web"), "0")).operation
    stage.after(timedelta(minutes=5))
    failed = await at.compute.operation(address)
    assert (failed.status, failed.code) == ("Failed", "OSProvisioningTimedOut")
    by_location = await at.compute.operation(address.replace("?", "?monitor=true&"))
    assert (by_location.status, by_location.code) == ("Failed", "OSProvisioningTimedOut")
    assert "did not report" in by_location.message


async def test_an_operation_nobody_knows_is_unknown(desk) -> None:
    at = await desk(Stage())
    address = (
        f"{at.server.url}/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute"
        "/locations/westeurope/operations/0?api-version=2026-04-01"
    )
    assert (await at.compute.operation(address)).status == "Unknown"


async def test_a_lost_answer_is_unreachable_after_one_attempt_and_the_work_goes_on(desk) -> None:
    stage = Stage(uniform("web", 1, behaviour=Behaviour(lost_answers=1)))
    at = await desk(stage)
    web = await at.scale_set("web")
    with pytest.raises(Unreachable) as lost:
        await at.compute.start(web, "0")
    assert not isinstance(lost.value, NotSent), "nobody can say whether it was carried out"
    assert len(stage.fleet.ledger.starts("customer")) == 1
    assert (await at.compute.instances(web))[0].power != "running"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_start_is_tried_once_whatever_azure_answers(desk, status: int) -> None:
    faults = Faults()
    stage = Stage(uniform("web", 1))
    at = await desk(stage, faults=faults)
    web = await at.scale_set("web")
    faults.fail(3, status=status, kind="start")
    with pytest.raises(Unreachable):
        await at.compute.start(web, "0")
    assert at.server.calls["start"] == 1
    assert stage.fleet.ledger.starts("customer") == []


async def test_a_read_is_tried_again_after_trouble_on_the_way_and_then_given_up(desk) -> None:
    faults = Faults()
    at = await desk(Stage(uniform("web", 1)), faults=faults)
    web = await at.scale_set("web")
    faults.fail(1, status=503, kind="list instances")
    assert len(await at.compute.instances(web)) == 1
    faults.fail(9, status=500, kind="list instances")
    with pytest.raises(Unreachable, match="500"):
        await at.compute.instances(web)
    assert at.server.calls["list instances"] == 2 + 3


@pytest.mark.parametrize(("retry_after", "seconds"), [(17, 17), (0, 1), (None, 60)])
async def test_after_429_nothing_is_sent_until_retry_after_has_passed(desk, retry_after, seconds) -> None:
    faults = Faults()
    stage = Stage(uniform("web", 1))
    at = await desk(stage, faults=faults)
    web = await at.scale_set("web")
    faults.throttle(1, retry_after=retry_after, kind="list instances")
    with pytest.raises(Throttled) as throttled:
        await at.compute.instances(web)
    assert throttled.value.retry_after == timedelta(seconds=seconds)
    sent = sum(at.server.calls.values())
    at.clock.forward(seconds=seconds - 0.5)
    for call in (
        at.compute.instances(web),
        at.compute.scale_set(web.id),
        at.compute.rolling_upgrade(web.id),
        at.compute.start(web, "0"),
        at.compute.repairs(web.id),
        at.compute.set_repairs(web.id, suspend=True),
        at.compute.operation(f"{at.server.url}/x"),
        at.compute.post_json("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01", {}),
    ):
        with pytest.raises(Throttled) as quiet:
            await call
        assert quiet.value.retry_after == timedelta(seconds=0.5)
    assert sum(at.server.calls.values()) == sent
    assert stage.fleet.ledger.starts() == []
    at.clock.forward(seconds=1)
    assert len(await at.compute.instances(web)) == 1


async def test_a_throttled_start_was_not_carried_out_and_keeps_everybody_quiet(desk) -> None:
    faults = Faults()
    stage = Stage(uniform("web", 1))
    at = await desk(stage, faults=faults)
    web = await at.scale_set("web")
    faults.throttle(1, retry_after=5, kind="start")
    with pytest.raises(Throttled):
        await at.compute.start(web, "0")
    with pytest.raises(Throttled):
        await at.compute.instances(web)
    assert at.server.calls["start"] == 1
    assert stage.fleet.ledger.starts() == []


async def test_dates_that_cannot_be_read_make_the_status_unreadable_and_hide_nothing(desk) -> None:
    at = await desk(Stage(uniform("web", 2)), faults=Faults(malformed_dates={"web_1"}))
    good, bad = await at.compute.instances(await at.scale_set("web"))
    assert good.maintenance.unreadable == ""
    assert bad.maintenance is not None
    assert "not a pair of times" in bad.maintenance.unreadable
    assert bad.maintenance.self_service is None


async def test_codes_nobody_published_are_kept_as_they_are_and_health_is_unknown(desk) -> None:
    at = await desk(Stage(uniform("web", 2)), faults=Faults(unknown_codes={"web_1"}))
    _, odd = await at.compute.instances(await at.scale_set("web"))
    assert odd.health is Health.UNKNOWN
    assert odd.maintenance.result not in {"None", "RetryLater", "MaintenanceAborted", "MaintenanceCompleted"}
    assert odd.maintenance.result


async def test_an_instance_outside_every_wave_has_no_status_and_without_health_none_is_reported(desk) -> None:
    at = await desk(Stage(uniform("web", 2, health="none"), impacted=lambda one: one.instance_id == "0"))
    _, calm = await at.compute.instances(await at.scale_set("web"))
    assert calm.maintenance is None
    assert calm.health is Health.NOT_REPORTED


@pytest.mark.parametrize("made", [uniform, flexible])
async def test_scale_sets_and_instances_know_when_they_were_created(desk, made) -> None:
    stage = Stage(made("web", 1))
    stage.fleet.add_instance(stage.fleet.scale_set("web"), "7")
    at = await desk(stage)
    web = await at.scale_set("web")
    old, new = await at.compute.instances(web)
    assert web.created == old.created == datetime(2026, 1, 12, 8, tzinfo=UTC)
    assert new.created == START + DAY


async def test_what_is_gone_is_not_found(desk) -> None:
    stage = Stage(uniform("web", 1))
    at = await desk(stage)
    web = await at.scale_set("web")
    del stage.fleet.world.scale_sets[web.id.lower()]
    for call in (
        at.compute.scale_set(web.id),
        at.compute.instances(web),
        at.compute.start(web, "0"),
        at.compute.repairs(web.id),
        at.compute.set_repairs(web.id, suspend=True),
    ):
        with pytest.raises(NotFound):
            await call
    assert await at.compute.rolling_upgrade(web.id) == ""


async def test_a_rolling_upgrade_counts_while_it_rolls(desk) -> None:
    stage = Stage(uniform("web", 1))
    at = await desk(stage)
    web = await at.scale_set("web")
    assert await at.compute.rolling_upgrade(web.id) == ""
    stage.fleet.people.start_rolling_upgrade(stage.fleet.scale_set("web"))
    assert await at.compute.rolling_upgrade(web.id) == "RollingForward"
    stage.fleet.people.end_rolling_upgrade(stage.fleet.scale_set("web"))
    assert await at.compute.rolling_upgrade(web.id) == ""


async def test_a_hidden_subscription_is_not_a_deleted_scale_set(desk) -> None:
    at = await desk(Stage(uniform("web", 1)), subscription="99999999-8888-7777-6666-555555555555")
    with pytest.raises(Forbidden, match="SubscriptionNotFound"):
        await at.scale_set("web")


async def test_an_identity_that_gets_no_token_sent_nothing(desk, monkeypatch) -> None:
    at = await desk(Stage(uniform("web", 1)))
    monkeypatch.setattr(at.server.identity, "header", "another")
    with pytest.raises(AzureTrouble) as refused:
        await at.scale_set("web")
    assert isinstance(refused.value, Unreachable | Forbidden)
    assert "identity" in refused.value.sentence
    assert at.server.calls["list scale sets"] == 0


async def test_a_listing_is_parsed_once_and_an_error_read_by_the_pipeline_as_before(
    desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = await desk(Stage(uniform("web", 1)))
    web = await at.scale_set("web")
    parsed: list[int] = []
    parse = ContentDecodePolicy.deserialize_from_http_generics

    def parsing(response: Any, *args: Any) -> Any:
        parsed.append(response.status_code)
        return parse(response, *args)

    monkeypatch.setattr(ContentDecodePolicy, "deserialize_from_http_generics", staticmethod(parsing))
    assert len(await at.compute.instances(web)) == 1
    assert parsed == []
    with pytest.raises(NotFound):
        await at.compute.instance(web, "7")
    assert parsed == [404]


async def test_what_is_imported_for_azure_is_set_aside_once_and_not_searched_for_garbage_again(desk) -> None:
    gc.unfreeze()
    stage = Stage(uniform("web", 1))
    at = await desk(stage)
    await at.scale_set("web")
    assert gc.get_freeze_count() > 10_000
    once = gc.get_freeze_count()
    another = await desk(stage)
    await another.scale_set("web")
    assert gc.get_freeze_count() <= once
