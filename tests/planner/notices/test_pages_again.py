"""A page that nobody acknowledges comes again, and goes to whom it escalates; whatever is lost or comes twice."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.notices import delivery_steps as steps
from planner.notices.alarms import SELDOM, TOGETHER, Ring, first, pages, stood_down, why_again
from planner.notices.delivery import STALE, Delivery, with_channels
from planner.record.notice import Kind, Urgency
from planner.record.waits import Alarm
from tests.altered import altered
from tests.notices import HOUR, NOW, paused

MINUTE = timedelta(minutes=1)
RING = Ring(3, NOW, 15 * MINUTE, 30 * MINUTE)


def record() -> Delivery:
    return with_channels(Delivery("VM8T-1Q8", "ops"), ("email",))


def paged(delivery: Delivery, upto: Mapping[str, int], which: Mapping[str, int], now: datetime) -> Delivery:
    claimed = steps.claim(delivery, "email", upto, (), now, pages=which, loudness=Urgency.PAGE)
    return steps.accepted(claimed, "email", "subject", now)


@dataclass
class Receiver:
    """One who is paged; `owner`: the run is its own."""

    owner: bool = True
    delivery: Delivery = field(default_factory=record)
    told: list[datetime] = field(default_factory=list)

    def poll(self, rings: Mapping[str, Ring], now: datetime, *, dies: bool = False) -> datetime | None:
        """What notify does with what pages; when it wants to come back."""
        rings = {key: replace(ring, escalated=not self.owner) for key, ring in rings.items()}
        state = self.delivery.channels["email"]
        if state.in_flight(now):
            assert state.sending is not None
            return state.sending.since + STALE
        if state.sending is None:
            upto = {
                key: ring.number
                for key, ring in rings.items()
                if self.owner and state.told.get(key, 0) < ring.number
            }
            found = pages(state, rings, state.told, now)
            which = {**found.now, **first(upto, rings)}
            if not which:
                return found.wake
            self.delivery = steps.claim(self.delivery, "email", upto, (), now, pages=which)
        else:
            self.delivery = steps.claim(self.delivery, "email", {}, (), now)
        sending = self.delivery.channels["email"].sending
        assert sending is not None
        if dies:
            return now + STALE
        if any(sending.pages.values()):
            self.told.append(now)
        self.delivery = steps.accepted(self.delivery, "email", "subject", now)
        return self.poll(rings, now)

    def minutes(self) -> list[int]:
        return [int((at - NOW) / MINUTE) for at in self.told]


def follow(receiver: Receiver, rings: Mapping[str, Ring], until: datetime, now: datetime = NOW) -> None:
    """As long as it comes back by itself."""
    wake = receiver.poll(rings, now)
    while wake is not None and wake <= until:
        wake = receiver.poll(rings, wake)


def test_it_comes_every_quarter_of_an_hour_and_once_it_has_escalated_every_hour():
    ops, lead = Receiver(), Receiver(owner=False)
    for each in (ops, lead):
        follow(each, {"a": RING}, NOW + 4 * HOUR)
    assert ops.minutes() == [0, 15, 30, 90, 150, 210]
    assert lead.minutes() == [30, 90, 150, 210]


@pytest.mark.parametrize(
    ("every", "after", "minutes"),
    [
        (5, 10, [0, 5, 10, 70]),
        (60, 30, [0, 60]),
        (15, 5, [0, 15, 75]),
        (10, 65, [0, 10, 20, 30, 40, 50, 60, 70]),
    ],
)
def test_how_often_and_when_is_the_receivers_choice(every: int, after: int, minutes: list[int]):
    ops = Receiver()
    follow(ops, {"a": Ring(3, NOW, every * MINUTE, after * MINUTE)}, NOW + 80 * MINUTE)
    assert ops.minutes() == minutes


def test_what_pages_no_longer_comes_no_more_and_whom_it_escalated_to_is_told_once():
    ops, lead = Receiver(), Receiver(owner=False)
    for each in (ops, lead):
        follow(each, {"a": RING}, NOW + 40 * MINUTE)
        assert each.poll({}, NOW + 41 * MINUTE) is None
        assert each.poll({}, NOW + 3 * HOUR) is None
    assert (ops.minutes(), lead.minutes()) == ([0, 15, 30], [30])
    # The message that says so is no page; it has gone, since nothing is left of it.
    assert lead.delivery.channels["email"].paged == {}
    assert [one.message_id for one in lead.delivery.messages][-1] != lead.delivery.messages[0].message_id
    assert len(lead.delivery.messages) == 2
    assert len(ops.delivery.messages) == 3


def test_whoever_was_never_paged_is_told_of_no_end():
    lead = Receiver(owner=False)
    assert lead.poll({"a": RING}, NOW) == NOW + 30 * MINUTE
    assert lead.poll({}, NOW + 31 * MINUTE) is None
    assert lead.delivery.messages == ()


def test_a_new_trouble_pages_anew_and_begins_from_the_beginning():
    ops = Receiver()
    follow(ops, {"a": RING}, NOW + 40 * MINUTE)
    again = replace(RING, number=4, since=NOW + 45 * MINUTE)
    follow(ops, {"a": again}, NOW + 80 * MINUTE, now=NOW + 45 * MINUTE)
    assert ops.minutes() == [0, 15, 30, 45, 60, 75]


def test_scale_sets_that_page_at_about_the_same_time_share_their_repeats():
    ops = Receiver()
    other = replace(RING, since=NOW + 3 * MINUTE)
    ops.poll({"a": RING}, NOW)
    follow(ops, {"a": RING, "b": other}, NOW + 40 * MINUTE, now=NOW + 3 * MINUTE)
    assert ops.minutes() == [0, 3, 15, 30]


def test_every_repeat_is_a_message_of_its_own_and_a_claim_that_died_is_none():
    ops = Receiver()
    ops.poll({"a": RING}, NOW)
    ops.poll({"a": RING}, NOW + 15 * MINUTE, dies=True)
    assert ops.poll({"a": RING}, NOW + 16 * MINUTE) == NOW + 15 * MINUTE + STALE
    before = ops.delivery.channels["email"].sending
    ops.poll({"a": RING}, NOW + 15 * MINUTE + STALE)
    follow(ops, {"a": RING}, NOW + 40 * MINUTE, now=NOW + 21 * MINUTE)
    ids = [one.message_id for one in ops.delivery.messages]
    assert len(ids) == len(set(ids)) == 3
    assert before is not None
    assert before.message_id == ids[1]


POLLS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["", "twice", "dies"])), min_size=1, max_size=60
)


@settings(max_examples=200, deadline=None)
@given(st.booleans(), st.integers(5, 60), st.integers(5, 120), POLLS)
def test_no_poll_too_many_or_too_few_makes_pages_multiply_or_stop(
    owner: bool, every: int, after: int, polls: list[tuple[int, str]]
):
    """Polls come when they like: lost wakes, duplicates, deaths between sending and recording."""
    ring = Ring(3, NOW, every * MINUTE, after * MINUTE)
    one, now = Receiver(owner=owner), NOW
    for minutes, what in polls:
        now += minutes * MINUTE
        due = ring.since + (ring.after if not owner else timedelta(0))
        if one.told:
            due = replace(ring, escalated=not owner).again_after(one.told[-1])
        free = not one.delivery.channels["email"].in_flight(now)
        before = len(one.told)
        one.poll({"a": ring}, now, dies=what == "dies")
        if what == "twice":
            one.poll({"a": ring}, now)
            one.poll({"a": ring}, now)
        assert len(one.told) - before <= 1
        if free and what != "dies" and due <= now:
            assert len(one.told) == before + 1, "it was due"
        if len(one.told) > before and before:
            assert now >= due - TOGETHER
    gaps = [later - earlier for earlier, later in zip(one.told, one.told[1:], strict=False)]
    assert all(gap >= min(ring.every, SELDOM) - TOGETHER for gap in gaps)


def test_it_says_why_it_comes_now_and_when_it_no_longer_will():
    alarm = Alarm(2, ("4",), NOW)
    assert why_again(alarm, "") == (
        "Nobody has acknowledged it since Tue 24 Nov 2026 12:00 UTC. It comes again until somebody acknowledges "
        "it, it serves again, or the run goes on."
    )
    assert why_again(alarm, "shop").startswith(
        "shop has not acknowledged it since Tue 24 Nov 2026 12:00 UTC, so"
    )
    run = altered(paused("db"), alarm=replace(alarm, taken_by="Ana", taken_at=NOW + MINUTE))
    over = stood_down(run)
    assert (over.kind, over.urgency, over.at) == (Kind.ACKNOWLEDGED, Urgency.KNOW, NOW + MINUTE)
    assert over.sentence == "It no longer pages: Ana has acknowledged it."
    going_on = stood_down(altered(run, alarm=None, reason="domain 0: 2 rebooting."))
    assert going_on.sentence == "It no longer pages: domain 0: 2 rebooting."
