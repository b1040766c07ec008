"""The report as document and page: what is promised, what is shown, what is not on record."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from handlers.cloud.names import archive_path
from handlers.render import contract, heading, page
from handlers.render.addresses import Addresses
from handlers.stages import notify
from handlers.wire.documents import encode, run_metadata
from handlers.wire.messages import NoticeMessage
from handlers.wire.settings import Settings
from handlers.wiring import Wiring
from planner.notices.digest import Overview
from planner.record.check import Check, Outcome
from planner.record.run import Repairs, Run
from planner.record.states import InstanceState, RunState
from tests.altered import altered
from tests.handlers.reader import HOSTILE, Seen, get, get_json, left, placed
from tests.notices import (
    CAPACITY,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    Clock,
    batch,
    misfit,
    notice,
    paused,
    run,
    short_of_time,
    store,
    wave,
)


async def test_the_overview_counts_every_wave(clients):
    await store(clients, paused("db"), run("web", notice()), left("batch"))

    assert await get_json(clients, suffix="json") == [
        {
            "tracking_id": TRACKING,
            "stage": "Planned",
            "drill": False,
            "subscriptions": [SUBSCRIPTION],
            "counts": {"scheduled": 1, "paused": 1, "left_to_azure": 1},
            "planning": 0,
            "needs_person": 1,
            "waits": {},
            "deadline": "2026-11-28T12:00:00Z",
        }
    ]


async def test_without_any_wave_the_overview_is_empty_and_the_page_says_what_to_do(clients):
    assert await get_json(clients, suffix="json") == []
    answer = await get(clients)
    assert answer.content_type == "text/html"
    assert "send a test alert" in str(answer.body)


async def test_a_waves_document_has_exactly_the_promised_fields(clients):
    await store(clients, paused("db"), left("batch"))

    document = await get_json(clients, wave=f"{TRACKING}.json")

    assert document.keys() == {
        "tracking_id",
        "stage",
        "drill",
        "announcements",
        "counts",
        "planning",
        "needs_person",
        "waits",
        "deadline",
        "runs",
        "next",
    }
    assert document["counts"] == {"paused": 1, "left_to_azure": 1}
    assert (document["needs_person"], document["next"]) == (1, None)
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
        "drill",
        "mode",
        "zone",
        "self_service",
        "checksum",
        "deadline",
        "slack_seconds",
        "forecast_end",
        "start_by",
        "serving",
        "capacity",
        "choices",
        "asks",
        "commands",
        "waits",
        "holds_up",
        "raised",
        "again",
        "repairs",
        "waves",
        "checks",
        "maintenance",
        "maintenance_read_at",
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
    document = contract.run_document(misfit("db", start_by=None, waves=(TRACKING, "ZX9K-7QD")), NOW)

    assert [choice["name"] for choice in document["choices"]] == ["soak", "windows", "leave", "resume"]
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
    assert [batch["share_percent"] for batch in document["batches"]] == [20, 10]


def test_what_no_longer_counts_is_not_offered_in_json():
    over = replace(misfit("db", start_by=NOW), state=RunState.COMPLETED)
    going = altered(misfit("db", misfit=""), state=RunState.RUNNING, slack=timedelta(hours=1))

    for document in (contract.run_document(over, NOW), contract.run_document(going, NOW)):
        assert document["choices"] == []
        assert document["asks"] is None
    assert contract.run_document(over, NOW)["start_by"] is None
    assert contract.run_document(over, NOW)["capacity"] == ""
    assert contract.run_document(over, NOW)["commands"] == []


def test_what_a_run_asks_is_in_json_as_on_its_page_with_the_commands_that_answer_it():
    document = contract.run_document(misfit("db"), NOW)

    assert document["asks"]["reason"] == document["reason"]
    assert document["asks"]["notice"] is None
    assert document["asks"]["otherwise"].startswith("If nobody answers")
    assert set(document["asks"]["answers"]) <= set(document["commands"])
    assert "approve" not in document["commands"]


def test_time_that_is_short_offers_choices_in_json_until_a_person_lets_the_run_go_on():
    late = short_of_time("db")

    assert [choice["name"] for choice in contract.run_document(late, NOW)["choices"]] == ["soak"]
    waived = replace(late, people=replace(late.people, deadline_waived=True))
    assert contract.run_document(waived, NOW)["choices"] == []


def test_a_checks_evidence_and_instances_and_suspended_repairs_are_in_the_document():
    seen = Check("short-lived", Outcome.UNKNOWN, "It cannot be read.", ("4", "5"), ("activity log",))
    held = Repairs(NOW, seen_suspended=True, error="No.")
    document = contract.run_document(
        run("db", checks=(seen,), repairs=held, again="Instance 4 is scheduled for the second time."), NOW
    )

    assert document["checks"][0]["evidence"] == ["activity log"]
    assert document["checks"][0]["instances"] == ["4", "5"]
    assert document["repairs"] == (
        "Suspended by this run since Tue 24 Nov 2026 12:00 UTC. They go back on as soon as no reboot is in "
        "progress. Azure said: No."
    )
    assert document["again"] == "Instance 4 is scheduled for the second time."


@pytest.mark.parametrize(("said", "shown"), [("Yes", "Yes"), ("No", "No"), ("-", "-"), ("maybe", "-")])
def test_the_self_service_column_is_the_portals(said, shown):
    assert contract.self_service(run("web", facts={"self_service": said})) == shown


async def test_a_runs_address_gives_the_same_as_the_waves_document(clients):
    one = paused("db.prod.json")
    await store(clients, one)

    document = await get_json(clients, wave=f"{TRACKING}.json")
    alone = await get_json(clients, **{**placed(one), "name": "DB.PROD.json.json", "group": "SHOP"})

    assert alone == document["runs"][0]


async def test_the_page_opens_with_the_state_and_what_needs_a_person(clients):
    await store(clients, paused("db"), run("web", notice()), left("batch"))

    html = str((await get(clients, wave=TRACKING)).body)
    order = [
        html.index(f"<h1>{TRACKING}"),
        html.index("db needs your action; 0 of 3 scale sets are done"),
        html.index('id="person"'),
        html.index("/shop/db/resume"),
        html.index('id="counts"'),
        html.index('id="sets"'),
        html.index("complete-by is declared"),
        html.index("We will <b>reboot</b>"),
        html.index('id="told"'),
        html.index("Generated by Breakwater"),
    ]
    assert order == sorted(order)


async def test_links_inside_the_page_lead_somewhere(clients):
    await store(clients, paused("db"), run("web", notice()), left("batch"))
    html = str((await get(clients, wave=TRACKING)).body)
    seen = Seen(html)

    ids = [value for name, value in seen.attributes if name == "id"]
    anchors = {value[1:] for name, value in seen.attributes if name == "href" and value.startswith("#")}
    assert len(ids) == len(set(ids))
    assert anchors <= set(ids)
    assert len(anchors) == 4, "the content behind the skip link, and each scale set"


async def test_every_answer_carries_headers_that_forbid_scripts_and_copies(clients):
    await store(clients, paused("db"))

    for given in ({}, {"suffix": "json"}, {"wave": TRACKING}, {"wave": f"{TRACKING}.csv"}, {"wave": "none"}):
        headers = (await get(clients, **given)).headers
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"


async def test_nothing_from_outside_becomes_part_of_the_page(clients):
    strange = paused("db", reason=HOSTILE, checks=(Check(HOSTILE, Outcome.PASS, HOSTILE, (HOSTILE,)),))
    strange = replace(strange, target=replace(strange.target, location=HOSTILE))
    said = wave(
        strange,
        title=HOSTILE,
        text=f"<p>{HOSTILE}</p><iframe src=//evil.example></iframe>",
        regions=(HOSTILE,),
    )
    await store(clients, strange, announced=said)

    for given in ({}, {"wave": TRACKING}, placed(strange)):
        seen = Seen(str((await get(clients, **given)).body))
        assert not {"script", "img", "iframe", "form", "link", "base"} & set(seen.tags)
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
async def test_what_is_not_on_record_is_a_404_with_a_sentence(clients, given):
    await store(clients, paused("db"))
    last = "name" if "name" in given else "wave"

    shown = await get(clients, **given)
    read = await get(clients, **{**given, last: given[last] + ".json"})

    assert (shown.status, read.status) == (404, 404)
    assert "<h1>Not found</h1>" in str(shown.body)
    assert "<script>" not in str(shown.body)
    assert json.loads(read.body)["error"].endswith(".")


async def test_only_documents_that_changed_are_read_again(clients):
    await store(clients, *(run(f"set-{number}", notice()) for number in range(5)))
    await get(clients, wave=TRACKING)
    read: list[str] = []
    real = clients.records.read

    async def counted(path: str) -> Any:
        read.append(path)
        return await real(path)

    clients.records.read = counted  # type: ignore[method-assign]
    await get(clients, wave=TRACKING)
    assert [path for path in read if path.startswith("runs/")] == []
    await store(clients, run("set-3", notice(), reason="Changed."), announced=wave())
    read.clear()
    answer = await get(clients, wave=TRACKING)

    assert [path.rpartition("/")[2] for path in read if path.startswith("runs/")] == ["set-3.json"]
    assert "Changed." in str(answer.body)


async def test_a_run_that_a_later_wave_replaced_is_still_shown_in_its_own(clients):
    old = run("web", notice(), state=RunState.COMPLETED, ended_at=NOW, reason="All is done.")
    await store(clients, old)
    path = archive_path(SUBSCRIPTION, "shop", "web", NOW)
    await clients.records.create(path, encode(old), run_metadata(old))
    await store(clients, run("web", notice(), waves=("ZZZZ-222",)), announced=wave(old))

    document = await get_json(clients, wave=f"{TRACKING}.json")
    (row,) = await get_json(clients, suffix="json")

    assert [run["state"] for run in document["runs"]] == ["completed"]
    assert row["counts"] == {"completed": 1}
    assert (await get_json(clients, **{**placed(old), "name": "web.json"}))["reason"] == "All is done."


async def test_a_channel_in_trouble_is_shown_without_its_address(clients):
    await store(clients, paused("db"))
    await notify.handle(NoticeMessage(tracking_id=TRACKING, kind="wave"), clients)

    html = str((await get(clients, wave=TRACKING)).body)

    assert "The webhook could not be reached" in html
    assert "secret" not in html


def _report(counts: dict[str, int], planning: int = 0, runs: tuple[Run, ...] = ()) -> page.Report:
    return page.Report(TRACKING, (wave(*runs),), runs, Overview(counts, planning=planning), ())


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (_report({}), "No scale set of yours is in this wave: nothing to do."),
        (_report({}, planning=2), "2 scale sets found; their plans are being made."),
        (_report({"not_impacted": 2}), "None of your 2 scale sets is affected: nothing to do."),
        (_report({"completed": 1, "left_to_azure": 1}), "1 of 2 scale sets is done; 1 left to Azure."),
    ],
)
def test_the_state_of_a_wave_is_one_sentence(given, said):
    assert heading.wave_sentence(given.overview, (), NOW) == said


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

    for word in ("rebooted", "by Azure", "skipped", "cancelled", "missed", "set aside", "failed"):
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
