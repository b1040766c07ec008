"""search: what Azure knows and no alert brought is found by the sweep, once per interval.

Storage stamps documents with the time it is, so these tests begin now and let their clock run ahead.
"""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.cloud import graph
from handlers.cloud.errors import Forbidden, Throttled, Unreachable
from handlers.cloud.names import ALERTS_PREFIX, wave_path
from handlers.stages import discover, receive, sweep
from handlers.wire.documents import decode
from handlers.wire.http import Request
from handlers.wire.ids import ALERTS, NOTICES, RUNS
from planner.azure.wave import Stage, Wave
from simulator.arm.graph import run as ask
from simulator.fleet import VirtualClock
from simulator.fleet.sample import sample_fleet, sample_wave
from tests.handlers.parts import (
    OTHER,
    SUBSCRIPTION,
    alert,
    body,
    put,
    run,
    state,
)


@pytest.fixture
def wiring(wiring_at_present):
    return wiring_at_present


def row(**more):
    return {
        "trackingId": "VM77-7XY",
        "status": "Active",
        "level": "Informational",
        "title": "Planned maintenance",
        "summary": "Reboots.",
        "impact": [
            {"ImpactedService": "Virtual Machines", "ImpactedRegions": [{"ImpactedRegion": "East US 2"}]}
        ],
        "impactStartTime": "2026-11-20T00:00:00Z",
        "impactMitigationTime": "1767225600000",
        "lastUpdateTime": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
    } | more


async def test_a_wave_that_no_alert_brought_becomes_an_alert_and_is_discovered(wiring):
    wiring.fake.rows = [row()]
    await sweep.handle(wiring)
    (message,) = wiring.spy.of(ALERTS)
    await discover.handle(message, wiring)
    wave = decode(Wave, (await wiring.records.read(wave_path("VM77-7XY", SUBSCRIPTION))).body)
    assert wave.current.found_by_search
    assert wave.stage is Stage.ACTIVE
    assert wave.current.regions == ("eastus2",)
    assert wave.current.impact_end == datetime(2026, 1, 1, tzinfo=UTC)
    assert [member.scale_set.name for member in wave.roster] == ["web"]
    ((path, payload),) = wiring.fake.posts
    assert path == graph.PATH
    assert payload["subscriptions"] == [SUBSCRIPTION]
    assert payload["query"] == graph.query()


async def test_azure_is_searched_once_per_interval_and_a_wave_is_found_once(wiring):
    wiring.fake.rows = [row()]
    for _ in range(4):
        await sweep.handle(wiring)
        wiring.clock.forward(minutes=29)
    assert len(wiring.fake.posts) == 2
    fresh = [message for message in wiring.spy.of(ALERTS) if message.tries == 0]
    assert len(fresh) == 1
    assert len(await wiring.records.list(ALERTS_PREFIX)) == 1


async def test_the_search_follows_a_wave_it_found_itself_to_its_end(wiring):
    wiring.fake.rows = [row()]
    await sweep.handle(wiring)
    await discover.handle(wiring.spy.of(ALERTS)[-1], wiring)
    wiring.clock.forward(hours=2)
    wiring.fake.rows = [row(status="Resolved", lastUpdateTime=wiring.now().isoformat())]
    await sweep.handle(wiring)
    await discover.handle(wiring.spy.of(ALERTS)[-1], wiring)
    wave = decode(Wave, (await wiring.records.read(wave_path("VM77-7XY", SUBSCRIPTION))).body)
    assert wave.stage is Stage.RESOLVED


@pytest.mark.parametrize(
    "known",
    [
        row(trackingId="VM12-3AB"),
        row(impact=[{"ImpactedService": "SQL Database", "ImpactedRegions": []}]),
        row(status="Resolved"),
        row(lastUpdateTime="2020-01-01T00:00:00Z"),
    ],
)
async def test_what_an_alert_brought_or_is_not_ours_or_is_over_is_no_find(wiring, known):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    wiring.spy.forget()
    wiring.fake.rows = [known]
    await sweep.handle(wiring)
    assert not wiring.spy.of(ALERTS)
    assert not wiring.spy.of(NOTICES)


async def test_the_same_wave_in_another_subscription_is_a_find(wiring):
    await receive.handle(Request("POST", body=body(alert())), wiring)
    wiring.settings = wiring.settings.model_copy(update={"subscriptions": (SUBSCRIPTION, OTHER)})
    wiring.spy.forget()
    wiring.fake.rows = [row(trackingId="VM12-3AB")]
    await sweep.handle(wiring)
    (found,) = wiring.spy.of(ALERTS)
    stored = await wiring.records.read(f"{ALERTS_PREFIX}{found.alert}.json")
    assert stored.metadata["subscription"] == OTHER


@pytest.mark.parametrize("tracking_id", ["", None, "no such id"])
async def test_without_a_tracking_id_nothing_starts_and_people_are_told_once(wiring, tracking_id):
    wiring.fake.rows = [row(trackingId=tracking_id)]
    for _ in range(3):
        await sweep.handle(wiring)
        wiring.clock.forward(hours=2)
    (notice,) = wiring.spy.of(NOTICES)
    assert notice.kind == "unknown_wave"
    assert "Planned maintenance" in notice.text
    assert "tracking id" in notice.text
    assert not wiring.spy.of(ALERTS)


async def test_a_foreign_or_finished_event_without_tracking_id_is_nobodys_news(wiring):
    foreign = [{"ImpactedService": "SQL Database", "ImpactedRegions": []}]
    wiring.fake.rows = [row(trackingId="", impact=foreign), row(trackingId="", status="Resolved")]
    await sweep.handle(wiring)
    assert not wiring.spy.of(NOTICES)


@pytest.mark.parametrize(
    "trouble",
    [Unreachable("Azure answered 503."), Throttled(timedelta(seconds=5)), Forbidden("No."), KeyError("odd")],
)
async def test_a_search_that_fails_never_fails_the_sweep_and_is_on_record(wiring, trouble):
    wiring.fake.trouble = trouble
    await put(wiring, run(due=wiring.now() - timedelta(hours=1)))
    await sweep.handle(wiring)
    assert len(wiring.spy.of(RUNS)) == 1
    assert SUBSCRIPTION in (await state(wiring))["search_trouble"]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"impact": "x", "impactStartTime": {}, "lastUpdateTime": [], "title": 5},
        {"impact": [{"ImpactedService": 5, "ImpactedRegions": [7]}, 3]},
        {"lastUpdateTime": "9" * 40},
        {"title": "\ud800"},
    ],
)
async def test_odd_rows_do_not_hide_the_others(wiring, odd):
    wiring.fake.rows = [row(trackingId="ODD-0") | odd, row()]
    await sweep.handle(wiring)
    stored = await wiring.records.list(ALERTS_PREFIX)
    assert "VM77-7XY" in {one.metadata["tracking_id"] for one in stored}


async def test_every_page_of_a_search_is_read():
    asked = []

    class Pages:
        async def post_json(self, path, payload):
            asked.append(payload["options"].get("$skipToken"))
            return {"data": [row()], "$skipToken": "next"} if len(asked) < 3 else {"data": [row()]}

    assert len(await graph.planned_maintenance(Pages(), SUBSCRIPTION)) == 3
    assert asked == [None, "next", "next"]


async def test_the_simulated_azure_understands_the_query_and_its_rows_are_read(wiring):
    fleet = sample_fleet(VirtualClock(wiring.now()), subscription=SUBSCRIPTION)
    wave = sample_wave(fleet)
    wiring.fake.rows = ask(fleet.world, graph.query(), [SUBSCRIPTION])
    (found,) = await graph.planned_maintenance(wiring.fake, SUBSCRIPTION)
    assert found.tracking_id == wave.tracking_id
    assert {service for service, _ in found.impact} >= {"Virtual Machines"}
    assert found.impact[0][1] == ("West Europe", "North Europe")
    await sweep.handle(wiring)
    (stored,) = await wiring.records.list(ALERTS_PREFIX)
    assert stored.metadata["tracking_id"] == wave.tracking_id
