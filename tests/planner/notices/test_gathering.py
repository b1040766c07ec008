"""What is gathered for a receiver: what goes when by its choice, and that nothing is lost or told twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.notices import delivery_steps as steps
from planner.notices.delivery import FINISHED, STALE, Delivery, with_channels
from planner.notices.digest import Overview
from planner.notices.next_message import Choice, choose
from planner.policy.pace import AT_ONCE, FEW, Pace, Rhythm
from planner.record.notice import Kind, Notice, Urgency
from tests.notices import HOUR, NOW, notice

WAIT, MINUTE, DAY = timedelta(seconds=60), timedelta(minutes=1), timedelta(days=1)
SEEN = Overview({"scheduled": 2})
OVER = Overview({"completed": 2}, finished=True)
MORNING = Pace(Rhythm.DAILY, time(8), "UTC")
HOURLY = Pace(Rhythm.HOURLY)
DAILY = Choice(know=MORNING)
EIGHT = NOW.replace(hour=8) + DAY


def delivery(**more: object) -> Delivery:
    record = with_channels(Delivery("VM8T-1Q8", "shop"), ("email",))
    return replace(record, not_before=NOW, **more)  # type: ignore[arg-type]


def started(number: int = 2, **more: object) -> Notice:
    return notice(number, Kind.STARTED, **more)


def asked(number: int = 2, **more: object) -> Notice:
    return notice(number, Kind.STALLED, Urgency.ACT, **more)


def test_what_informs_waits_for_the_digest_and_what_asks_does_not():
    waiting = {"a": (started(),), "b": (asked(),)}
    first = choose(delivery(), "email", waiting, SEEN, WAIT, NOW, DAILY)
    assert (first.upto, first.loudness) == ({"b": 2}, Urgency.ACT)
    rest = choose(delivery(), "email", {"a": (started(),)}, SEEN, WAIT, NOW, DAILY)
    assert (rest.upto, rest.wake) == ({}, EIGHT)
    assert choose(delivery(), "email", waiting, SEEN, WAIT, EIGHT, DAILY).upto == {"a": 2, "b": 2}


def test_what_asks_waits_only_for_whoever_said_so_and_a_page_for_nobody():
    choice = Choice(act=MORNING, know=MORNING)
    asks = choose(delivery(), "email", {"a": (asked(),)}, SEEN, WAIT, NOW, choice)
    assert (asks.upto, asks.wake) == ({}, EIGHT)
    page = notice(3, Kind.PAUSED, Urgency.PAGE)
    both = choose(delivery(), "email", {"a": (asked(), page), "b": (started(),)}, SEEN, WAIT, NOW, choice)
    assert (both.upto, both.loudness) == ({"a": 3}, Urgency.PAGE)


def test_what_goes_takes_along_what_waited_about_the_same_scale_set_in_its_order():
    waiting = {"a": (started(2), asked(3), notice(4, Kind.RESUMED))}
    assert choose(delivery(), "email", waiting, SEEN, WAIT, NOW, DAILY).upto == {"a": 3}


def test_the_announcement_of_a_wave_is_not_gathered_since_the_lead_time_runs_from_it():
    choice = Choice(know=MORNING, act=MORNING)
    assert choose(delivery(), "email", {"a": (notice(1),)}, SEEN, WAIT, NOW, choice).upto == {"a": 1}


def test_the_end_of_a_wave_goes_at_once_and_takes_along_all_that_waited():
    choice = Choice(know=MORNING, act=MORNING)
    waiting = {"a": (started(2), notice(3, Kind.COMPLETED)), "b": (asked(),)}
    ends = choose(delivery(), "email", waiting, OVER, WAIT, NOW, choice)
    assert (ends.upto, ends.kinds) == ({"a": 3, "b": 2}, (FINISHED,))
    without = choose(delivery(), "email", {"a": (started(),)}, OVER, WAIT, NOW, replace(choice, end=False))
    assert (without.upto, without.kinds, without.wake) == ({}, (), EIGHT)


def test_hourly_is_one_message_an_hour_counted_from_the_last_of_its_sort():
    record = sent(delivery(), {"a": 2}, NOW - 20 * MINUTE, Urgency.KNOW)
    choice = Choice(know=HOURLY, act=HOURLY)
    waits = choose(record, "email", {"a": (started(3),)}, SEEN, WAIT, NOW, choice)
    assert waits.wake == NOW + 40 * MINUTE
    assert choose(record, "email", {"a": (asked(3),)}, SEEN, WAIT, NOW, choice).upto == {"a": 3}
    record = sent(record, {"a": 3}, NOW - 10 * MINUTE, Urgency.ACT)
    again = choose(record, "email", {"a": (asked(4),)}, SEEN, WAIT, NOW, choice)
    assert again.wake == NOW + 50 * MINUTE


def test_messages_that_ask_are_not_counted_among_the_few_that_inform():
    record = delivery()
    for number in range(2, 9):
        record = sent(record, {"a": number}, NOW, Urgency.ACT)
    assert record.channels["email"].informed == ()
    assert choose(record, "email", {"a": (started(9),)}, SEEN, WAIT, NOW, Choice(know=FEW)).upto == {"a": 9}


def sent(record: Delivery, upto: Mapping[str, int], now: datetime, loudness: Urgency) -> Delivery:
    claimed = steps.claim(record, "email", upto, (), now, loudness=loudness)
    return steps.accepted(claimed, "email", "subject", now)


@dataclass
class Played:
    """A receiver, its record, and what it was told when; `now` only goes on."""

    choice: Choice
    record: Delivery = field(default_factory=lambda: with_channels(Delivery("W", "shop"), ("email",)))
    runs: dict[str, tuple[Notice, ...]] = field(default_factory=dict)
    now: datetime = NOW
    wakes: list[datetime] = field(default_factory=list)
    told: list[tuple[datetime, str, Notice]] = field(default_factory=list)
    messages: list[tuple[datetime, str]] = field(default_factory=list)

    def add(self, key: str, kind: Kind, urgency: Urgency) -> None:
        before = self.runs.get(key, ())
        self.runs[key] = (*before, notice(len(before) + 1, kind, urgency, at=self.now))
        self.poll()

    def poll(self, *, dies: bool = False) -> None:
        """What notify does, message by message, until there is nothing more to tell; or it dies on the way."""
        while True:
            state = self.record.channels["email"]
            if state.in_flight(self.now):
                self.wakes.append(state.sending.since + STALE if state.sending else self.now)
                return
            if state.sending is not None:
                self.record = steps.claim(self.record, "email", {}, (), self.now)
            else:
                waiting = {
                    key: fresh
                    for key, notices in self.runs.items()
                    if (fresh := tuple(one for one in notices if one.number > state.told.get(key, 0)))
                }
                found = choose(self.record, "email", waiting, SEEN, WAIT, self.now, self.choice)
                if not found.upto:
                    self.wakes += [found.wake] if found.wake is not None else []
                    return
                self.record = steps.claim(
                    self.record, "email", found.upto, (), self.now, loudness=found.loudness
                )
            sending = self.record.channels["email"].sending
            assert sending is not None
            self.messages.append((self.now, sending.message_id))
            if dies:
                self.wakes.append(self.now + STALE)
                return
            self.told += [
                (self.now, key, one)
                for key, upto in sending.upto.items()
                for one in self.runs[key]
                if state.told.get(key, 0) < one.number <= upto
            ]
            self.record = steps.accepted(self.record, "email", "subject", self.now)
            self.record = replace(self.record, not_before=self.now + WAIT)

    def until(self, moment: datetime) -> None:
        while due := [wake for wake in self.wakes if wake <= moment]:
            self.now = max(self.now, min(due))
            self.wakes = [wake for wake in self.wakes if wake > self.now]
            self.poll()
        self.now = max(self.now, moment)


HAPPENS = st.tuples(
    st.integers(0, 400),
    st.sampled_from("abcdef"),
    st.sampled_from(
        [
            (Kind.STARTED, Urgency.KNOW),
            (Kind.COMPLETED, Urgency.KNOW),
            (Kind.STALLED, Urgency.ACT),
            (Kind.PAUSED, Urgency.PAGE),
            (Kind.PLANNED, Urgency.KNOW),
        ]
    ),
    st.sampled_from(["", "duplicate", "dies"]),
)
PACES = [AT_ONCE, FEW, HOURLY, MORNING]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(PACES),
    st.sampled_from([AT_ONCE, HOURLY, MORNING]),
    st.lists(HAPPENS, min_size=1, max_size=40),
)
def test_whatever_comes_twice_or_dies_each_notice_is_told_once_in_order_and_in_time(
    know: Pace, act: Pace, happens: list[tuple[int, str, tuple[Kind, Urgency], str]]
):
    played = Played(Choice(know=know, act=act))
    for minutes, key, (kind, urgency), what in happens:
        played.until(played.now + minutes * MINUTE)
        if what == "dies":
            before = played.runs.get(key, ())
            played.runs[key] = (*before, notice(len(before) + 1, kind, urgency, at=played.now))
            played.poll(dies=True)
        else:
            played.add(key, kind, urgency)
        if what == "duplicate":
            played.poll()
    played.until(played.now + 2 * DAY)
    for key, notices in played.runs.items():
        assert [one.number for _, which, one in played.told if which == key] == [
            one.number for one in notices
        ]
    for at, _, one in played.told:
        held = STALE + WAIT * 2
        if one.urgency is Urgency.PAGE:
            # A message that died holds its channel for five minutes.
            assert at - one.at <= STALE * len(happens)
        elif one.urgency is Urgency.ACT and act is AT_ONCE:
            assert at - one.at <= held + STALE * len(happens)
        else:
            assert at - one.at <= DAY + HOUR + STALE * len(happens)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 90), st.integers(0, 199), st.booleans()), min_size=50, max_size=400))
def test_an_owner_of_200_scale_sets_gets_less_than_ten_messages_in_any_24_hours(
    happens: list[tuple[int, int, bool]],
):
    """A quiet wave: sets start and complete at any time, for days."""
    played = Played(Choice(know=FEW))
    for number in range(200):
        played.runs[str(number)] = (notice(1, at=played.now),)
    played.poll()
    for minutes, number, done in happens:
        played.until(played.now + minutes * MINUTE)
        played.add(str(number), Kind.COMPLETED if done else Kind.STARTED, Urgency.KNOW)
    played.until(played.now + 2 * DAY)
    times = [at for at, _ in played.messages]
    assert all(sum(at <= later < at + DAY for later in times) < 10 for at in times)
    assert sum(len(notices) for notices in played.runs.values()) == len(played.told)


@pytest.mark.parametrize("pace", PACES)
def test_a_message_that_goes_again_after_a_crash_has_the_same_id(pace: Pace):
    played = Played(Choice(know=pace, act=AT_ONCE))
    played.runs["a"] = (asked(1, at=NOW - HOUR),)
    played.poll(dies=True)
    played.until(NOW + HOUR)
    assert len(played.messages) == 2
    assert len({message for _, message in played.messages}) == 1
