"""Every page and calendar is what was looked at last; `python -m tests.golden` writes it anew."""

import re

import pytest
from icalendar import Calendar

from tests.golden.files import CALENDARS_FOLDER, PAGES_FOLDER
from tests.golden.pages import CALENDARS, PAGES

LOOK = "python -m tests.golden writes it anew: look at it"


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_was_looked_at(name):
    assert (PAGES_FOLDER / f"{name}.html").read_text(encoding="utf-8") == PAGES[name](), LOOK


@pytest.mark.parametrize("name", CALENDARS)
def test_a_calendar_is_what_was_looked_at(name):
    assert (CALENDARS_FOLDER / f"{name}.ics").read_text(encoding="utf-8") == CALENDARS[name](), LOOK


def test_there_is_no_file_of_a_page_or_calendar_that_is_none():
    assert {path.name for path in PAGES_FOLDER.iterdir()} == {f"{name}.html" for name in PAGES}
    assert {path.name for path in CALENDARS_FOLDER.iterdir()} == {f"{name}.ics" for name in CALENDARS}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_script_whatever_comes_from_outside(name):
    page = (PAGES_FOLDER / f"{name}.html").read_text(encoding="utf-8")

    assert "<script" not in page
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "https://evil.example" not in re.findall(r'href="([^"]*)"', page)


@pytest.mark.parametrize("name", [name for name in PAGES if "hostile" not in name])
def test_a_page_cuts_nothing_in_the_middle_of_a_sentence(name):
    main = (PAGES_FOLDER / f"{name}.html").read_text(encoding="utf-8").partition("<main")[2]

    assert not re.search(r"\w\N{HORIZONTAL ELLIPSIS}", main)


def test_what_left_the_wave_is_cancelled_in_a_later_version_and_the_others_stay_as_they_were():
    made = Calendar.from_ical((CALENDARS_FOLDER / "scale-sets-that-left.ics").read_bytes())
    events = {str(event["summary"]): event for event in made.walk("VEVENT")}
    standing = {name: str(event["status"]) for name, event in events.items()}

    cancelled = [name for name, status in standing.items() if status == "CANCELLED"]
    assert len(cancelled) == 3
    assert all("web-" in name for name in cancelled)
    others = [event for name, event in events.items() if name not in cancelled]
    assert max(event["sequence"] for event in others) < min(events[name]["sequence"] for name in cancelled)
