"""The wave as a spreadsheet: a row an instance with its own reason, and nothing that a spreadsheet computes."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.render.table import COLUMNS, table
from planner.azure.fleet import Interval, Orchestration
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.states import BatchState, InstanceState, RunState
from tests.handlers.reader import get, left
from tests.notices import HOUR, NOW, TRACKING, batch, followed, paused, run, store
from tests.places import DOCS

FROM_THE_BEGINNING = (
    "tracking_id", "subscription", "resource_group", "scale_set", "location", "run_state", "verdict",
    "self_service", "deadline", "domain", "batch_state", "not_before", "started_at", "finished_at",
    "instance", "instance_state", "reason",
)  # fmt: skip


def rows(*runs):
    return list(csv.DictReader(io.StringIO(table(TRACKING, runs))))


async def test_the_spreadsheet_has_a_row_an_instance_and_computes_nothing(clients):
    strange = paused("db", reason="=HYPERLINK(1)")
    await store(clients, replace(strange, target=replace(strange.target, location="@SUM(1)")), left("batch"))

    answer = await get(clients, wave=f"{TRACKING}.csv")
    found = list(csv.DictReader(io.StringIO(str(answer.body))))

    assert tuple(found[0]) == COLUMNS
    assert [(row["scale_set"], row["instance"]) for row in found] == [
        ("batch", ""),
        ("db", "1"),
        ("db", "2"),
        ("db", "3"),
    ]
    assert (found[1]["run_reason"], found[1]["location"]) == ("'=HYPERLINK(1)", "'@SUM(1)")
    assert found[0]["self_service"] == "-"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{TRACKING}.csv"'


WIDE = "\uff1d\uff0b\uff0d\uff20"


@settings(deadline=None)
@given(st.text(alphabet=f"=+-@{WIDE}\t\r\n a'\"|,;", max_size=12))
def test_no_text_from_outside_begins_a_formula(text):
    one = replace(batch(1, "1"), domain=text)
    (row,) = rows(run("web", batches=(one,), reason=text, receiver=text))

    for cell in (row["domain"], row["run_reason"], row["owner"]):
        assert cell == "-" or not re.match(rf"\s*[=+\-@{WIDE}]", cell), cell
        assert not re.search(r"[\t\r\n]", cell)


def test_columns_that_were_there_from_the_beginning_stay_where_they_are():
    assert COLUMNS[: len(FROM_THE_BEGINNING)] == FROM_THE_BEGINNING
    assert len(COLUMNS) == len(set(COLUMNS))


def test_every_column_is_documented_in_its_order():
    part = (DOCS / "report.md").read_text("utf-8").partition("## The spreadsheet")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0] for line in part.splitlines() if line.startswith("| `")]

    assert tuple(name for cell in cells for name in re.findall(r"`(\w+)`", cell)) == COLUMNS


def test_a_row_says_whose_it_is_by_which_id_and_within_which_windows():
    one = run("web", state=RunState.SCHEDULED, batches=(batch(1, "7"),))
    (row,) = rows(one)

    assert row["owner"] == "ops"
    assert row["scale_set_id"] == one.target.id
    assert row["instance_id"] == f"{one.target.id}/virtualMachines/7"
    assert (row["self_service_start"], row["self_service_end"]) == (
        "2026-11-24T11:00:00Z",
        "2026-11-28T12:00:00Z",
    )
    assert (row["scheduled_start"], row["scheduled_end"]) == ("2026-11-29T12:00:00Z", "2026-12-03T12:00:00Z")
    assert row["forecast_end"] == "2026-11-25T18:00:00Z"


def test_an_instance_of_a_flexible_scale_set_is_a_virtual_machine():
    one = run("web", batches=(batch(1, "web_1a2b"),))
    one = replace(one, target=replace(one.target, orchestration=Orchestration.FLEXIBLE))
    (row,) = rows(one)

    assert row["instance_id"].endswith(
        "/resourceGroups/shop/providers/Microsoft.Compute/virtualMachines/web_1a2b"
    )


def test_an_instance_with_a_window_of_its_own_shows_that():
    own = Interval(NOW, NOW + 2 * HOUR)
    (row,) = rows(run("web", batches=(Batch(1, "domain 0", (InstanceProgress("1", window=own),)),)))

    assert (row["self_service_start"], row["self_service_end"]) == (
        "2026-11-24T12:00:00Z",
        "2026-11-24T14:00:00Z",
    )


def test_downtime_is_told_as_polls_saw_it_by_instance_and_by_domain():
    def maintained(name, minutes):
        return InstanceProgress(
            name,
            state=InstanceState.MAINTAINED,
            intent_at=NOW,
            up_at=NOW + timedelta(minutes=minutes),
            reason="Maintained.",
        )

    ours = Batch(1, "domain 0", (maintained("1", 6), maintained("2", 9)), BatchState.DONE, started_at=NOW)
    waiting = batch(2, "3", domain="domain 1")
    first, second, third = rows(run("web", state=RunState.RUNNING, batches=(ours, waiting)))

    assert (first["down_from"], first["down_until"]) == ("2026-11-24T12:00:00Z", "2026-11-24T12:06:00Z")
    assert [row["down_seconds"] for row in (first, second, third)] == ["360", "540", ""]
    assert [row["domain_down_seconds"] for row in (first, second, third)] == ["540", "540", ""]


def test_what_azure_did_is_down_from_the_first_poll_that_saw_it_down():
    one = followed("web")
    seen = replace(one.batches[0].instances[0], up_at=NOW - HOUR)
    first, *others = rows(
        replace(one, batches=(replace(one.batches[0], instances=(seen,)), *one.batches[1:]))
    )

    assert (first["down_from"], first["down_seconds"]) == ("2026-11-24T10:00:00Z", "3600")
    assert {row["down_seconds"] for row in others} == {""}, "nobody saw it serve again"


def test_each_row_has_the_reason_of_its_own_instance():
    done = InstanceProgress("1", state=InstanceState.MAINTAINED, reason="Maintained by the operation.")
    skipped = InstanceProgress("2", state=InstanceState.SKIPPED, reason="It is deallocated.")
    put_off = InstanceProgress("3", state=InstanceState.ASIDE, retry_at=NOW + HOUR)
    waits = InstanceProgress("4")
    batches = (
        Batch(1, "domain 0", (done, skipped, put_off), BatchState.REBOOTING, started_at=NOW),
        Batch(2, "domain 1", (waits,), not_before=NOW + 2 * HOUR),
    )
    found = rows(run("web", state=RunState.RUNNING, batches=batches, reason="Running."))

    assert [row["reason"] for row in found] == [
        "Maintained by the operation.",
        "It is deallocated.",
        "Azure has put it off; not tried again before Tue 24 Nov 2026 13:00 UTC.",
        "Waits for its turn, not before Tue 24 Nov 2026 14:00 UTC.",
    ]
    assert {row["run_reason"] for row in found} == {"Running."}


def test_an_instance_under_way_says_how_far_it_is():
    states = (InstanceState.STARTING, InstanceState.REBOOTING, InstanceState.VERIFYING)
    going = Batch(
        1,
        "domain 0",
        tuple(InstanceProgress(str(number), state=state) for number, state in enumerate(states)),
        BatchState.REBOOTING,
        started_at=NOW,
    )

    assert [row["reason"] for row in rows(run("web", state=RunState.RUNNING, batches=(going,)))] == [
        "Its start is on its way.",
        "Azure has taken its start.",
        "It was maintained, and has not been seen healthy twice yet.",
    ]


@pytest.mark.parametrize(
    ("state", "at", "reason"),
    [
        (RunState.PAUSED, NOW, "Nothing of it starts until somebody answers. Held."),
        (RunState.LEFT_TO_AZURE, NOW, "Held."),
        (RunState.SCHEDULED, None, "No time is left for it in the windows."),
    ],
)
def test_an_instance_that_waits_says_what_for(state, at, reason):
    (row,) = rows(run("web", state=state, batches=(replace(batch(1, "1"), not_before=at),), reason="Held."))

    assert row["reason"] == reason
