"""Where nothing of a wave is found, its page says why that may be, with what was read about each reason."""

from dataclasses import replace
from datetime import timedelta

from handlers.render import page
from handlers.render.addresses import Addresses
from handlers.render.nothing_found import reasons
from planner.azure.fleet import MaintenanceStatus
from planner.azure.usage import Evidence, Habits, Source
from planner.azure.wave import Stage
from planner.notices.digest import Overview
from planner.record.check import Check, Outcome
from planner.record.run import Run
from planner.record.shown import Shown
from planner.record.states import RunState
from tests.altered import altered
from tests.handlers.render.test_run_page import words_of
from tests.notices import NOW, TRACKING, notice, run, wave

LOOKED = Evidence(NOW, NOW - timedelta(days=14))


def idle(**more) -> Run:
    return run("idle", state=RunState.NOT_IMPACTED, batches=(), checks=(), shown_at=NOW, **more)


def said(*waves, runs: tuple[Run, ...] = ()) -> dict[str, str]:
    return {reason.says: reason.evidence for reason in reasons(waves, runs, "Europe/Berlin")}


def about(found: dict[str, str], word: str) -> str:
    (evidence,) = [evidence for says, evidence in found.items() if word in says]
    return evidence


def test_every_reason_of_the_guidance_is_there_with_something_read_about_it():
    found = said(wave(idle()), runs=(idle(),))

    for word in ("cancelled", "does not show on the machines yet", "regions", "stopped and started", "no reboot",
                 "may not see", "Microsoft internal", "Maintenance column"):  # fmt: skip
        assert len(about(found, word)) > 20, word


def test_the_stage_and_the_regions_are_those_of_the_announcement():
    found = said(wave(idle(), stage=Stage.CANCELED))

    assert about(found, "cancelled") == "Azure's last word: Canceled, Tue 24 Nov 2026 11:00 UTC, 12:00 CET."
    assert "names westeurope; the last listing of the subscription had 1 scale set there." in about(
        found, "regions"
    )
    assert "names no region, so all count" in about(said(wave(idle(), regions=())), "regions")


def test_how_many_instances_show_a_status_and_when_they_were_read_is_said():
    some = idle(shown=(Shown(MaintenanceStatus(allowed=False), ("1", "2")),))
    found = about(said(wave(some), runs=(some,)), "machines yet")

    assert found.startswith(
        "2 of 6 instances show a maintenance status, last read Tue 24 Nov 2026 12:00 UTC, 13:00 CET."
    )
    assert "looks again after 15 minutes" in found
    over = about(said(wave(some, stage=Stage.COMPLETE), runs=(some,)), "machines yet")
    assert over.endswith("The wave is over, so nobody looks again.")


def test_what_the_activity_log_says_of_stops_and_repairs_is_counted_or_said_to_be_unread():
    habits = {"a": Habits(stops=3, healed={"1": NOW}), "b": Habits(stops=1)}
    read = replace(wave(idle()), evidence=replace(LOOKED, scale_sets=habits))
    blind = replace(
        wave(idle()), evidence=replace(LOOKED, unread={Source.ACTIVITY_LOG: "The role lacks it."})
    )

    assert "has 4 stops of your scale sets and 1 instance that Azure moved to repair it" in about(
        said(read), "stopped"
    )
    assert about(said(blind), "stopped") == "The activity log could not be read: The role lacks it."
    assert about(said(wave(idle())), "stopped") == "The activity log was not read for this wave."


def test_what_could_not_be_read_is_named_and_an_empty_listing_points_to_the_role():
    blind = idle()
    blind = replace(blind, checks=(Check("scale-set-readable", Outcome.BLOCK, "Its model is missing."),))

    assert about(said(wave(blind), runs=(blind,)), "may not see") == "Of idle not everything could be read."
    assert "check the role" in about(said(wave()), "may not see")
    assert "read in full" in about(said(wave(idle()), runs=(idle(),)), "may not see")


def test_of_several_subscriptions_each_is_named():
    other = replace(wave(idle()), subscription="99999999-1234-1234-1234-1234567890ab")
    assert "Subscription 99999999-" in about(said(wave(idle()), other), "cancelled")


def shown(runs: tuple[Run, ...], **counts: int) -> str:
    seen = Overview(
        {key: number for key, number in counts.items() if key != "planning"},
        planning=counts.get("planning", 0),
    )
    return words_of(page.wave_page(page.Report(TRACKING, (wave(*runs),), runs, seen, ()), Addresses(), NOW))


def test_the_page_says_so_only_where_nothing_is_found_and_nothing_is_to_come():
    title = "Why nothing may be found"

    assert title in shown(())
    assert title in shown((idle(),), not_impacted=1)
    assert title not in shown((), planning=2)
    assert title not in shown((idle(), run("web", notice())), not_impacted=1, scheduled=1)
    assert title in words_of(page.run_page(TRACKING, idle(), Addresses(), NOW, (wave(idle()),)))
    assert title not in words_of(page.run_page(TRACKING, altered(run("web")), Addresses(), NOW, (wave(),)))
