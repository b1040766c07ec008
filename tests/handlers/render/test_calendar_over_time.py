"""A calendar over the life of a wave, read as programs read it: versions only rise, and nothing just goes."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from handlers.render.appointments import appointments
from handlers.render.calendar import calendar
from planner.azure.fleet import Interval
from planner.azure.wave import Stage
from planner.notices.feed import Feed, revised
from planner.record.instance import InstanceProgress
from planner.record.states import BatchState, InstanceState, RunState
from tests.notices import HOUR, NOW, SUBSCRIPTION, TRACKING, batch, run

DAY = timedelta(days=1)
PLANNED = {SUBSCRIPTION: Stage.PLANNED}
VERSION = {"SEQUENCE", "DTSTAMP", "LAST-MODIFIED"}
"""What may differ of an event that says the same."""

hours = st.integers(0, 72).map(lambda number: NOW + number * HOUR)


@st.composite
def batches(draw, number):
    """A batch that is planned, has no time, is under way, failed, done, or was left out."""
    at, state = draw(hours), draw(st.sampled_from(BatchState))
    progress = draw(st.sampled_from(InstanceState))
    one = replace(batch(number, str(number), state=progress), state=state)
    if state is BatchState.PENDING:
        return replace(one, not_before=draw(st.none() | hours))
    ended = at + draw(st.integers(1, 90)) * HOUR / 60
    over = state in {BatchState.SOAKING, BatchState.DONE}
    return replace(
        one, started_at=at, verified_at=ended if over else None, finished_at=ended if over else None
    )


@st.composite
def runs(draw, name):
    """One scale set's run as a wave may find it at any time."""
    count = draw(st.integers(0, 4))
    window = draw(hours)
    return run(
        name,
        state=draw(st.sampled_from(RunState)),
        batches=tuple(draw(batches(number)) for number in range(count)),
        scheduled=draw(st.sampled_from((None, Interval(window, window + 9 * DAY)))),
        reason=draw(st.sampled_from(("It waits.", "Somebody has to answer."))),
        serving=draw(st.integers(0, 3)),
    )


wave = st.tuples(*(st.none() | runs(name) for name in ("api", "db", "web")))
lives = st.lists(st.tuples(wave, st.sampled_from(Stage)), min_size=1, max_size=6)


def read(body):
    parsed = Calendar.from_ical(body)
    assert parsed.subcomponents
    assert all(not part.errors for part in parsed.walk())
    found = {str(event["uid"]): event for event in parsed.walk("VEVENT")}
    assert len(found) == len(parsed.walk("VEVENT"))
    return found


def content(event):
    return {name: str(event[name]) for name in event if name not in VERSION} | {
        name: event[name].dt for name in ("dtstart", "dtend")
    }


@given(lives, st.lists(st.integers(0, 600), min_size=6, max_size=6))
@settings(max_examples=60, deadline=None)
def test_whatever_becomes_of_a_wave_a_program_that_subscribes_takes_every_change(life, minutes):
    feed, now, before = Feed(TRACKING), NOW, {}
    for (found, stage), passed in zip(life, minutes, strict=False):
        now += timedelta(minutes=passed)
        due = appointments(TRACKING, "", [one for one in found if one is not None], {SUBSCRIPTION: stage})
        feed = revised(feed, due, now)
        after = read(calendar("Wave", [feed], lambda wave: f"https://app.example/{wave}"))
        assert before.keys() <= after.keys()
        for uid, event in before.items():
            changed = content(event) != content(after[uid])
            assert (int(after[uid]["sequence"]) > int(event["sequence"])) is changed, uid
            if not changed:
                assert event == after[uid]
        assert all(event["dtstart"].dt < event["dtend"].dt for event in after.values())
        # What stands in it and is not off is what is due now, or what was over before.
        live = {uid for uid, event in after.items() if str(event["status"]) != "CANCELLED"}
        over = {uid for uid in live if str(after[uid]["x-maintnote-status"]) == "COMPLETED"}
        assert len(live - over) <= len(due)
        before = after


@given(st.lists(hours, min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_a_plan_that_moves_and_moves_has_one_uid_for_each_of_its_nights(nights):
    feed, seen = Feed(TRACKING), set()
    for at in nights:
        one = replace(batch(1, "1", "2"), not_before=at)
        feed = revised(feed, appointments(TRACKING, "", [run("web", batches=(one,))], PLANNED), NOW)
        seen |= {each.uid for each in feed.events}
    assert len(seen) == 1


def test_a_receivers_calendar_names_only_its_own_scale_sets_and_never_takes_the_waves_for_its_own():
    window = Interval(NOW + DAY, NOW + 9 * DAY)
    left = [
        run(name, state=RunState.LEFT_TO_AZURE, scheduled=window, batches=(), receiver=who)
        for name, who in (("api", "ops"), ("db", "data"))
    ]
    (whole,) = appointments(TRACKING, "", left, PLANNED)
    (own,) = appointments(TRACKING, "ops", left[:1], PLANNED)

    assert [each.id.rpartition("/")[2] for each in whole.concerned] == ["api", "db"]
    assert [each.id.rpartition("/")[2] for each in own.concerned] == ["api"]
    assert own.series != whole.series


def test_a_scale_set_that_goes_down_as_a_whole_is_an_outage_and_one_that_does_not_is_less():
    def impact(serving):
        both = replace(batch(1, "1", "2"), not_before=NOW)
        (one,) = appointments(TRACKING, "", [run("web", batches=(both,), serving=serving)], PLANNED)
        return one.concerned[0].impact

    assert [impact(serving) for serving in (0, 2, 3)] == [
        "REDUCED-REDUNDANCY",
        "OUTAGE",
        "REDUCED-REDUNDANCY",
    ]


def test_the_words_of_a_calendar_say_who_reboots_what_and_whether_it_is_certain():
    def title(one):
        return [each.summary for each in appointments(TRACKING, "", [one], PLANNED)]

    window = Interval(NOW + DAY, NOW + 9 * DAY)
    both = (replace(batch(1, "1", "2"), not_before=NOW), replace(batch(2, "3"), not_before=NOW + HOUR / 2))
    ended = tuple(
        replace(each, state=BatchState.DONE, started_at=NOW, verified_at=NOW + HOUR / 4) for each in both
    )
    maintained = tuple(
        replace(
            each,
            instances=tuple(
                InstanceProgress(one.id, state=InstanceState.MAINTAINED) for one in each.instances
            ),
        )
        for each in ended
    )

    assert title(run("web", batches=both)) == ["web: 3 instances reboot, at most 2 at a time"]
    assert title(run("web", batches=both[1:])) == ["web: 1 instance reboots"]
    assert title(run("web", state=RunState.AWAITING_APPROVAL, batches=both[1:])) == [
        "Not approved: web: 1 instance reboots"
    ]
    assert title(run("web", state=RunState.COMPLETED, batches=maintained)) == [
        "web: 3 of 3 instances rebooted"
    ]
    left = run("db", state=RunState.LEFT_TO_AZURE, scheduled=window)
    assert title(left) == ["Azure reboots db at a time it chooses"]
    many = [run(name, state=RunState.LEFT_TO_AZURE, scheduled=window) for name in ("a", "b", "c", "d")]
    assert appointments(TRACKING, "", many[:3], PLANNED)[0].summary == (
        "Azure reboots a, b and c at a time it chooses"
    )
    assert appointments(TRACKING, "", many, PLANNED)[0].summary == (
        "Azure reboots 4 scale sets at a time it chooses"
    )


def test_a_wave_that_azure_cancels_in_one_subscription_stays_in_the_others():
    other = "87654321-1234-1234-1234-1234567890ab"
    here, there = run("web"), run("web")
    there = replace(there, target=replace(there.target, subscription=other, id=f"/subscriptions/{other}/web"))
    stages = {SUBSCRIPTION: Stage.CANCELED, other: Stage.PLANNED}

    found = appointments(TRACKING, "", [here, there], stages)

    assert {each.account: each.standing.value for each in found} == {
        SUBSCRIPTION: "CANCELLED",
        other: "CONFIRMED",
    }
