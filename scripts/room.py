"""How many scale sets fit into a self-service window: the table in docs/policy.md."""

from datetime import UTC, datetime, timedelta

from planner.places.line import Course
from planner.policy.model import Rules
from planner.policy.weekly import parse_windows
from planner.schedule.deadline import MARGIN

START = datetime(2026, 11, 30, 12, tzinfo=UTC)
LASTS = timedelta(days=35)
EXPECTED = timedelta(minutes=10)

WINDOWS = ("any time", "daily 22:00-04:00 UTC", "Sat,Sun 00:00-06:00 UTC")
BATCHES = (5, 20)
SCALE_SETS = (1, 5, 20)
SOAKS = (Rules().soak, timedelta(minutes=5))


def table() -> str:
    """Markdown: a row for each policy, a column for each limit."""
    heads = [f"`scale-sets: {number}`" for number in SCALE_SETS]
    rows = [
        f"| {batches} | {soak // timedelta(minutes=1)} min | `{windows}` | "
        + " | ".join(f"{number * fitting(batches, soak, windows):,}" for number in SCALE_SETS)
        + " |"
        for batches in BATCHES
        for soak in SOAKS
        for windows in WINDOWS
    ]
    head = f"| batches | `soak` | `windows` | {' | '.join(heads)} |"
    return "\n".join([head, f"|{'---|' * (3 + len(heads))}", *rows])


def fitting(batches: int, soak: timedelta, windows: str) -> int:
    """How many alike scale sets, one after another, are done before the deadline.

    Of several at once each has a row of its own.
    """
    found = parse_windows(windows)
    course = Course(batches, EXPECTED, soak, (found,) if found else ())
    at, number = START + Rules().lead, 0
    while True:
        start = course.opens(at)
        end = course.ends(start) if start is not None else None
        if end is None or end > START + LASTS - MARGIN:
            return number
        at, number = end, number + 1
