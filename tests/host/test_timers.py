"""When a timer fires."""

from datetime import UTC, datetime

import pytest

from simulator.host.ncrontab import Schedule, ScheduleError


@pytest.mark.parametrize(
    ("schedule", "now", "expected"),
    [
        ("0 */5 * * * *", "2026-11-22T23:41:10", "2026-11-22T23:45:00"),
        ("0 */5 * * * *", "2026-11-22T23:45:00", "2026-11-22T23:50:00"),
        ("*/5 * * * *", "2026-11-22T23:55:00", "2026-11-23T00:00:00"),
        ("*/2 * * * * *", "2026-11-22T23:41:10.9", "2026-11-22T23:41:12"),
        ("30 15 2 * * *", "2026-12-31T02:15:30", "2027-01-01T02:15:30"),
        ("0 0 8-10,14 * * Mon-Fri", "2026-11-20T14:00:00", "2026-11-23T08:00:00"),
        ("0 0 8-10,14 * * Mon-Fri", "2026-11-23T10:30:00", "2026-11-23T14:00:00"),
        ("0 0 0 29 Feb *", "2026-11-22T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-11-22T00:00:00", "2027-08-13T00:00:00"),
        ("10/20 0 0 1 1 0", "2026-11-22T00:00:00", "2034-01-01T00:00:10"),
    ],
)
def test_a_schedule_says_when_it_occurs_next(schedule: str, now: str, expected: str) -> None:
    after = Schedule.parse(schedule).after(datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert after == datetime.fromisoformat(expected).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "schedule",
    ["", "* * * *", "60 * * * * *", "0 0 0 0 * *", "0 0 5-3 * * *", "0 */0 * * * *", "0 0 x * * *"],
)
def test_what_is_no_schedule_is_refused_with_the_schedule_in_the_message(schedule: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        Schedule.parse(schedule)
    assert repr(schedule) in str(refused.value)


def test_a_schedule_that_never_occurs_says_so_instead_of_searching_forever() -> None:
    with pytest.raises(ScheduleError, match="never occurs"):
        Schedule.parse("0 0 0 31 2 *").after(datetime(2026, 11, 22, tzinfo=UTC))
