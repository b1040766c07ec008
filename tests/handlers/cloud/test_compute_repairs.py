"""Reading and setting automatic repairs against the simulated ARM, over HTTP."""

import json
from datetime import timedelta

import pytest

from handlers.cloud import shapes
from handlers.cloud.errors import Forbidden, NotSent, Refused, Throttled, Unreachable
from handlers.cloud.reading import read
from simulator.arm import Faults
from simulator.fleet import flexible, uniform
from simulator.fleet.ledger import RepairsAsked
from simulator.fleet.repair_service import RepairService
from tests.simulator.support import Stage


def web(**service) -> Stage:
    return Stage(uniform("web", 2, automatic_repairs=True, repairs=RepairService(**service)))


def asked(stage: Stage) -> list[str]:
    return [fact.action for fact in stage.fleet.ledger.of(RepairsAsked)]


async def test_the_state_of_repairs_is_read_from_the_scale_sets_view_in_one_call(desk) -> None:
    stage = Stage(
        uniform("web", 2, automatic_repairs=True),
        uniform("mute", 2, automatic_repairs=True, health="none"),
        uniform("plain", 2),
    )
    at = await desk(stage)
    web, mute, plain = [scale_set.id for scale_set in stage.fleet.scale_sets()]
    assert await at.compute.repairs(web) == "running"
    assert await at.compute.repairs(mute) == "notrunning"
    assert await at.compute.repairs(plain) == ""
    stage.fleet.people.suspend_repairs(stage.fleet.scale_set("web"))
    assert await at.compute.repairs(web) == "suspended"
    assert at.server.calls["scale set view"] == 4


async def test_repairs_are_suspended_and_resumed_once_azure_has_carried_it_out(desk) -> None:
    stage = web()
    at = await desk(stage)
    (found,) = stage.fleet.scale_sets()
    await at.compute.set_repairs(found.id, suspend=True)
    assert await at.compute.repairs(found.id) == "running"
    stage.after(timedelta(seconds=10))
    assert await at.compute.repairs(found.id) == "suspended"
    await at.compute.set_repairs(found.id, suspend=False)
    stage.after(timedelta(seconds=10))
    assert await at.compute.repairs(found.id) == "running"
    assert asked(stage) == ["Suspend", "Resume"]
    assert at.server.calls["operation"] == 0, "nothing is waited for"


@pytest.mark.parametrize(("suspend", "action"), [(True, "Suspend"), (False, "Resume")])
async def test_the_body_names_the_service_and_the_action(desk, monkeypatch, suspend, action) -> None:
    stage = web()
    at = await desk(stage)
    bodies = []
    answered = at.server.face.answer

    def watching(call, request):
        if call.kind == "set repairs":
            bodies.append(json.loads(request.body))
        return answered(call, request)

    monkeypatch.setattr(at.server.face, "answer", watching)
    await at.compute.set_repairs(stage.fleet.scale_set("web").id, suspend=suspend)
    assert bodies == [{"serviceName": "AutomaticRepairs", "action": action}]


async def test_asking_again_for_the_same_is_accepted_too(desk) -> None:
    stage = web(suspended=True)
    at = await desk(stage)
    await at.compute.set_repairs(stage.fleet.scale_set("web").id, suspend=True)
    stage.after(timedelta(seconds=10))
    assert await at.compute.repairs(stage.fleet.scale_set("web").id) == "suspended"


@pytest.mark.parametrize("status", [500, 502, 503, 504, 408])
async def test_a_change_is_tried_once_whatever_azure_answers(desk, status: int) -> None:
    faults = Faults()
    stage = web()
    at = await desk(stage, faults=faults)
    faults.fail(3, status=status, kind="set repairs")
    with pytest.raises(Unreachable):
        await at.compute.set_repairs(stage.fleet.scale_set("web").id, suspend=True)
    assert at.server.calls["set repairs"] == 1
    assert asked(stage) == []


async def test_a_throttled_change_was_not_carried_out_and_keeps_everybody_quiet(desk) -> None:
    faults = Faults()
    stage = web()
    at = await desk(stage, faults=faults)
    found = stage.fleet.scale_set("web")
    faults.throttle(1, retry_after=5, kind="set repairs")
    with pytest.raises(Throttled) as throttled:
        await at.compute.set_repairs(found.id, suspend=True)
    assert throttled.value.retry_after == timedelta(seconds=5)
    with pytest.raises(Throttled):
        await at.compute.repairs(found.id)
    assert at.server.calls["set repairs"] == 1
    assert asked(stage) == []


async def test_a_lost_answer_is_unreachable_after_one_attempt_and_the_change_is_made(desk) -> None:
    stage = web(lost_answers=1)
    at = await desk(stage)
    found = stage.fleet.scale_set("web")
    with pytest.raises(Unreachable) as lost:
        await at.compute.set_repairs(found.id, suspend=True)
    assert not isinstance(lost.value, NotSent), "nobody can say whether it was carried out"
    assert asked(stage) == ["Suspend"]
    stage.after(timedelta(seconds=10))
    assert await at.compute.repairs(found.id) == "suspended"


async def test_without_the_right_a_change_is_forbidden_and_the_sentence_names_it(desk) -> None:
    stage = web(refused=403)
    at = await desk(stage)
    with pytest.raises(Forbidden, match="setOrchestrationServiceState/action"):
        await at.compute.set_repairs(stage.fleet.scale_set("web").id, suspend=True)
    assert at.server.calls["set repairs"] == 1


async def test_without_the_right_to_poll_the_state_is_forbidden(desk) -> None:
    faults = Faults()
    stage = web()
    at = await desk(stage, faults=faults)
    faults.fail(1, status=403, kind="scale set view")
    with pytest.raises(Forbidden):
        await at.compute.repairs(stage.fleet.scale_set("web").id)


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (uniform("web", 2, automatic_repairs=True, repairs=RepairService(refused=409)), "Conflict"),
        (uniform("web", 2), "OperationNotAllowed"),
        (flexible("web", 2, automatic_repairs=True), "OperationNotAllowed"),
    ],
    ids=["something else under way", "no repairs", "flexible"],
)
async def test_what_azure_does_not_allow_is_refused_with_azures_code(desk, made, code) -> None:
    stage = Stage(made)
    at = await desk(stage)
    with pytest.raises(Refused) as refused:
        await at.compute.set_repairs(made.id, suspend=True)
    assert refused.value.code == code
    assert at.server.calls["set repairs"] == 1


async def test_a_flexible_set_shows_no_state(desk) -> None:
    stage = Stage(flexible("flex", 2, automatic_repairs=True))
    at = await desk(stage)
    with pytest.raises(Refused, match=r"VirtualMachineScaleSets\.instanceView\.GET") as refused:
        await at.compute.repairs(stage.fleet.scale_set("flex").id)
    assert refused.value.code == "OperationNotAllowed"


async def test_what_is_not_a_scale_set_is_refused_and_nothing_is_sent(desk) -> None:
    at = await desk(web())
    with pytest.raises(Refused, match="not the ARM id"):
        await at.compute.set_repairs("/subscriptions/x/resourceGroups/y", suspend=True)
    assert sum(at.server.calls.values()) == 0


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"value": []},
        {"orchestrationServices": "none"},
        {"orchestrationServices": [7]},
        {"orchestrationServices": [{"serviceName": "AutomaticRepairs"}]},
        {"orchestrationServices": [{"serviceName": "AutomaticRepairs", "serviceState": 3}]},
    ],
)
def test_what_is_not_a_view_is_trouble_and_never_a_set_without_repairs(raw) -> None:
    with pytest.raises(Unreachable):
        read(shapes.repairs, raw)


@pytest.mark.parametrize("services", [None, [], [{"serviceName": "AutomaticZoneRebalancing"}]])
def test_other_services_or_none_are_not_repairs(services) -> None:
    assert read(shapes.repairs, {"statuses": [], "orchestrationServices": services}) == ""


def test_the_state_is_read_from_what_azure_publishes() -> None:
    view = {
        "virtualMachine": {"statusesSummary": [{"code": "ProvisioningState/succeeded", "count": 2}]},
        "orchestrationServices": [
            {"serviceName": "AutomaticRepairs", "serviceState": "NotRunning"},
            {
                "serviceName": "AutomaticZoneRebalancing",
                "serviceState": "Running",
                "latestOperationStatus": "InProgress",
                "lastStatusChangeTime": "2025-07-09T13:26:28.360Z",
            },
        ],
        "statuses": [{"code": "ProvisioningState/succeeded", "level": "Info"}],
    }
    assert shapes.repairs(view) == "notrunning"
