"""A large wave in parts: pages for people, a way through everything for tools, few calls to storage for both."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from handlers.cloud.names import archive_path, run_path, wave_path
from handlers.pages.report import LARGEST
from handlers.render import bounded
from handlers.repository import runs as repository
from handlers.stages import report
from handlers.waves import paging
from handlers.wire.documents import encode, run_metadata
from handlers.wire.http import Request, Response
from handlers.wiring import Wiring
from planner.azure.wave import Stage
from planner.record.run import Entry, Run
from planner.record.states import RunState
from tests.altered import altered
from tests.handlers.reader import Seen, get, get_json
from tests.notices import (
    HOUR,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    misfit,
    notice,
    paused,
    run,
    store,
    wave,
)  # fmt: skip

MANY = paging.ROWS * 2 + 20


def fleet(sets: int, asking: int = 0) -> list[Run]:
    """So many scale sets with a history of some length, the last ones by name need a person."""
    history = tuple(Entry(NOW, "breakwater", "batch started", "A batch. " * 40) for _ in range(12))
    return [
        paused(f"set-{number:03}", history=history)
        if number >= sets - asking
        else run(f"set-{number:03}", notice(), history=history)
        for number in range(sets)
    ]


async def shown(wiring: Wiring, wanted: str, **query: str) -> Response:
    return await report.handle(Request("GET", {"wave": wanted}, query), wiring)


async def follow(wiring: Wiring, part: dict[str, Any]) -> dict[str, Any]:
    """The part that `next` of another one leads to."""
    address = urlsplit(part["next"])
    assert f"{address.scheme}://{address.netloc}" == "https://breakwater.example"
    assert address.path == f"/api/waves/{TRACKING}.json"
    return json.loads((await shown(wiring, f"{TRACKING}.json", **dict(parse_qsl(address.query)))).body)


async def parts(wiring: Wiring, **query: str) -> list[dict[str, Any]]:
    """Every part of the wave's document, by following `next` as a tool does."""
    found = [json.loads((await shown(wiring, f"{TRACKING}.json", **query)).body)]
    while found[-1]["next"] is not None:
        found.append(await follow(wiring, found[-1]))
    return found


def names(*documents: dict[str, Any]) -> list[str]:
    return [one["name"] for document in documents for one in document["runs"]]


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("handlers.pages.report.LARGEST", 100_000)


@pytest.fixture
def counted(clients: Wiring) -> Counter[str]:
    """How often storage was asked for what."""
    calls: Counter[str] = Counter()

    def counting(name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        async def call(path: str, *args: Any) -> Any:
            calls[f"{name} {path.partition('/')[0]}"] += 1
            return await real(path, *args)

        return call

    for name in ("read", "read_if_changed", "list"):
        setattr(clients.records, name, counting(name, getattr(clients.records, name)))
    return calls


async def test_a_document_comes_in_parts_that_together_have_every_run(clients, small_parts):
    await store(clients, *fleet(70))

    found = await parts(clients)

    assert len(found) > 2
    assert all(len(json.dumps(part)) <= LARGEST for part in found)
    assert sorted(names(*found)) == [f"set-{number:03}" for number in range(70)]
    for part in found:
        assert part["counts"] == {"scheduled": 70}
        assert part.keys() == found[0].keys()


async def test_what_needs_a_person_is_in_the_first_part_and_may_come_again(clients, small_parts):
    await store(clients, *fleet(70, asking=5))

    found = await parts(clients)

    asking = [f"set-{number:03}" for number in range(65, 70)]
    assert names(found[0])[:5] == asking
    assert {name for name, times in Counter(names(*found)).items() if times > 1} <= set(asking)
    assert len(set(names(*found))) == 70
    assert {part["needs_person"] for part in found} == {5}


async def test_where_more_need_a_person_than_fit_the_way_still_leads_to_everybody(clients, small_parts):
    # What is paused comes first, so the first part ends at a place far behind of some that it lacks.
    asking = [
        replace(one, state=RunState.AWAITING_APPROVAL) if number < 35 else one
        for number, one in enumerate(fleet(70, asking=70))
    ]
    await store(clients, *asking)

    assert len(set(names(*await parts(clients)))) == 70


async def test_a_run_that_needs_a_person_in_between_is_not_missed(clients, small_parts):
    runs = fleet(70)
    await store(clients, *runs)
    part = json.loads((await shown(clients, f"{TRACKING}.json")).body)
    await store(clients, paused("set-069"), announced=wave(*runs))

    found: dict[str, str] = {}
    while part["next"] is not None:
        part = await follow(clients, part)
        found |= {one["name"]: one["state"] for one in part["runs"]}

    assert found["set-069"] == "paused"


async def test_a_run_larger_than_a_part_comes_alone(clients, monkeypatch):
    monkeypatch.setattr("handlers.pages.report.LARGEST", 10)
    await store(clients, *fleet(3))

    assert [names(part) for part in await parts(clients)] == [["set-000"], ["set-001"], ["set-002"]]


async def spreadsheets(wiring: Wiring, **query: str) -> list[Response]:
    """Every part of the wave's spreadsheet, by following `Link` as a tool does."""
    found = [await shown(wiring, f"{TRACKING}.csv", **query)]
    while link := found[-1].headers.get("Link"):
        address, _, relation = link.partition("; ")
        assert relation == 'rel="next"'
        found.append(
            await shown(wiring, f"{TRACKING}.csv", **dict(parse_qsl(urlsplit(address.strip("<>")).query)))
        )
    return found


async def test_a_spreadsheet_comes_in_parts_that_together_have_every_row_once(clients, monkeypatch):
    monkeypatch.setattr("handlers.pages.report.LARGEST_TABLE", 40_000)
    await store(clients, *fleet(70, asking=10))

    found = await spreadsheets(clients)

    assert len(found) > 2
    assert all(len(str(part.body).encode()) <= 41_000 for part in found)
    rows = [line for part in found for line in csv.DictReader(io.StringIO(str(part.body)))]
    keys = [(row["scale_set"], row["instance"]) for row in rows]
    assert len(set(keys)) == len(keys)
    assert {name for name, _ in keys} == {f"set-{number:03}" for number in range(70)}
    files = [part.headers["Content-Disposition"].split('"')[1] for part in found]
    assert files[0] == f"{TRACKING}-first.csv"
    assert files[-1] == f"{TRACKING}-last.csv"
    assert set(files[1:-1]) == {f"{TRACKING}-next.csv"}
    paused_ones = await spreadsheets(clients, state="paused")
    states = {row["run_state"] for part in paused_ones for row in csv.DictReader(io.StringIO(str(part.body)))}
    assert states == {"paused"}


async def test_a_run_larger_than_a_part_has_one_of_its_own(clients, monkeypatch):
    monkeypatch.setattr("handlers.pages.report.LARGEST_TABLE", 10)
    await store(clients, *fleet(3))
    assert len(await spreadsheets(clients)) == 3


async def test_one_state_alone_can_be_asked_for_in_every_form(clients, small_parts):
    await store(clients, *fleet(70, asking=40))

    found = await parts(clients, state="paused")
    assert len(found) > 1
    assert sorted(names(*found)) == [f"set-{number:03}" for number in range(30, 70)]
    assert found[0]["counts"] == {"scheduled": 30, "paused": 40}
    rows = str((await shown(clients, f"{TRACKING}.csv", state="paused")).body).splitlines()
    assert {row.split(",")[5] for row in rows[1:]} == {"paused"}
    html = str((await shown(clients, TRACKING, state="scheduled")).body)
    assert "set-000" in html
    assert "set-069</a>" not in html.partition('id="sets"')[2]


async def test_the_pages_of_a_large_wave_lead_to_every_scale_set(clients):
    await store(clients, *fleet(MANY, asking=3))
    told: set[str] = set()
    number: str | None = "1"
    while number:
        html = str((await shown(clients, TRACKING, page=number)).body)
        seen = Seen(html)
        links = [value for name, value in seen.attributes if name == "href"]
        told |= {link.rpartition("/")[2] for link in links if "/shop/" in link}
        further = [dict(parse_qsl(urlsplit(link).query)).get("page", "1") for link in links if "?" in link]
        number = str(int(number) + 1) if str(int(number) + 1) in further else None

    assert told >= {f"set-{number:03}" for number in range(MANY)}


async def test_the_first_page_asks_for_everybody_and_the_others_are_tables(clients):
    runs = [*fleet(MANY - 70), *(misfit(f"zz-{number:03}") for number in range(70))]
    await store(clients, *runs)

    first = str((await shown(clients, TRACKING)).body)
    second = str((await shown(clients, TRACKING, page="2")).body)

    for number in range(70):
        assert f">zz-{number:03}</a>" in first.partition('id="person"')[2].partition('id="sets"')[0]
    assert f"1 to {paging.ROWS} of {MANY} scale sets" in first
    assert f"{paging.ROWS + 1} to {2 * paging.ROWS} of {MANY} scale sets" in second
    for part in ('class="asks short"', 'id="azure"', 'id="told"'):
        assert part in first
        assert part not in second
    assert len(first) < 500_000


async def test_who_is_late_stands_before_who_is_in_time(clients):
    in_time, late = fleet(MANY), altered(run("zz-late", notice()), slack=-HOUR)
    await store(clients, *in_time, late)

    html = str((await shown(clients, TRACKING)).body)

    assert html.partition("<tbody>")[2].index("zz-late") < html.partition("<tbody>")[2].index("set-000")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"state": "asleep"}, "A run has no state &#39;asleep&#39;; the states are scheduled,"),
        ({"page": "two"}, "&#39;two&#39; is not the number of a page."),
        ({"page": "0"}, "&#39;0&#39; is not the number of a page."),
        ({"page": "9" * 5000}, "is not the number of a page."),
        ({"page": "7"}, "has no such page"),
        ({"state": "missed"}, "has no such page"),
    ],
)
async def test_a_part_that_is_not_there_is_a_404_with_a_sentence(clients, query, said):
    await store(clients, paused("db"))

    answer = await shown(clients, TRACKING, **query)

    assert answer.status == 404
    assert said in str(answer.body)


async def test_the_overview_costs_two_listings_however_many_waves_and_runs_there_are(clients, counted):
    for number in range(8):
        one = run(f"set-{number}", notice(), waves=(f"WAVE-{number}",))
        announced = replace(wave(one), tracking_id=f"WAVE-{number}")
        await store(clients, one, announced=announced)
    counted.clear()

    rows = await get_json(clients, suffix="json")

    assert len(rows) == 8
    assert counted == {"list waves": 1, "list runs": 1}


async def test_the_overview_needs_one_more_listing_where_a_wave_misses_runs(clients, counted):
    for number in range(5):
        one = run(f"set-{number}", notice(), waves=(f"WAVE-{number}",))
        await store(clients, one, announced=replace(wave(one, run("other")), tracking_id=f"WAVE-{number}"))
    counted.clear()

    rows = await get_json(clients, suffix="json")

    assert [row["planning"] for row in rows] == [1] * 5
    assert counted == {"list waves": 1, "list runs": 1, "list archive": 1}
    assert "1 scheduled, 1 being planned" in str((await get(clients)).body)


async def test_the_page_of_a_large_wave_reads_no_more_runs_than_it_shows(clients, counted):
    await store(clients, *fleet(MANY))
    counted.clear()

    await get(clients, wave=TRACKING)

    assert counted["read runs"] == paging.ROWS
    assert counted["list runs"] == 1
    assert counted["list waves"] == counted["list deliveries"] == 1


async def test_a_part_of_the_document_reads_little_more_than_it_has(clients, counted, small_parts):
    await store(clients, *fleet(70))
    counted.clear()

    part = json.loads((await shown(clients, f"{TRACKING}.json")).body)

    assert len(part["runs"]) <= counted["read runs"] < len(part["runs"]) + repository.AT_ONCE
    assert counted["list runs"] == 1


async def test_waves_that_an_older_version_wrote_are_in_the_overview_too(clients):
    old, new = run("old", notice(), waves=("OLD-1",)), run("new", notice(), waves=("NEW-1",))
    await store(clients, new, announced=replace(wave(new, stage=Stage.IN_PROGRESS), tracking_id="NEW-1"))
    await store(clients, old)
    path = wave_path("OLD-1", SUBSCRIPTION)
    metadata = {"v": "1", "generation": "1", "stage": "Planned", "open": "true"}
    body = encode(replace(wave(old), tracking_id="OLD-1"))
    await clients.records.create(path, body, metadata)
    await clients.records.create(wave_path("ODD-1", SUBSCRIPTION), b"{}", metadata)
    await clients.records.delete(wave_path(TRACKING, SUBSCRIPTION))

    rows = await get_json(clients, suffix="json")

    assert {row["tracking_id"]: (row["stage"], row["counts"]) for row in rows} == {
        "OLD-1": ("Planned", {"scheduled": 1}),
        "NEW-1": ("InProgress", {"scheduled": 1}),
    }


async def test_the_stage_is_that_of_the_subscription_that_heard_last(clients):
    other = "22345678-1234-1234-1234-1234567890ab"
    await store(clients, run("web", notice()))
    later = wave(stage=Stage.IN_PROGRESS, event_time=NOW)
    await store(clients, announced=replace(later, subscription=other))

    (row,) = await get_json(clients, suffix="json")

    assert (row["stage"], row["subscriptions"]) == ("InProgress", [SUBSCRIPTION, other])


async def test_the_page_shows_what_a_later_wave_has_archived(clients):
    old = run("web", notice(), state=RunState.COMPLETED, ended_at=NOW, reason="All is done.")
    await store(clients, old)
    await clients.records.create(
        archive_path(SUBSCRIPTION, "shop", "web", NOW), encode(old), run_metadata(old)
    )
    await store(clients, run("web", notice(), waves=("ZZZZ-222",)), announced=wave(old))

    answer = await get(clients, wave=TRACKING)

    assert answer.status == 200
    assert "All is done." in str(answer.body)


def test_the_pages_one_links_to_are_the_first_the_last_and_those_near_by():
    assert bounded.numbers(1, 1) == (1,)
    assert bounded.numbers(1, 20) == (1, 2, 3, 0, 20)
    assert bounded.numbers(10, 20) == (1, 0, 8, 9, 10, 11, 12, 0, 20)
    assert bounded.numbers(19, 20) == (1, 0, 17, 18, 19, 20)


def test_a_place_sorts_behind_the_beginning():
    assert paging.place(run_path(SUBSCRIPTION.replace("1", "0"), "a", "b")) > paging.BEGINNING
