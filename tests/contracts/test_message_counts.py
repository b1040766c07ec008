"""The command that counts people's messages: an owner of 200 scale sets gets ten a day at most."""

from datetime import timedelta

import pytest

from benchmarks import notices
from benchmarks.notices import MOST, Told, busiest, judged
from benchmarks.rehearsal.scene import START

HOUR = timedelta(hours=1)


def told(*hours: float, urgency: str = "know") -> list[Told]:
    return [Told(START + hour * HOUR, urgency, "subject") for hour in hours]


@pytest.fixture(scope="module")
def wave() -> list[Told]:
    """200 scale sets of one owner that may start at night, over several days."""
    return notices.quiet(200, 5, 1, instances=1, windows=1.0)["ops"]


def test_in_a_quiet_wave_an_owner_of_200_scale_sets_gets_at_most_ten_messages_a_day(wave):
    assert 0 < busiest(wave) <= MOST
    assert (wave[-1].at - wave[0].at) > timedelta(days=1)
    assert {one.urgency for one in wave} == {"know"}


def test_it_begins_with_the_announcement_and_ends_with_the_review(wave):
    assert "200 rebooted by us; reboots until" in wave[0].subject
    assert [one.subject for one in wave if " is over for your " in one.subject] == [wave[-1].subject]


def test_the_busiest_24_hours_are_counted_wherever_they_begin():
    assert busiest([]) == 0
    assert busiest(told(0, 1, 23, 24)) == 3
    assert busiest(told(0, 20, 21, 30, 43)) == 4


def test_a_wave_with_too_many_messages_or_with_none_ends_with_1(capsys):
    few, many = {"ops": told(1, 2)}, {"ops": told(*range(11))}
    assert judged(few, few) == 0
    assert judged(many, few) == 1
    assert judged(few, many) == 1
    assert judged({}, few) == 1
    pages = {"ops": told(1) + told(*range(11), urgency="page")}
    assert judged(few, pages) == 0
    assert capsys.readouterr().out.count("MISSED") == 3


def test_the_demo_is_counted_receiver_by_receiver(capsys):
    found = notices.of_the_demo(1.5, 1)
    assert set(found) == {"ops", "shop", "north"}
    notices.shown("The demo's fleet", found)
    printed = capsys.readouterr().out
    assert all(any(line.startswith(name) for line in printed.splitlines()) for name in found)
    assert any(one.urgency == "page" for one in found["ops"])
