"""The extra look-ups where Azure answers what it never should, or what is published but seldom seen."""

import json
from typing import Any

import pytest

from handlers.cloud.errors import Refused, Unreachable
from handlers.cloud.lookups import Looked, look_up
from planner.azure.fleet import Orchestration
from planner.azure.usage import Habits, Source
from tests.handlers.cloud.answers import AT, WEB, event, setting
from tests.handlers.parts import NOW, FakeCompute, scale_set

MACHINE = WEB.id.replace("virtualMachineScaleSets/web", "virtualMachines/web_1a2b")
LOG, INSIGHTS = "Microsoft.Compute%27", "Microsoft.Insights%27"


async def looked(lists: dict[str, Any], tables: dict[str, Any] | None = None, **more: Any) -> Looked:
    azure = FakeCompute(WEB)
    azure.lists, azure.tables = lists, tables or {}
    return await look_up(azure, [scale_set("web", **more)], NOW, [WEB])


async def habits(lists: dict[str, Any], tables: dict[str, Any] | None = None, **more: Any) -> Habits:
    seen = await looked(lists, tables, **more)
    assert seen.trouble is None
    assert seen.evidence.unread == {}
    return seen.evidence.of(WEB.id)


async def test_records_of_one_stop_in_any_order_and_twice_are_one_stop_at_its_beginning():
    later = event(eventDataId="e-2", eventTimestamp="2026-11-20T08:05:00Z")
    begun = event(status={"value": "Started"}, eventDataId="e-0")
    for told in ([later, begun], [begun, later], [later, later, begun, begun], [event(), begun, later]):
        found = await habits({LOG: told})
        assert found.stops == 1
        assert found.last_stop.isoformat() == "2026-11-20T08:00:00.123456+00:00"


@pytest.mark.parametrize(
    ("changes", "stops"),
    [
        ({"correlationId": "c-2"}, 2),
        ({"correlationId": "C-1", "operationId": "o-2", "eventDataId": "e-2"}, 1),
        ({"resourceId": WEB.id.upper()}, 1),
        ({"operationName": "microsoft.compute/VIRTUALMACHINESCALESETS/poweroff/action"}, 1),
        ({"operationName": {"value": "Microsoft.Compute/virtualMachineScaleSets/start/action"}}, 1),
        ({"correlationId": "c-2", "status": {"value": "Failed"}}, 1),
        ({"correlationId": "c-2", "status": {"value": "Canceled"}}, 1),
        ({"correlationId": "c-2", "status": None}, 2),
        ({"correlationId": None, "operationId": "o-2"}, 2),
        ({"correlationId": None, "operationId": "", "eventDataId": "e-9"}, 2),
        ({"correlationId": "c-2", "resourceId": "/subscriptions/x"}, 1),
        ({"correlationId": "c-2", "resourceId": None}, 1),
        ({"correlationId": "c-2", "resourceId": scale_set("other").id}, 1),
    ],
)
async def test_what_counts_as_another_stop(changes: dict[str, Any], stops: int):
    assert (await habits({LOG: [event(), event(**changes)]})).stops == stops


CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"


@pytest.mark.parametrize(
    ("told", "by"),
    [
        ({"caller": "ana@example.org"}, "ana@example.org"),
        (
            {"claims": {f"{CLAIMS}/upn": "ana@example.org", f"{CLAIMS}/name": "x", "appid": "y"}},
            "ana@example.org",
        ),
        (
            {"claims": {f"{CLAIMS}/name": "live.com#ana@example.org", "appid": "y"}},
            "live.com#ana@example.org",
        ),
        (
            {"claims": {f"{CLAIMS}/spn": "Microsoft.Insights/autoscaleSettings"}},
            "Microsoft.Insights/autoscaleSettings",
        ),
        ({"claims": {"appid": "5f1e"}}, "5f1e"),
        ({"claims": {"appid": "x" * 900}}, "x" * 200),
        ({"claims": {}}, ""),
        ({"claims": None}, ""),
        ({"claims": "ana"}, ""),
    ],
)
async def test_who_asked_is_read_from_the_claims_if_they_say(told: dict[str, Any], by: str):
    found = await habits({LOG: [event(**told)]})
    assert (found.stops, found.stopped_by) == (1, by)


@pytest.mark.parametrize(
    ("body", "instances"),
    [
        (json.dumps({"instanceIds": ["3", "WEB_A"]}), {"3", "web_a"}),
        (json.dumps({"instanceIds": "*"}), set()),
        (json.dumps(["3"]), set()),
        ("{", set()),
        ("", set()),
        (None, set()),
        (7, set()),
    ],
)
async def test_the_instances_of_a_call_on_the_scale_set_are_known_if_its_body_says_so(body, instances):
    found = await habits({LOG: [event(properties={"requestbody": body})]})
    assert set(found.stopped) == instances
    assert found.stops == 1


SCALED = {
    "operationName": {"value": "Microsoft.Insights/AutoscaleSettings/Scaledown/Action"},
    "resourceId": "/subscriptions/x/resourceGroups/y/providers/microsoft.insights/autoscalesettings/z",
}


def counts(old: Any, new: Any, **more: Any) -> dict[str, Any]:
    return {"ResourceName": WEB.id, "OldInstancesCount": old, "NewInstancesCount": new, **more}


async def test_scale_ins_are_added_up_each_once_and_only_those_of_scale_sets():
    found = await habits({INSIGHTS: [
        event(**SCALED, properties=counts("5", "3")),
        event(**SCALED, properties=counts("5", "3")),
        event(**SCALED, properties=counts(3, 2), correlationId="c-2"),
        event(**SCALED, properties=counts("9", "1"), correlationId="c-3", status={"value": "Failed"}),
        event(**SCALED, properties=counts("9", "1", ResourceName="/a/web/site"), correlationId="c-4"),
        event(**SCALED, properties=None, correlationId="c-5"),
        event(**SCALED | {"operationName": {"value": "Microsoft.Insights/AutoscaleSettings/Scaleup/Action"}},
              properties=counts("1", "9"), correlationId="c-6"),
        event(**SCALED, properties={key.lower(): value for key, value in counts("2", "1").items()}, correlationId="c-7"),
    ]})  # fmt: skip
    assert found == Habits(scaled_in=4)


ODD: tuple[tuple[dict[str, Any], dict[str, Any], Source], ...] = (
    ({LOG: [event(eventTimestamp="soon")]}, {}, Source.ACTIVITY_LOG),
    ({LOG: [event(eventTimestamp=None)]}, {}, Source.ACTIVITY_LOG),
    ({INSIGHTS: [event(**SCALED, properties=counts("many", "1"))]}, {}, Source.ACTIVITY_LOG),
    ({INSIGHTS: [event(**SCALED, properties="x")]}, {}, Source.ACTIVITY_LOG),
    ({INSIGHTS: [event(**SCALED, properties={"ResourceName": WEB.id})]}, {}, Source.ACTIVITY_LOG),
    ({"autoscalesettings": [{"properties": "x"}]}, {}, Source.AUTOSCALE),
    ({"autoscalesettings": [setting(profiles=7)]}, {}, Source.AUTOSCALE),
    ({"autoscalesettings": [setting(profiles=["x"])]}, {}, Source.AUTOSCALE),
    ({"autoscalesettings": [setting(profiles=[{"recurrence": {"a": 1}}])]}, {}, Source.AUTOSCALE),
    ({"autoscalesettings": [setting(profiles=[{"rules": [{"scaleAction": "x"}]}])]}, {}, Source.AUTOSCALE),
    ({"schedules": [{"properties": "x"}]}, {}, Source.SCHEDULES),
    ({}, {"resourcechanges": [{"target": WEB.id, "at": "soon"}]}, Source.CHANGES),
    ({}, {"healthresourcechanges": [{"target": WEB.id}]}, Source.CHANGES),
    ({}, {"resourcechanges": {"a": 1}}, Source.CHANGES),
    ({}, {"resourcechanges": ["x"]}, Source.CHANGES),
    ({"resourcegroups": KeyError("nobody expected this")}, {}, Source.GROUPS),
)


@pytest.mark.parametrize(("lists", "tables", "source"), ODD)
async def test_what_concerns_us_and_cannot_be_read_is_trouble_and_leaves_its_source_unread(
    lists, tables, source
):
    seen = await looked(lists, tables)
    assert isinstance(seen.trouble, Unreachable)
    assert seen.evidence.unread.keys() == {source}
    assert "could not be read: " in seen.evidence.unread[source]


@pytest.mark.parametrize(
    "lists",
    [
        {LOG: [{"eventTimestamp": AT}, event(operationName=7), event(operationName={"value": None})]},
        {INSIGHTS: [event(operationName="Microsoft.Insights/AlertRules/Activated/Action", properties=7)]},
        {
            "autoscalesettings": [
                {},
                {"properties": None},
                setting(enabled="true"),
                setting(targetResourceUri=None),
            ]
        },
        {"schedules": [{}, {"properties": {"taskType": 7}}]},
        {"schedules": [{"properties": {"taskType": "ComputeVmShutdownTask", "status": "Enabled"}}]},
    ],
)
async def test_what_does_not_concern_us_may_have_any_form(lists):
    assert await habits(lists) == Habits()


async def test_an_enabled_setting_counts_whatever_the_spelling_of_its_target():
    assert await habits({"autoscalesettings": [setting()]}) == Habits(autoscale="scale", to_zero="p")
    bare = setting(profiles=None) | {"name": None}
    assert await habits({"autoscalesettings": [bare]}) == Habits(autoscale="autoscale")


async def test_a_provider_the_subscription_never_registered_has_nothing():
    unregistered = Refused("MissingSubscriptionRegistration", "The subscription is not registered.")
    assert await habits({"schedules": unregistered, "autoscalesettings": unregistered}) == Habits()


async def test_another_refusal_is_unread_and_not_tried_again():
    seen = await looked({"schedules": Refused("InvalidApiVersion", "No such version.")})
    assert seen.trouble is None
    assert seen.evidence.unread == {
        Source.SCHEDULES: "The auto-shutdown schedules could not be read: No such version."
    }


async def test_the_same_change_reported_twice_counts_once():
    rows = [{"target": WEB.id, "at": AT}, {"target": WEB.id.upper(), "at": AT}, {"target": MACHINE, "at": AT}]
    assert (await habits({}, {"resourcechanges\n| where": rows})).resizes == 1


async def test_machines_are_read_only_when_one_was_named():
    azure = FakeCompute(WEB)
    flexible = scale_set("web", orchestration=Orchestration.FLEXIBLE)
    azure.lists = {LOG: [event()]}
    await look_up(azure, [flexible], NOW)
    assert not any("virtualmachines'" in path for path in azure.looked)
    machine = event(
        operationName={"value": "Microsoft.Compute/virtualMachines/powerOff/action"}, resourceId=MACHINE
    )
    azure.lists = {LOG: [machine]}
    await look_up(azure, [WEB], NOW)
    assert not any("virtualmachines'" in path for path in azure.looked), "no set here has such machines"
    azure.tables = {"resources\n| where type =~": [{"target": MACHINE.lower(), "owner": WEB.id.lower()}]}
    found = (await look_up(azure, [flexible], NOW)).evidence.of(WEB.id)
    assert (found.stops, set(found.stopped)) == (1, {"web_1a2b"})
