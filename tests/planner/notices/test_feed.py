"""What a calendar feed has said is never lost, and every change of it is a newer version."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from planner.notices.feed import Appointment, Feed, Standing, revised
from tests.notices import HOUR, NOW, TRACKING

DAY = timedelta(days=1)


def appointment(series="web", at=NOW, standing=Standing.CONFIRMED, **more):
    given = {"summary": "web reboots", "description": "Why.", "account": "sub"}
    return Appointment(series, at, at + HOUR, standing, **(given | more))


def said(feed):
    return {one.uid: one for one in feed.events}


def standings(feed):
    return [(one.number, one.appointment.standing) for one in feed.events]


def test_what_moves_to_another_night_keeps_its_uid_and_is_a_newer_version():
    before = revised(Feed(TRACKING), [appointment()], NOW)
    after = revised(before, [appointment(at=NOW + DAY)], NOW + HOUR)

    assert said(before).keys() == said(after).keys()
    (old,), (new,) = before.events, after.events
    assert new.sequence > old.sequence
    assert (old.changed_at, new.changed_at) == (NOW, NOW + HOUR)


def test_what_has_not_changed_is_not_said_anew():
    before = revised(Feed(TRACKING), [appointment()], NOW)

    assert revised(before, [appointment()], NOW + DAY) == before


def test_two_changes_in_one_minute_are_two_versions():
    first = revised(Feed(TRACKING), [appointment()], NOW)
    second = revised(first, [appointment(summary="a")], NOW)
    third = revised(second, [appointment(summary="b")], NOW)

    assert first.events[0].sequence < second.events[0].sequence < third.events[0].sequence


def test_a_clock_that_goes_back_takes_no_sequence_along():
    before = revised(Feed(TRACKING), [appointment()], NOW)
    after = revised(before, [appointment(summary="a")], NOW - DAY)

    assert after.events[0].sequence == before.events[0].sequence + 1


def test_what_another_feed_says_later_is_the_newer_version_there_as_well():
    mail = revised(Feed(TRACKING, "ops"), [appointment()], NOW)
    mail = revised(mail, [appointment(summary="a")], NOW + HOUR)
    wave = revised(Feed(TRACKING), [appointment(summary="b")], NOW + 2 * HOUR)

    assert mail.events[0].uid == wave.events[0].uid
    assert wave.events[0].sequence > mail.events[0].sequence


def test_what_is_not_said_any_more_is_cancelled_and_stays_so():
    two = [appointment(), appointment(at=NOW + DAY)]
    before = revised(Feed(TRACKING), two, NOW)
    after = revised(before, two[:1], NOW + HOUR)

    assert standings(after) == [(1, Standing.CONFIRMED), (2, Standing.CANCELLED)]
    assert after.events[1].sequence > before.events[1].sequence
    assert revised(after, two[:1], NOW + DAY) == after
    again = revised(after, two, NOW + DAY)
    assert standings(again)[1] == (2, Standing.CONFIRMED)
    assert again.events[1].sequence > after.events[1].sequence


def test_a_scale_set_that_left_is_cancelled():
    before = revised(Feed(TRACKING), [appointment("db"), appointment("web")], NOW)

    after = revised(before, [appointment("web")], NOW + HOUR)

    assert [one.appointment.standing for one in after.events] == [Standing.CANCELLED, Standing.CONFIRMED]


def test_what_could_not_be_read_is_not_cancelled():
    before = revised(Feed(TRACKING), [appointment("db"), appointment("web")], NOW)

    assert revised(before, [appointment("web")], NOW + HOUR, every=False) == before


def test_what_is_over_stays_as_it_was_when_a_new_run_knows_nothing_of_it():
    done = appointment(standing=Standing.COMPLETED)
    before = revised(Feed(TRACKING), [done, appointment(at=NOW + DAY)], NOW)
    after = revised(before, [appointment(at=NOW + 3 * DAY)], NOW + HOUR)

    assert after.events[0] == before.events[0]
    assert [(one.number, one.appointment.start) for one in after.events] == [(1, NOW), (2, NOW + 3 * DAY)]


def test_what_was_over_and_has_failed_since_is_the_same_appointment():
    before = revised(Feed(TRACKING), [appointment(standing=Standing.COMPLETED)], NOW)
    after = revised(before, [appointment(standing=Standing.IN_PROCESS)], NOW + HOUR)

    assert standings(after) == [(1, Standing.IN_PROCESS)]


appointments = st.builds(
    appointment,
    series=st.sampled_from(("web", "db")),
    at=st.integers(0, 6).map(lambda days: NOW + days * DAY),
    standing=st.sampled_from(Standing),
    summary=st.sampled_from(("a", "b")),
)
steps = st.lists(st.lists(appointments, max_size=5), min_size=1, max_size=8)


@settings(deadline=None)
@given(steps, st.lists(st.integers(-90, 90), min_size=8, max_size=8))
def test_nothing_is_lost_and_a_sequence_rises_with_each_change_and_never_falls(due, minutes):
    feed, now = Feed(TRACKING), NOW
    for wanted, passed in zip(due, minutes, strict=False):
        now += timedelta(minutes=passed)
        before, feed = feed, revised(feed, wanted, now)
        known, found = said(before), said(feed)
        assert known.keys() <= found.keys()
        assert len(found) == len(feed.events)
        for uid, old in known.items():
            if found[uid].appointment == old.appointment:
                assert found[uid] == old
            else:
                assert found[uid].sequence > old.sequence
        shown = [one.appointment for one in feed.events]
        assert all(one in shown for one in wanted)
        gone = [one for one in feed.events if one.appointment not in wanted]
        assert all(one.appointment.over or one.appointment.standing is Standing.CANCELLED for one in gone)
        assert revised(feed, wanted, now + DAY) == feed


@settings(deadline=None)
@given(steps)
def test_as_many_uids_as_appointments_at_most_at_once_where_nothing_was_over(due):
    """A UID stays in use: moved appointments do not leave a trail of cancelled ones."""
    planned = [[replace(one, standing=Standing.CONFIRMED) for one in wanted] for wanted in due]
    feed = Feed(TRACKING)
    for wanted in planned:
        feed = revised(feed, wanted, NOW)
    for series in ("web", "db"):
        most = max(sum(one.series == series for one in wanted) for wanted in planned)
        assert sum(one.appointment.series == series for one in feed.events) == most
