"""From an alert to the last maintained instance, with nobody's hand on it."""

import json
from collections import Counter
from datetime import datetime
from typing import Any

from simulator.fleet import Behaviour, flexible, uniform
from simulator.fleet.ledger import StartAsked, Up
from simulator.rig import Rig
from tests.journeys.play import (
    ALWAYS,
    POLICY,
    QUICK,
    SETTINGS,
    TRACKING_ID,
    alerted,
    fleet,
    health,
    html_of,
    kept,
    mail_about,
    mail_saying,
    reaches,
    run_of,
    shown,
    started,
    text_of,
    words,
)

RUN_FIELDS = {
    "scale_set", "subscription", "resource_group", "name", "location", "state", "reason", "verdict", "mode",
    "self_service", "deadline", "slack_seconds", "checks", "batches", "history",
}  # fmt: skip
BATCH_FIELDS = {"domain", "state", "not_before", "started_at", "finished_at", "instances"}


async def test_an_alert_leads_to_every_scale_set_maintained_or_left_with_reasons_and_told(
    storage: str,
) -> None:
    azure = fleet(
        uniform("web", 4, update_domains=2, behaviour=QUICK, tags=ALWAYS),
        flexible("api", 2, zones=("1", "2"), behaviour=QUICK, tags=ALWAYS),
        uniform("fab", 5, service_fabric=True, behaviour=QUICK, tags=ALWAYS),
        uniform("calm", 2, behaviour=QUICK),
        uniform("quiet", 2, behaviour=QUICK, tags=ALWAYS),
        impacted=lambda instance: instance.owner.name != "quiet",
    )
    azure.instance("web", 1).behaviour |= Behaviour(lost_answers=1)
    azure.instance("web", 2).behaviour |= Behaviour(retry_later=1)
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig)
        report = await reaches(
            rig, 35, web="completed", api="completed", fab="left_to_azure", calm="left_to_azure",
            quiet="not_impacted",
        )  # fmt: skip
        completed = await mail_saying(rig, "All 4 instances rebooted and healthy")
        await rig.teams.wait_for(len, 60)
        page_status, page = await rig.get(f"waves/{TRACKING_ID}")
        listed = json.loads((await rig.get("waves.json"))[1])
        quarantine = (await health(rig))["quarantine"]

    kept(rig, report, blocked=("fab", "calm", "quiet"))
    _has_the_contract(report)
    tries = Counter(started(azure))
    assert tries == Counter([*(f"web/{n}" for n in range(4)), "web/2", *_names(azure, "api")])
    assert _domains_in_order(azure) == ["0", "1"]
    _within_budget(rig.arm.calls, report)
    assert "Service Fabric" in run_of(report, "fab")["reason"]
    assert run_of(report, "web")["verdict"] == "self_service"
    assert listed[0]["counts"] == {"completed": 2, "left_to_azure": 2, "not_impacted": 1}
    assert page_status == 200
    assert "Service Fabric" in page
    await mail_saying(rig, "Service Fabric")
    assert "instances rebooted and healthy" in words(text_of(completed))
    assert "instances rebooted and healthy" in html_of(completed)
    for mail in rig.mail.messages:
        assert all(mail[header] for header in ("date", "from", "to", "message-id")), mail.items()
    assert quarantine == 0
    assert "ERROR" not in rig.host.log
    assert rig.host.log.count("Traceback") == 0


async def test_a_plan_costs_one_listing_of_the_scale_sets_and_one_of_each_ones_instances(
    storage: str,
) -> None:
    azure = fleet(
        uniform("web", 7, tags=ALWAYS),
        uniform("calm", 2),
        flexible("api", 4, tags=ALWAYS),
        uniform("far", 2, location="eastus", tags=ALWAYS),
    )
    policy = POLICY.replace("lead: 1s", "lead: 30m")
    async with Rig(azure, storage=storage, policy=policy, settings=SETTINGS, page_size=3) as rig:
        await alerted(rig)
        await reaches(rig, 20, web="scheduled", calm="left_to_azure", api="scheduled")
        await mail_about(rig, f"{TRACKING_ID}: ")
        report = await rig.report(TRACKING_ID)

        assert {run["name"] for run in report["runs"]} == {"web", "calm", "api"}
        assert dict(rig.arm.calls) == {
            "token": 1,
            "list scale sets": 2,  # four scale sets, three a page
            "list instances": 3 + 1,
            "list virtual machines": 2,
            "activity log": 2,
            "resource graph": 2,
            "resource groups": 1,
            "autoscale settings": 1,
            "auto-shutdown schedules": 1,
        }


async def test_an_announcement_posted_again_and_again_changes_nothing(storage: str) -> None:
    azure = fleet(uniform("web", 2, update_domains=2, behaviour=QUICK, tags=ALWAYS))
    alert = azure.alert(TRACKING_ID)
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        first, *rest = [await rig.post_alert(alert) for _ in range(4)]
        assert first[0] == 202
        assert [(status, answer["status"]) for status, answer in rest] == [(200, "duplicate")] * 3
        report = await reaches(rig, 30, web="completed")
        assert (await rig.post_alert(alert))[1]["reason"] == "This alert has been worked through already."
        await mail_about(rig, "is over for your")
        kept(rig, report)
        assert Counter(started(azure)) == Counter(["web/0", "web/1"])
        assert len(report["announcements"]) == 1
        assert len({str(mail["message-id"]) for mail in rig.mail.messages}) == len(rig.mail.messages)


async def test_a_tier_waits_until_the_one_before_it_is_through(storage: str) -> None:
    azure = fleet(
        uniform("web", 2, update_domains=1, behaviour=QUICK, tags={"breakwater-after": "db"}),
        uniform("main", 2, update_domains=2, behaviour=QUICK, tags={"breakwater-tier": "db"}),
    )
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig)
        report = await reaches(rig, 40, web="completed", main="completed")
    kept(rig, report)
    facts = azure.ledger.since(0)
    first_web = next(n for n, one in enumerate(facts) if _start(one, "web"))
    last_main = max(n for n, one in enumerate(facts) if isinstance(one, Up) and "/main/" in one.instance)
    assert last_main < first_web


async def test_the_stop_starts_nothing_and_says_so_everywhere(storage: str) -> None:
    azure = fleet(uniform("web", 2, update_domains=2, behaviour=QUICK, tags=ALWAYS))
    stopped = {**SETTINGS, "BREAKWATER_STOP": "1"}
    async with Rig(azure, storage=storage, policy=POLICY, settings=stopped) as rig:
        await alerted(rig)
        report = await shown(
            rig,
            lambda runs: "web" in runs and "BREAKWATER_STOP" in runs["web"]["reason"],
            within=20,
            why="the run says that it is stopped, and by what",
        )
        said = await health(rig)
        announced = words(text_of(await mail_about(rig, f"{TRACKING_ID}: ")))
    assert run_of(report, "web")["state"] == "scheduled"
    assert (said["status"], said["stopped"]) == ("stopped", True)
    assert "BREAKWATER_STOP" in said["stopped_by"]
    assert started(azure) == []
    assert announced


def _has_the_contract(report: dict[str, Any]) -> None:
    assert report["tracking_id"] == TRACKING_ID
    assert report["stage"] == "Planned"
    assert report["announcements"]
    for run in report["runs"]:
        assert set(run) >= RUN_FIELDS, run["name"]
        assert run["self_service"] in {"Yes", "No", "-"}
        assert run["reason"]
        assert run["history"]
        assert all(set(one) >= {"name", "outcome", "reason"} for one in run["checks"])
        assert all(set(one) >= {"at", "actor", "event", "reason"} for one in run["history"])
        for batch in run["batches"]:
            assert set(batch) >= BATCH_FIELDS
            assert all(set(one) >= {"id", "state", "reason"} for one in batch["instances"])
            for moment in ("not_before", "started_at", "finished_at"):
                assert batch[moment] is None or datetime.fromisoformat(batch[moment]).tzinfo is not None


def _within_budget(calls: Counter[str], report: dict[str, Any]) -> None:
    assert calls["list scale sets"] == 1
    assert calls["instance view"] == calls["scale set view"] == 0
    # Whose answer was lost has no operation to read: that its status is gone is confirmed by a read of its own.
    assert calls["get instance"] <= 1
    assert calls["start scale set"] == calls["unknown"] == 0
    assert calls["activity log"] == calls["resource graph"] == 2
    assert calls["autoscale settings"] == calls["auto-shutdown schedules"] == calls["resource groups"] == 1
    batches = {run["name"]: len(run["batches"]) for run in report["runs"] if run["state"] == "completed"}
    assert sum(batches.values()) <= calls["get scale set"] <= sum(batches.values()) + 2
    assert batches["web"] <= calls["rolling upgrade"] <= batches["web"] + 2


def _names(azure: Any, scale_set: str) -> list[str]:
    return [f"{scale_set}/{one.name}" for one in azure.scale_set(scale_set).instances.values()]


def _domains_in_order(azure: Any) -> list[str]:
    """The update domains of `web` in the order of their first starts, each once in a row."""
    seen: set[str] = set()
    order: list[str] = []
    for start in azure.ledger.starts("customer"):
        if "/web/" in start.instance and start.instance not in seen:
            seen.add(start.instance)
            order += [] if order and order[-1] == start.domain[2] else [start.domain[2]]
    return order


def _start(fact: object, scale_set: str) -> bool:
    return isinstance(fact, StartAsked) and f"/{scale_set}/" in fact.instance
