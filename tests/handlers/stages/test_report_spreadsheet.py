"""The wave as a spreadsheet: a row an instance, and nothing that a spreadsheet would compute."""

import csv
import io
from dataclasses import replace

from handlers.render.table import COLUMNS
from tests.handlers.reader import get, left
from tests.notices import TRACKING, paused, store


async def test_the_spreadsheet_has_a_row_an_instance_and_computes_nothing(clients):
    strange = paused("db", reason="=HYPERLINK(1)")
    await store(clients, replace(strange, target=replace(strange.target, location="@SUM(1)")), left("batch"))

    answer = await get(clients, wave=f"{TRACKING}.csv")
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
