"""Waves that change on the way, instances that don't come back, and an Azure that asks for patience."""

from datetime import datetime, timedelta
from itertools import pairwise

from simulator.arm.faults import Faults
from simulator.fleet import Behaviour, flexible, uniform
from simulator.rig import Rig
from tests.journeys.play import (
    ALWAYS,
    POLICY,
    QUICK,
    SETTINGS,
    TRACKING_ID,
    alerted,
    fleet,
    html_of,
    kept,
    mail_about,
    post,
    reaches,
    run_of,
    shown,
    started,
    text_of,
    windows,
    words,
)

ON_THE_WIRE = timedelta(seconds=0.5)  # what was sent before the answer was read


async def test_a_cancelled_wave_cancels_what_has_not_started_and_lets_the_rest_come_back(
    storage: str,
) -> None:
    azure = fleet(
        uniform("web", 4, update_domains=4, behaviour=QUICK, tags=ALWAYS),
        uniform("late", 2, behaviour=QUICK, tags={**ALWAYS, "breakwater-mode": "approve"}),
    )
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig)
        await shown(rig, lambda _: azure.ledger.starts("customer"), within=20, why="something is started")
        azure.cancel(TRACKING_ID)
        called_off = azure.now
        await alerted(rig, "Canceled")
        report = await reaches(rig, 30, web="cancelled", late="cancelled")
        told = words(text_of(await mail_about(rig, "is over for your")))

    kept(rig, report)
    assert [one.at for one in azure.ledger.starts("customer") if one.at > called_off] == []
    assert started(azure)[0] == "web/0"
    states = [one["state"] for batch in run_of(report, "web")["batches"] for one in batch["instances"]]
    assert states == ["maintained", *["cancelled"] * 3]
    assert report["stage"] == "Canceled"
    assert "cancelled" in told
    assert "cancelled" in run_of(report, "late")["reason"]


async def test_a_rescheduled_wave_is_planned_anew_for_its_new_window(storage: str) -> None:
    azure = fleet(uniform("web", 2, update_domains=1, behaviour=QUICK, tags=ALWAYS), opens_in=3600)
    async with Rig(azure, storage=storage, policy=POLICY, settings=SETTINGS) as rig:
        await alerted(rig)
        before = run_of(await reaches(rig, 20, web="scheduled"), "web")
        await mail_about(rig, f"{TRACKING_ID}: ")
        first, later = windows(3)
        azure.reschedule(TRACKING_ID, first, later)
        await alerted(rig, "Rescheduled")
        report = await reaches(rig, 30, web="completed")
        after = run_of(report, "web")
    kept(rig, report)
    spare = (first.end - first.start) / 50  # a deadline leaves a fiftieth of so short a window
    assert abs(datetime.fromisoformat(after["deadline"]) - (first.end - spare)) < timedelta(seconds=1)
    assert before["deadline"] != after["deadline"]
    assert all(first.start <= one.at < first.end for one in azure.ledger.starts("customer"))
    assert report["stage"] == "Rescheduled"
    assert len(report["announcements"]) == 2


async def test_an_instance_that_stays_unhealthy_pauses_its_run_until_a_person_resumes_it(
    storage: str,
) -> None:
    azure = fleet(
        uniform("web", 4, update_domains=2, zones=("2",), behaviour=QUICK, tags=ALWAYS),
        uniform("other", 2, update_domains=1, behaviour=QUICK, tags=ALWAYS),
    )
    sick = azure.instance("web", 0)
    sick.behaviour |= Behaviour(health_finally="unhealthy")
    policy = POLICY.replace("recover-within: 20s", "recover-within: 4s")
    async with Rig(azure, storage=storage, policy=policy, settings=SETTINGS) as rig:
        await alerted(rig)
        paused = run_of(await reaches(rig, 30, web="paused", other="completed"), "web")
        mail = await mail_about(rig, "did not come back")
        assert set(started(azure)) == {"web/0", "web/2", "other/0", "other/1"}

        assert (await post(rig, paused, "resume", actor=""))[0] == 400
        azure.people.set_health(sick, "healthy")
        status, answer = await post(rig, paused, "resume", comment="The disk was full.")
        assert (status, answer["status"]) == (202, "accepted")
        report = await reaches(rig, 30, web="completed")

    said = words(text_of(mail))
    assert "Down: Instance 0 (zone 2, domain 0): running, unhealthy." in said
    assert "3 of 4 instances are running and healthy" in said
    assert "If nobody answers by" in said
    assert "Azure reboots the 2 that are left at a time it chooses between" in said
    assert f"/waves/{TRACKING_ID}/" in said
    assert "/resume" in said
    assert "BREAKWATER_STOP=1" in said
    assert "/resume" in html_of(mail)
    kept(rig, report)
    resumed = next(one for one in run_of(report, "web")["history"] if one["actor"] == "ana@example.org")
    assert "The disk was full." in resumed["reason"]
    assert sorted(started(azure)) == ["other/0", "other/1", *(f"web/{n}" for n in range(4))]


async def test_a_throttled_subscription_is_left_alone_until_retry_after_and_everything_gets_its_plan(
    storage: str,
) -> None:
    names = [f"set{number}" for number in range(6)]
    azure = fleet(*(uniform(name, 2, tags=ALWAYS) for name in names), flexible("api", 2, tags=ALWAYS))
    faults = Faults()
    faults.throttle(1, retry_after=3, kind="list scale sets")
    faults.throttle(2, retry_after=4, kind="list instances")
    faults.fail(2, kind="list instances")
    faults.fail(1, kind="list virtual machines")
    policy = POLICY.replace("lead: 1s", "lead: 30m")
    async with Rig(azure, storage=storage, policy=policy, settings=SETTINGS, faults=faults) as rig:
        await alerted(rig)
        report = await reaches(rig, 40, **dict.fromkeys([*names, "api"], "scheduled"))
        seen = [one for one in rig.arm.seen if one.kind != "token"]
    kept(rig, report)
    assert sum(one.status == 429 for one in seen) == 3
    assert sum(one.status == 503 for one in seen) == 3
    for one in seen:
        if one.status == 429:
            quiet = timedelta(seconds=3 if one.kind == "list scale sets" else 4)
            early = [
                (other.kind, (other.at - one.at).total_seconds())
                for other in seen
                if one.at + ON_THE_WIRE < other.at < one.at + quiet
            ]
            assert early == [], "read before Retry-After had passed"
    listings = [one.at for one in seen if one.kind == "list scale sets"]
    assert len(listings) == 2
    assert all(later - earlier >= timedelta(seconds=3) for earlier, later in pairwise(listings))
    assert azure.ledger.starts("customer") == []
