"""Every page and calendar is what was looked at last; `python -m tests.golden` writes it anew."""

import re

import pytest
from icalendar import Calendar

from tests.golden.files import CALENDARS_FOLDER, PAGES_FOLDER, kept, names
from tests.golden.pages import CALENDARS, PAGES

LOOK = "python -m tests.golden writes it anew: look at it"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_was_looked_at(name):
    assert kept(PAGES_FOLDER, f"{name}.html") == PAGES[name](), LOOK


@pytest.mark.parametrize("name", CALENDARS)
def test_a_calendar_is_what_was_looked_at(name):
    assert kept(CALENDARS_FOLDER, f"{name}.ics") == CALENDARS[name](), LOOK


def test_there_is_no_file_of_a_page_or_calendar_that_is_none():
    assert names(PAGES_FOLDER) == {f"{name}.html" for name in PAGES}
    assert names(CALENDARS_FOLDER) == {f"{name}.ics" for name in CALENDARS}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_whatever_comes_from_outside(name):
    page = kept(PAGES_FOLDER, f"{name}.html")

    assert "<script" not in page
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "https://evil.example" not in re.findall(r'href="([^"]*)"', page)


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" not in name])
def test_a_page_cuts_nothing_in_the_middle_of_a_sentence(name):
    main = kept(PAGES_FOLDER, f"{name}.html").partition("<main")[2]

    assert not re.search(r"\w\N{HORIZONTAL ELLIPSIS}", main)


def test_who_is_asked_to_confirm_reads_the_times_that_the_message_has_told():
    page = kept(PAGES_FOLDER, "confirm.html")

    assert "3 instances of orders-prod will be rebooted" in page
    assert "Starts Sun 29 Nov 2026 01:00 UTC, 02:00 CET" in page
    assert "not before Sun 29 Nov 2026 01:00 UTC, 02:00 CET" in page


def test_what_left_the_wave_is_cancelled_in_a_later_version_and_the_others_stay_as_they_were():
    made = Calendar.from_ical(kept(CALENDARS_FOLDER, "own-after-changes.ics"))
    events = {str(event["summary"]): event for event in made.walk("VEVENT")}
    standing = {name: str(event["status"]) for name, event in events.items()}

    assert [name for name, status in standing.items() if status == "CANCELLED"] == [
        "Cancelled: web-5: 3 instances reboot, at most 1 at a time"
    ]
    (left,) = [event for name, event in events.items() if name.startswith("Azure reboots")]
    assert left["sequence"] < min(event["sequence"] for event in events.values() if event is not left)
    assert max(event["sequence"] for event in events.values()) == next(
        event["sequence"] for name, event in events.items() if "web-5" in name
    )
