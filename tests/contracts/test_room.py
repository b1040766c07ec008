"""The table of how many scale sets fit is the planner's, and says what a calculation by hand says."""

from datetime import timedelta

import pytest

from scripts import docs, room
from tests.places import DOCS

M = timedelta(minutes=1)


def test_the_table_in_the_policy_page_is_the_one_the_planner_works_out():
    page = (DOCS / "policy.md").read_text("utf-8")
    assert docs.with_room(page) == page, "run `make docs`"
    assert room.table() in page


@pytest.mark.parametrize(
    ("batches", "soak", "windows", "sets"),
    [
        # 34 days less an hour are 815 h; 20 batches take 20 x 10 min and 19 x 30 min, 12 h 50 min.
        (20, 30 * M, "any time", 63),
        # Nine batches fit into six hours, ninety into the ten nights of five weekends.
        (20, 30 * M, "Sat,Sun 00:00-06:00 UTC", 4),
    ],
)
def test_as_many_fit_as_one_reckons(batches: int, soak: timedelta, windows: str, sets: int):
    assert room.fitting(batches, soak, windows) == sets
