"""The extra look-ups of a subscription against the simulated ARM: what is found, by whom, and what it costs."""

from collections import Counter
from datetime import timedelta

import pytest

from handlers.cloud import activity, graph
from handlers.cloud.errors import Throttled, Unreachable
from handlers.cloud.lookups import RIGHTS, Looked, look_up
from planner.azure.usage import LOOK_BACK, Evidence, Habits, Source
from simulator.arm import Faults
from simulator.fleet import flexible, uniform
from simulator.fleet.records import OPERATOR, Profile
from tests.simulator.support import DAY, HOUR, MINUTE, START, Stage

KINDS = {
    Source.ACTIVITY_LOG: "activity log",
    Source.CHANGES: "resource graph",
    Source.AUTOSCALE: "autoscale settings",
    Source.SCHEDULES: "auto-shutdown schedules",
    Source.GROUPS: "resource groups",
}


async def looked(at, stage: Stage) -> Looked:
    listed = [scale_set async for page, _ in at.compute.scale_sets() for scale_set in page]
    return await look_up(at.compute, listed, stage.fleet.now, listed)


async def found(desk, stage: Stage, **settings) -> Evidence:
    seen = await looked(await desk(stage.after(MINUTE), **settings), stage)
    assert seen.trouble is None
    return seen.evidence


def of(stage: Stage, evidence: Evidence, name: str) -> Habits:
    return evidence.of(stage.fleet.scale_set(name).id)


def calls(server) -> Counter[str]:
    return Counter({kind: server.calls[kind] for kind in KINDS.values() if server.calls[kind]})


async def test_a_quiet_fleet_has_nothing_to_tell(desk) -> None:
    stage = Stage(uniform("web"), flexible("api"))
    evidence = await found(desk, stage)
    assert evidence == Evidence(stage.fleet.now, stage.fleet.now - LOOK_BACK)


async def test_stops_are_counted_with_who_asked_and_when_each_instance_was_stopped(desk) -> None:
    stage = Stage(uniform("web", 3))
    people, web = stage.fleet.people, stage.fleet.scale_set("web").instances
    people.stop(web["1"], by="bo@example.org")
    stage.after(HOUR)
    people.start(web["1"])
    stage.after(HOUR)
    people.deallocate(web["1"])
    people.reimage(web["0"])
    stage.after(HOUR)
    people.deallocate(web["2"], by="an-app")
    habits = of(stage, await found(desk, stage), "web")
    last = START + DAY + 3 * HOUR
    assert (habits.stops, habits.last_stop, habits.stopped_by) == (3, last, "an-app")
    assert habits.stopped == {"1": START + DAY + 2 * HOUR, "2": last}
    assert habits.healed == {}


async def test_one_call_on_the_whole_scale_set_is_one_stop_and_names_its_instances_if_the_log_does(
    desk,
) -> None:
    stage = Stage(uniform("web", 4), uniform("db", 2))
    stage.fleet.people.deallocate_all(stage.fleet.scale_set("web"), ["0", "3"], by="bo@example.org")
    stage.fleet.people.deallocate_all(stage.fleet.scale_set("db"))
    evidence = await found(desk, stage)
    web, db = of(stage, evidence, "web"), of(stage, evidence, "db")
    assert (web.stops, web.stopped_by) == (1, "bo@example.org")
    assert web.stopped == dict.fromkeys(("0", "3"), START + DAY)
    assert (db.stops, db.last_stop, db.stopped) == (1, START + DAY, {})


async def test_what_belongs_to_one_uber_operation_is_one_stop(desk) -> None:
    stage = Stage(uniform("web", 4), uniform("db", 1))
    act, now = stage.fleet.world.records.act, stage.fleet.now
    for name, instance in (("web", "0"), ("web", "1"), ("db", "0")):
        one = stage.fleet.instance(name, instance)
        act(now, f"{one.kind}/deallocate/action", one.id, "a-runbook", correlation="nightly")
    evidence = await found(desk, stage)
    assert [of(stage, evidence, name).stops for name in ("web", "db")] == [1, 1]
    assert set(of(stage, evidence, "web").stopped) == {"0", "1"}


async def test_a_failed_stop_does_not_count_and_one_under_way_does(desk) -> None:
    stage = Stage(uniform("web", 2), uniform("db", 1))
    act, now = stage.fleet.world.records.act, stage.fleet.now
    web, db = stage.fleet.instance("web", "0"), stage.fleet.instance("db", "0")
    act(now, f"{web.kind}/powerOff/action", web.id, "bo", outcome="Failed")
    act(now, f"{db.kind}/powerOff/action", db.id, "bo", outcome="Started")
    evidence = await found(desk, stage)
    assert of(stage, evidence, "web") == Habits()
    assert of(stage, evidence, "db").stops == 1


async def test_maintenance_and_service_healing_are_not_stops(desk) -> None:
    stage = Stage(uniform("web", 3), flexible("api", 2))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.fleet.people.service_heal(stage.fleet.instance("web", 2))
    healed = stage.fleet.instance("api", 1)
    stage.fleet.people.service_heal(healed)
    assert OPERATOR in {activity.caller for activity in stage.fleet.world.records.activities}
    evidence = await found(desk, stage)
    assert of(stage, evidence, "web") == Habits(healed={"2": START + DAY})
    assert of(stage, evidence, "api") == Habits(healed={healed.name.lower(): START + DAY})


async def test_azure_tells_which_machines_are_of_flexible_sets_and_the_others_belong_to_none(desk) -> None:
    stage = Stage(flexible("api", 2), flexible("api_other", 2), uniform("web", 1))
    mine, other = stage.fleet.instance("api", 0), stage.fleet.instance("api_other", 0)
    gone = stage.fleet.instance("api", 1)
    for one in (mine, other, gone):
        stage.fleet.people.stop(one)
    stage.fleet.people.delete(gone)
    stage.fleet.upkeep.shut_down_daily(other)
    lone = mine.id.replace(mine.name, "api_lone")
    stage.fleet.world.records.act(stage.fleet.now, f"{mine.kind}/powerOff/action", lone, "bo@example.org")
    at = await desk(stage.after(MINUTE))
    evidence = (await looked(at, stage)).evidence
    assert set(of(stage, evidence, "api").stopped) == {mine.name}
    assert of(stage, evidence, "api").stops == 1
    assert of(stage, evidence, "api_other").shutdown == f"shutdown-computevm-{other.name}"
    assert of(stage, evidence, "api").shutdown == of(stage, evidence, "web").shutdown == ""
    assert at.server.calls["resource graph"] == 3
    assert at.server.calls["list virtual machines"] == 0


@pytest.mark.parametrize("name", ["resizes", "repairs"])
def test_queries_poll_as_far_back_as_the_activity_log(name) -> None:
    assert f"ago({LOOK_BACK.days}d)" in graph.query(name)


async def test_only_the_last_fourteen_days_count(desk) -> None:
    stage = Stage(uniform("web", 2), at=0 * DAY)
    fleet = stage.fleet
    fleet.people.stop(fleet.instance("web", 0))
    fleet.upkeep.resize(fleet.scale_set("web"), "Standard_D4s_v5")
    fleet.people.service_heal(fleet.instance("web", 1))
    stage.after(LOOK_BACK + HOUR)
    assert of(stage, await found(desk, stage), "web") == Habits()


async def test_changes_of_the_size_are_counted_and_other_changes_are_not(desk) -> None:
    stage = Stage(uniform("web", 2), uniform("db", 2))
    web = stage.fleet.scale_set("web")
    for sku in ("Standard_D4s_v5", "Standard_D8s_v5", "Standard_D2s_v5"):
        stage.fleet.upkeep.resize(web, sku)
        stage.after(HOUR)
    stage.fleet.people.set_tags(stage.fleet.scale_set("db"), {"team": "data"})
    evidence = await found(desk, stage)
    assert of(stage, evidence, "web") == Habits(resizes=3, last_resize=START + DAY + 2 * HOUR)
    assert of(stage, evidence, "db") == Habits()


async def test_autoscale_is_named_with_what_it_may_do_and_what_it_did(desk) -> None:
    stage = Stage(uniform("web", 6), uniform("db", 2), uniform("batch", 2), uniform("off", 2))
    upkeep, sets = stage.fleet.upkeep, stage.fleet.scale_set
    upkeep.autoscale(sets("web"))
    upkeep.scale_in(sets("web"), 2)
    upkeep.scale_in(sets("web"))
    only_out = Profile(name="default", minimum=2, maximum=4, directions=("Increase",))
    upkeep.autoscale(sets("db"), only_out, name="db-scale")
    nightly = Profile(name="night", minimum=0, maximum=0, directions=(), recurrence=("Monday",))
    upkeep.autoscale(sets("batch"), only_out, nightly)
    upkeep.autoscale(sets("off"), nightly, enabled=False)
    evidence = await found(desk, stage)
    assert of(stage, evidence, "web") == Habits(autoscale="web-autoscale", scales_in=True, scaled_in=3)
    assert of(stage, evidence, "db") == Habits(autoscale="db-scale")
    assert of(stage, evidence, "batch") == Habits(autoscale="batch-autoscale", to_zero="night")
    assert of(stage, evidence, "off") == Habits()


async def test_the_time_between_recurring_profiles_has_a_name_for_people(desk) -> None:
    stage = Stage(uniform("web", 2))
    between = '{"name":"Closed at night","for":"day"}'
    day = Profile(name="day", minimum=2, maximum=4, recurrence=("Monday",))
    night = Profile(name=between, minimum=0, maximum=0, recurrence=("Monday",))
    stage.fleet.upkeep.autoscale(stage.fleet.scale_set("web"), day, night)
    assert of(stage, await found(desk, stage), "web").to_zero == "Closed at night"


async def test_an_enabled_shutdown_schedule_counts_whether_of_the_set_or_of_a_machine(desk) -> None:
    stage = Stage(uniform("web", 2), uniform("db", 2), uniform("off", 2), uniform("lab", 2))
    upkeep, fleet = stage.fleet.upkeep, stage.fleet
    upkeep.shut_down_daily(fleet.scale_set("web"))
    upkeep.shut_down_daily(fleet.instance("db", 1))
    upkeep.shut_down_daily(fleet.scale_set("off"), enabled=False)
    upkeep.shut_down_daily(fleet.scale_set("lab")).task = "LabVmsStartupTask"
    evidence = await found(desk, stage)
    assert of(stage, evidence, "web").shutdown == "shutdown-computevm-web"
    assert of(stage, evidence, "db").shutdown == "shutdown-computevm-db_1"
    assert of(stage, evidence, "off") == of(stage, evidence, "lab") == Habits()


async def test_what_manages_a_resource_group_manages_every_scale_set_in_it(desk) -> None:
    stage = Stage(
        uniform("a", 1, resource_group="RG-Managed"),
        uniform("b", 1, resource_group="rg-managed"),
        uniform("c", 1),
    )
    stage.fleet.upkeep.group(stage.fleet.scale_set("a")).managed_by = "/the/manager"
    evidence = await found(desk, stage)
    assert [of(stage, evidence, name).group_managed_by for name in "abc"] == ["/the/manager"] * 2 + [""]


@pytest.mark.parametrize("count", [1, 40])
async def test_the_number_of_calls_does_not_grow_with_the_number_of_scale_sets(desk, count: int) -> None:
    sets = [uniform(f"u{number}", 2) for number in range(count)]
    stage = Stage(*sets, *(flexible(f"f{number}", 2) for number in range(count)))
    for scale_set in stage.fleet.scale_sets():
        stage.fleet.people.deallocate_all(scale_set)
        stage.fleet.upkeep.autoscale(scale_set)
        stage.fleet.upkeep.resize(scale_set, "Standard_D4s_v5")
        for instance in scale_set.instances.values():
            stage.fleet.people.stop(instance)
            stage.fleet.upkeep.shut_down_daily(instance)
    at = await desk(stage.after(MINUTE), page_size=1000)
    evidence = (await looked(at, stage)).evidence
    assert len(evidence.scale_sets) == 2 * count
    assert calls(at.server) == {
        "activity log": 2,
        "resource graph": 3,
        "autoscale settings": 1,
        "auto-shutdown schedules": 1,
        "resource groups": 1,
    }


async def test_every_list_is_read_to_its_last_page(desk) -> None:
    stage = Stage(*(uniform(f"set{number}", 2, resource_group=f"rg-{number}") for number in range(5)))
    for scale_set in stage.fleet.scale_sets():
        stage.fleet.people.stop(next(iter(scale_set.instances.values())))
        stage.fleet.upkeep.autoscale(scale_set)
        stage.fleet.upkeep.shut_down_daily(scale_set)
        stage.fleet.upkeep.group(scale_set).managed_by = "/the/manager"
    at = await desk(stage.after(MINUTE), page_size=2)
    evidence = (await looked(at, stage)).evidence
    assert evidence.unread == {}
    assert {(one.stops, bool(one.autoscale), bool(one.shutdown), one.group_managed_by) for one in
            evidence.scale_sets.values()} == {(1, True, True, "/the/manager")}  # fmt: skip
    assert len(evidence.scale_sets) == 5
    assert calls(at.server) == {
        "activity log": 8 + 1,
        "resource graph": 2,
        "autoscale settings": 3,
        "auto-shutdown schedules": 3,
        "resource groups": 3,
    }


async def test_a_log_without_end_is_read_so_far_and_says_how_far(desk, monkeypatch) -> None:
    monkeypatch.setattr(activity, "MOST_PAGES", 2)
    stage = Stage(uniform("web", 4))
    for instance in stage.fleet.scale_set("web").instances.values():
        stage.fleet.people.stop(instance)
        stage.after(HOUR)
    at = await desk(stage, page_size=3)
    seen = await looked(at, stage)
    assert seen.trouble is None
    assert of(stage, seen.evidence, "web").stops == 2
    assert seen.evidence.unread == {
        Source.ACTIVITY_LOG: "The activity log of Microsoft.Compute is longer than the 6 records that were "
        "read; they go back to Tue 3 Nov 2026 11:00 UTC."
    }
    assert at.server.calls["activity log"] == 3 + 1


@pytest.mark.parametrize("source", Source)
async def test_a_missing_permission_leaves_one_source_unread_and_names_the_action_and_the_roles(
    desk, source: Source
) -> None:
    stage = Stage(uniform("web", 2))
    fleet, web = stage.fleet, stage.fleet.scale_set("web")
    fleet.people.stop(web.instances["0"])
    fleet.upkeep.resize(web, "Standard_D4s_v5")
    fleet.upkeep.autoscale(web)
    fleet.upkeep.shut_down_daily(web)
    fleet.upkeep.group(web).managed_by = "/the/manager"
    right = RIGHTS[source]
    seen = await looked(await desk(stage.after(MINUTE), faults=Faults(denied={right.action})), stage)
    assert seen.trouble is None, "trying again would not help"
    assert seen.evidence.unread.keys() == {source}
    for word in (right.action, right.role, right.what, web.subscription, "Breakwater's own role"):
        assert word in seen.evidence.unread[source]
    habits = of(stage, seen.evidence, "web")
    assert {
        Source.ACTIVITY_LOG: habits.stops,
        Source.CHANGES: habits.resizes,
        Source.AUTOSCALE: habits.autoscale,
        Source.SCHEDULES: habits.shutdown,
        Source.GROUPS: habits.group_managed_by,
    }[source] in {0, ""}
    assert habits != Habits(), "everything else was read"


@pytest.mark.parametrize(
    ("action", "table"),
    [
        ("Microsoft.Resources/changes/read", "resizes"),
        ("Microsoft.ResourceHealth/availabilityStatuses/read", "repairs"),
    ],
)
async def test_an_empty_table_proves_nothing_where_a_right_for_it_is_known_to_be_missing(
    desk, action: str, table: str
) -> None:
    stage = Stage(uniform("web", 2))
    stage.fleet.upkeep.resize(stage.fleet.scale_set("web"), "Standard_D4s_v5")
    at = await desk(stage.after(MINUTE), faults=Faults(denied={action}))
    silent = await looked(at, stage)
    assert silent.evidence.unread == {}, "Azure says nothing of it"
    assert of(stage, silent.evidence, "web").resizes == (0 if table == "resizes" else 1)
    listed = [scale_set async for page, _ in at.compute.scale_sets() for scale_set in page]
    told = (await look_up(at.compute, listed, stage.fleet.now, lacking=[action])).evidence
    assert told.unread.keys() == {Source.CHANGES}
    assert action in told.unread[Source.CHANGES]


async def test_without_resource_graph_nobody_can_tell_which_machines_are_a_flexible_sets(desk) -> None:
    stage = Stage(flexible("api", 2), uniform("web", 1))
    faults = Faults(denied={RIGHTS[Source.CHANGES].action})
    at = await desk(stage, faults=faults)
    assert (await looked(at, stage)).evidence.unread.keys() == {Source.CHANGES}
    stage.fleet.people.stop(stage.fleet.instance("api", 0))
    stage.after(MINUTE)
    unread = (await looked(at, stage)).evidence.unread
    assert unread.keys() == {Source.CHANGES, Source.ACTIVITY_LOG}
    assert "which machines belong to Flexible scale sets" in unread[Source.ACTIVITY_LOG]


async def test_a_hidden_resource_group_is_not_taken_for_an_unmanaged_one(desk) -> None:
    stage = Stage(uniform("web", 1, resource_group="rg-a"), uniform("db", 1, resource_group="rg-b"))
    stage.fleet.upkeep.group(stage.fleet.scale_set("db")).hidden = True
    at = await desk(stage)
    listed = [scale_set async for page, _ in at.compute.scale_sets() for scale_set in page]
    unread = (await look_up(at.compute, listed, stage.fleet.now, listed)).evidence.unread
    assert "does not show Breakwater resource group rg-b: Microsoft.Resources/" in unread[Source.GROUPS]
    known_earlier = (await look_up(at.compute, listed, stage.fleet.now)).evidence
    assert known_earlier.unread == {}, "a scale set that nobody listed now may be gone with its group"
    stage.fleet.upkeep.group(stage.fleet.scale_set("web")).hidden = True
    nothing = (await look_up(at.compute, listed, stage.fleet.now)).evidence
    assert "rg-a, rg-b" in nothing.unread[Source.GROUPS]


@pytest.mark.parametrize("source", Source)
async def test_a_failing_source_is_retried_by_the_client_and_then_kept_apart_from_a_forbidden_one(
    desk, source: Source
) -> None:
    faults = Faults()
    stage = Stage(uniform("web", 1))
    at = await desk(stage, faults=faults)
    faults.fail(1, kind=KINDS[source])
    assert (await looked(at, stage)).evidence.unread == {}
    faults.fail(99, kind=KINDS[source])
    seen = await looked(at, stage)
    assert isinstance(seen.trouble, Unreachable)
    assert seen.evidence.unread.keys() == {source}
    assert "could not be read: Azure answered 503" in seen.evidence.unread[source]


async def test_throttling_in_between_is_trouble_that_passes_with_its_wait(desk) -> None:
    faults = Faults()
    stage = Stage(uniform("web", 1))
    at = await desk(stage, faults=faults)
    faults.throttle(1, retry_after=17, kind="resource graph")
    seen = await looked(at, stage)
    assert isinstance(seen.trouble, Throttled)
    assert seen.trouble.retry_after == timedelta(seconds=17)
    assert Source.CHANGES in seen.evidence.unread
    sent = at.server.calls.total()
    at.clock.forward(seconds=16)
    again = await look_up(at.compute, [], stage.fleet.now)
    assert isinstance(again.trouble, Throttled)
    assert again.evidence.unread.keys() == set(Source)
    assert at.server.calls.total() == sent, "nobody asks before Retry-After has passed"
    at.clock.forward(seconds=2)
    assert (await looked(at, stage)).trouble is None
