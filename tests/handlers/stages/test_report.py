import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from handlers.cloud.names import archive_path
from handlers.render import contract, page
from handlers.render.addresses import Addresses
from handlers.render.table import COLUMNS
from handlers.stages import notify, report
from handlers.wire.documents import encode_run, run_metadata
from handlers.wire.http import Request, Response
from handlers.wire.messages import NoticeMessage
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.azure.wave import Stage
from planner.notices.digest import Overview
from planner.record.check import Check, Outcome
from planner.record.run import Repairs, Run
from planner.record.states import InstanceState, RunState
from planner.record.waivers import FIT
from tests.altered import altered
from tests.notices import (
    CAPACITY,
    HOUR,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    Clock,
    batch,
    misfit,
    notice,
    paused,
    policy_file,
    run,
    settings,
    short_of_time,
    store,
    wave,
)

HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    "<a href='javascript:alert(1)'>x</a> =cmd|' /C calc'!A0"
)


@pytest.fixture
async def wiring(storage: str, tmp_path: Path) -> AsyncIterator[Wiring]:
    receivers = {"ops": {"webhook": "http://127.0.0.1:1/hook?sig=secret"}}
    wired = Wiring(settings(storage, policy=policy_file(tmp_path, receivers)), Clock())
    yield wired
    await wired.close()


async def get(wiring: Wiring, **given: str) -> Response:
    return await report.handle(Request("GET", given), wiring)


async def get_json(wiring: Wiring, **given: str) -> Any:
    answer = await get(wiring, **given)
    assert answer.status == 200
    return json.loads(answer.body)


def left(name: str) -> Run:
    return run(
        name,
        notice(),
        state=RunState.LEFT_TO_AZURE,
        reason="Nobody declared a need.",
        checks=(Check("needed", Outcome.BLOCK, "Nobody declared a need."),),
        facts={},
    )


class Seen(HTMLParser):
    """The tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def placed(one: Run) -> dict[str, str]:
    return {"wave": TRACKING, "subscription": SUBSCRIPTION, "group": "shop", "name": one.target.name}


async def test_the_overview_counts_every_wave(wiring):
    await store(wiring, paused("db"), run("web", notice()), left("batch"))

    assert await get_json(wiring, suffix="json") == [
        {
            "tracking_id": TRACKING,
            "stage": "Planned",
            "subscriptions": [SUBSCRIPTION],
            "counts": {"scheduled": 1, "paused": 1, "left_to_azure": 1},
            "needs_person": 1,
            "waits": {},
            "deadline": "2026-11-28T12:00:00Z",
        }
    ]


async def test_without_any_wave_the_overview_is_empty_and_the_page_says_what_to_do(wiring):
    assert await get_json(wiring, suffix="json") == []
    answer = await get(wiring)
    assert answer.content_type == "text/html"
    assert "send a test alert" in str(answer.body)


async def test_a_waves_document_has_exactly_the_promised_fields(wiring):
    await store(wiring, paused("db"), left("batch"))

    document = await get_json(wiring, wave=f"{TRACKING}.json")

    assert document.keys() == {"tracking_id", "stage", "announcements", "runs"}
    db, batch_set = document["runs"]
    assert (db["name"], batch_set["name"]) == ("db", "batch")
    assert db.keys() == {
        "scale_set",
        "subscription",
        "resource_group",
        "name",
        "location",
        "state",
        "reason",
        "verdict",
        "mode",
        "self_service",
        "checksum",
        "deadline",
        "slack_seconds",
        "forecast_end",
        "start_by",
        "serving",
        "capacity",
        "choices",
        "waits",
        "holds_up",
        "raised",
        "again",
        "repairs",
        "waves",
        "checks",
        "batches",
        "history",
    }
    assert db["slack_seconds"] == 66 * 3600
    assert (db["self_service"], batch_set["self_service"]) == ("Yes", "-")
    assert db["checks"][0] == {
        "name": "needed",
        "outcome": "pass",
        "reason": "complete-by is declared: 2026-11-28.",
        "evidence": [],
        "instances": [],
    }
    assert db["batches"][0] == {
        "domain": "zone 1, domain 0",
        "state": "pending",
        "share_percent": None,
        "not_before": "2026-11-25T13:00:00Z",
        "started_at": None,
        "verified_at": None,
        "finished_at": None,
        "instances": [
            {"id": "1", "state": "pending", "reason": ""},
            {"id": "2", "state": "pending", "reason": ""},
        ],
    }
    assert db["history"] == [
        {
            "at": "2026-11-24T12:00:00Z",
            "actor": "breakwater",
            "event": "scheduled",
            "reason": "The plan was made.",
            "id": "",
        }
    ]
    assert document["announcements"][0]["stage"] == "Planned"
    assert document["announcements"][0]["text"] == "We will reboot your machines."


def test_a_plan_that_does_not_fit_says_in_json_what_a_person_can_choose():
    document = contract.run_document(misfit("db", start_by=None, waves=(TRACKING, "ZX9K-7QD")))

    assert [one["name"] for one in document["choices"]] == ["soak", "windows", "leave", "resume"]
    assert document["choices"][0] == {
        "name": "soak",
        "sentence": "Shorter pauses: with a soak of 22 minutes it then ends in time.",
        "word": "raise",
        "to": {"soak": "22m"},
    }
    assert document["slack_seconds"] == -2 * 24 * 3600
    assert (document["forecast_end"], document["start_by"]) == ("2026-11-25T18:00:00Z", None)
    assert (document["capacity"], document["serving"]) == (CAPACITY, 10)
    assert document["waves"] == [TRACKING, "ZX9K-7QD"]
    assert [one["share_percent"] for one in document["batches"]] == [20, 10]


def test_what_no_longer_counts_is_not_offered_in_json():
    over = replace(misfit("db", start_by=NOW), state=RunState.COMPLETED)
    going = altered(misfit("db", misfit=""), state=RunState.RUNNING, slack=timedelta(hours=1))

    for document in map(contract.run_document, (over, going)):
        assert document["choices"] == []
    assert contract.run_document(over)["start_by"] is None
    assert contract.run_document(over)["capacity"] == ""


def test_time_that_is_short_offers_choices_in_json_until_a_person_lets_the_run_go_on():
    late = short_of_time("db")

    assert [one["name"] for one in contract.run_document(late)["choices"]] == ["soak"]
    assert contract.run_document(replace(late, people=replace(late.people, waived=(FIT,))))["choices"] == []


def test_a_checks_evidence_and_instances_and_who_suspended_repairs_are_in_the_document():
    seen = Check("short-lived", Outcome.UNKNOWN, "It cannot be read.", ("4", "5"), ("activity log",))
    held = Repairs(NOW, seen_suspended=True, error="No.")
    document = contract.run_document(
        run("db", checks=(seen,), repairs=held, again="Instance 4 is scheduled for the second time.")
    )

    assert document["checks"][0]["evidence"] == ["activity log"]
    assert document["checks"][0]["instances"] == ["4", "5"]
    assert document["repairs"] == (
        "Suspended by this run since Tue 24 Nov 2026 12:00 UTC; they are resumed as soon as nothing of it "
        "reboots or is being verified. Azure said: No."
    )
    assert document["again"] == "Instance 4 is scheduled for the second time."


@pytest.mark.parametrize(("said", "shown"), [("Yes", "Yes"), ("No", "No"), ("-", "-"), ("maybe", "-")])
def test_the_self_service_column_is_the_portals(said, shown):
    assert contract.self_service(run("web", facts={"self_service": said})) == shown


async def test_a_runs_address_gives_the_same_as_the_waves_document(wiring):
    one = paused("db.prod.json")
    await store(wiring, one)

    document = await get_json(wiring, wave=f"{TRACKING}.json")
    alone = await get_json(wiring, **{**placed(one), "name": "DB.PROD.json.json", "group": "SHOP"})

    assert alone == document["runs"][0]


async def test_the_page_opens_with_the_state_and_what_needs_a_person(wiring):
    await store(wiring, paused("db"), run("web", notice()), left("batch"))

    html = str((await get(wiring, wave=TRACKING)).body)
    order = [
        html.index(f"<h1>{TRACKING}"),
        html.index("0 of 3 scale sets are over; db needs a person"),
        html.index('id="counts"'),
        html.index('id="person"'),
        html.index("/shop/db/resume"),
        html.index('id="sets"'),
        html.index("complete-by is declared"),
        html.index("We will <b>reboot</b>"),
        html.index('id="told"'),
        html.index("Generated by Breakwater"),
    ]
    assert order == sorted(order)


async def test_links_inside_the_page_lead_somewhere(wiring):
    await store(wiring, paused("db"), run("web", notice()), left("batch"))
    html = str((await get(wiring, wave=TRACKING)).body)
    seen = Seen(html)

    ids = [value for name, value in seen.attributes if name == "id"]
    anchors = {value[1:] for name, value in seen.attributes if name == "href" and value.startswith("#")}
    assert len(ids) == len(set(ids))
    assert anchors <= set(ids)
    assert len(anchors) == 3


async def test_every_answer_carries_headers_that_forbid_scripts_and_copies(wiring):
    await store(wiring, paused("db"))

    for given in ({}, {"suffix": "json"}, {"wave": TRACKING}, {"wave": f"{TRACKING}.csv"}, {"wave": "none"}):
        headers = (await get(wiring, **given)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


async def test_nothing_from_outside_becomes_part_of_the_page(wiring):
    strange = paused("db", reason=HOSTILE, checks=(Check(HOSTILE, Outcome.PASS, HOSTILE, (HOSTILE,)),))
    strange = replace(strange, target=replace(strange.target, location=HOSTILE))
    said = wave(
        strange,
        title=HOSTILE,
        text=f"<p>{HOSTILE}</p><iframe src=//evil.example></iframe>",
        regions=(HOSTILE,),
    )
    await store(wiring, strange, announced=said)

    for given in ({}, {"wave": TRACKING}, placed(strange)):
        seen = Seen(str((await get(wiring, **given)).body))
        assert not {"script", "img", "iframe", "svg", "form", "link", "base"} & set(seen.tags)
        assert not [name for name, _ in seen.attributes if name.startswith("on")]
        assert not [value for name, value in seen.attributes if name == "href" and "script:" in value]
        if given:
            assert "<script>alert(1)</script>" in seen.text


@pytest.mark.parametrize(
    "given",
    [
        {"wave": "NONE-123"},
        {"wave": "no such; wave"},
        {"wave": "../../alerts"},
        {"wave": TRACKING, "subscription": "nonsense", "group": "shop", "name": "db"},
        {"wave": TRACKING, "subscription": SUBSCRIPTION, "group": "shop", "name": "other"},
        {"wave": TRACKING, "subscription": SUBSCRIPTION, "group": "<script>", "name": "<b>"},
    ],
)
async def test_what_is_not_on_record_is_a_404_with_a_sentence(wiring, given):
    await store(wiring, paused("db"))
    last = "name" if "name" in given else "wave"

    shown = await get(wiring, **given)
    read = await get(wiring, **{**given, last: given[last] + ".json"})

    assert (shown.status, read.status) == (404, 404)
    assert "<h1>Not found</h1>" in str(shown.body)
    assert "<script>" not in str(shown.body)
    assert json.loads(read.body)["error"].endswith(".")


async def test_the_calendar_is_valid_and_keeps_its_uids(wiring):
    await store(wiring, paused("db"), left("batch"))
    first = await get(wiring, wave=f"{TRACKING}.ics")
    await store(wiring, paused("db"), left("batch"), announced=wave(paused("db"), stage=Stage.CANCELED))
    second = await get(wiring, wave=f"{TRACKING}.ics")

    before, after = (Calendar.from_ical(answer.body) for answer in (first, second))
    assert first.content_type == "text/calendar"
    before.validate()
    events = before.walk("VEVENT")
    assert [event.errors for event in events] == [[], []]
    assert {str(event["uid"]) for event in events} == {str(event["uid"]) for event in after.walk("VEVENT")}
    assert {str(event["status"]) for event in events} == {"CONFIRMED"}
    assert {str(event["status"]) for event in after.walk("VEVENT")} == {"CANCELLED"}
    ours, azures = sorted(events, key=lambda event: str(event["summary"]), reverse=True)
    assert ours["dtstart"].dt.isoformat() == "2026-11-25T13:00:00+00:00"
    assert azures["dtstart"].dt == left("batch").times.scheduled.start


async def test_a_newer_announcement_raises_the_calendars_sequence(wiring):
    one = wave(paused("db"))
    await store(wiring, paused("db"), announced=one)
    before = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body).walk("VEVENT")[0]
    newer = replace(one.current, communication_id="2", alert="b" * 64)
    await store(wiring, announced=replace(one, announcements=(one.current, newer)))
    after = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body).walk("VEVENT")[0]

    assert int(after["sequence"]) > int(before["sequence"])


async def test_a_wave_of_which_nothing_has_a_time_yet_is_a_calendar_that_outlook_takes(wiring):
    await store(wiring, run("web", state=RunState.NOT_IMPACTED))

    parsed = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body)

    parsed.validate()
    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VTIMEZONE", "STANDARD"]
    assert [part.errors for part in parsed.walk()] == [[]] * 3


def maintenance_note(event: Any) -> dict[str, str]:
    """What readers of maintenance notes ask of an event; draft-gunter-calext-maintenance-notifications-00."""
    names = ("PROVIDER", "ACCOUNT", "MAINTENANCE-ID", "OBJECT-ID", "IMPACT", "STATUS")
    return {name: str(event[f"X-MAINTNOTE-{name}"]) for name in names}


async def test_every_event_is_a_maintenance_note_with_an_organizer(wiring):
    await store(wiring, paused("db"), left("batch"))
    events = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body).walk("VEVENT")

    for event in events:
        note = maintenance_note(event)
        assert (note["PROVIDER"], note["ACCOUNT"], note["MAINTENANCE-ID"]) == (
            "azure",
            SUBSCRIPTION,
            TRACKING,
        )
        assert note["OBJECT-ID"].startswith(f"/subscriptions/{SUBSCRIPTION}/")
        assert note["IMPACT"] in {"NO-IMPACT", "REDUCED-REDUNDANCY", "DEGRADED", "OUTAGE"}
        assert str(event["organizer"]) == "mailto:breakwater@example.org"
        assert all(event[name].dt.utcoffset() == timedelta(0) for name in ("dtstart", "dtend", "dtstamp"))
        assert int(event["sequence"]) >= 0


@pytest.mark.parametrize(
    ("state", "started", "ended", "status"),
    [
        (RunState.SCHEDULED, False, False, "CONFIRMED"),
        (RunState.AWAITING_APPROVAL, False, False, "TENTATIVE"),
        (RunState.RUNNING, True, False, "IN-PROCESS"),
        (RunState.PAUSED, True, False, "IN-PROCESS"),
        (RunState.COMPLETED, True, True, "COMPLETED"),
        (RunState.CANCELLED, True, True, "CANCELLED"),
        (RunState.MISSED, True, True, "CONFIRMED"),
        (RunState.LEFT_TO_AZURE, False, False, "CONFIRMED"),
    ],
)
async def test_a_maintenance_note_says_where_it_stands(wiring, state, started, ended, status):
    at = NOW - HOUR if started else None
    one = replace(batch(1, "1"), started_at=at, not_before=NOW)
    await store(
        wiring,
        run(
            "web",
            state=state,
            batches=(one,),
            ended_at=NOW if ended else None,
            scheduled=left("x").times.scheduled,
        ),
    )

    (event,) = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body).walk("VEVENT")

    assert maintenance_note(event)["STATUS"] == status


async def test_hostile_text_cannot_break_the_calendar(wiring):
    odd = "x\r\nEND:VEVENT\r\nBEGIN:VALARM\n" + HOSTILE
    strange = paused("db", reason=odd)
    await store(wiring, replace(strange, target=replace(strange.target, location=odd)))

    parsed = Calendar.from_ical((await get(wiring, wave=f"{TRACKING}.ics")).body)

    assert [part.name for part in parsed.walk()] == ["VCALENDAR", "VEVENT"]


async def test_the_spreadsheet_has_a_row_an_instance_and_computes_nothing(wiring):
    strange = paused("db", reason="=HYPERLINK(1)")
    await store(wiring, replace(strange, target=replace(strange.target, location="@SUM(1)")), left("batch"))

    answer = await get(wiring, wave=f"{TRACKING}.csv")
    rows = list(csv.DictReader(io.StringIO(str(answer.body))))

    assert tuple(rows[0]) == COLUMNS
    assert [(row["scale_set"], row["instance"]) for row in rows] == [
        ("db", "1"),
        ("db", "2"),
        ("db", "3"),
        ("batch", ""),
    ]
    assert (rows[0]["reason"], rows[0]["location"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert rows[3]["self_service"] == "-"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{TRACKING}.csv"'


async def test_only_documents_that_changed_are_read_again(wiring):
    await store(wiring, *(run(f"set-{number}", notice()) for number in range(5)))
    await get(wiring, wave=TRACKING)
    read: list[str] = []
    real = wiring.records.read

    async def counted(path: str) -> Any:
        read.append(path)
        return await real(path)

    wiring.records.read = counted  # type: ignore[method-assign]
    await get(wiring, wave=TRACKING)
    assert [path for path in read if path.startswith("runs/")] == []
    await store(wiring, run("set-3", notice(), reason="Changed."), announced=wave())
    read.clear()
    answer = await get(wiring, wave=TRACKING)

    assert [path.rpartition("/")[2] for path in read if path.startswith("runs/")] == ["set-3.json"]
    assert "Changed." in str(answer.body)


async def test_a_run_that_a_later_wave_replaced_is_still_shown_in_its_own(wiring):
    old = run("web", notice(), state=RunState.COMPLETED, ended_at=NOW, reason="All is done.")
    await store(wiring, old)
    path = archive_path(SUBSCRIPTION, "shop", "web", NOW)
    await wiring.records.create(path, encode_run(old), run_metadata(old))
    await store(wiring, run("web", notice(), waves=("ZZZZ-222",)), announced=wave(old))

    document = await get_json(wiring, wave=f"{TRACKING}.json")
    (row,) = await get_json(wiring, suffix="json")

    assert [one["state"] for one in document["runs"]] == ["completed"]
    assert row["counts"] == {"completed": 1}
    assert (await get_json(wiring, **{**placed(old), "name": "web.json"}))["reason"] == "All is done."


async def test_a_channel_in_trouble_is_shown_without_its_address(wiring):
    await store(wiring, paused("db"))
    await notify.handle(NoticeMessage(tracking_id=TRACKING, kind="wave"), wiring)

    html = str((await get(wiring, wave=TRACKING)).body)

    assert "The webhook could not be reached" in html
    assert "secret" not in html


def _report(counts: dict[str, int], planning: int = 0, runs: tuple[Run, ...] = ()) -> page.Report:
    return page.Report(TRACKING, (wave(*runs),), runs, Overview(counts, planning=planning), ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (_report({}), "No scale set of yours was found in this wave: nothing to do."),
        (_report({}, planning=2), "2 scale sets found; their plans are being made."),
        (_report({"not_impacted": 2}), "None of 2 scale sets is hit: nothing to do."),
        (_report({"completed": 1, "left_to_azure": 1}), "1 of 2 scale sets is over; 1 left to Azure."),
    ],
)
def test_the_state_of_a_wave_is_one_sentence(given, said):
    assert page.state_sentence(given, NOW) == said


def test_of_very_many_scale_sets_the_first_are_told_in_full_and_the_rest_have_pages_of_their_own():
    runs = tuple(run(f"set-{number:04}", notice()) for number in range(300))
    html = page.wave_page(
        _report({"scheduled": 300}, runs=runs), Addresses("https://breakwater.example"), NOW
    )

    assert html.count('class="set"') == page.SECTIONS
    assert f"{300 - page.SECTIONS} more scale sets have their own page" in html
    assert len(html) < 500_000
    assert f"https://breakwater.example/api/waves/{TRACKING}/{SUBSCRIPTION}/shop/set-0299" in html


def test_how_every_instance_ended_is_on_the_page():
    ended = run(
        "web",
        state=RunState.MISSED,
        batches=tuple(
            batch(number, str(number), state=state) for number, state in enumerate(InstanceState, 1)
        ),
    )
    html = page.run_page(TRACKING, ended, Addresses(), NOW)

    for word in ("maintained", "by Azure", "skipped", "cancelled", "missed", "set aside", "failed"):
        assert word in html


@pytest.mark.parametrize(
    ("state", "words"),
    [(RunState.AWAITING_APPROVAL, ("approve", "skip")), (RunState.PAUSED, ("resume", "skip"))],
)
def test_a_run_that_needs_a_person_says_what_to_type_even_without_a_notice(state, words):
    html = page.run_page(TRACKING, run("web", state=state), Addresses("https://breakwater.example"), NOW)

    assert [word for word in ("approve", "hold", "resume", "skip") if f"/shop/web/{word}" in html] == list(
        words
    )


@pytest.mark.parametrize(
    "given", [{}, {"suffix": "json"}, {"wave": TRACKING}, {"wave": f"{TRACKING}.json"}],
)  # fmt: skip
async def test_while_storage_is_down_every_report_is_503_with_a_sentence(given: dict[str, str]) -> None:
    dead = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:1/a;"
    wired = Wiring(Settings(AzureWebJobsStorage=dead + "QueueEndpoint=http://127.0.0.1:1/a;"), Clock())
    answer = await get(wired, **given)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert "storage cannot be reached" in json.loads(answer.body)["error"]
    await wired.close()
