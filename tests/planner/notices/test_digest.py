from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from planner.notices import delivery_steps as steps
from planner.notices.delivery import (
    EMERGENCY,
    FINISHED,
    OUTAGE,
    STALE,
    Delivery,
    behind,
    stuck,
    with_channels,
)
from planner.notices.delivery_steps import GIVE_UP, LOST, REMINDER
from planner.notices.digest import Group, Overview, Row, grouped, outcomes, overview
from planner.notices.next_message import choose, untold
from planner.record.cause import Cause
from planner.record.notice import Kind, Notice, Urgency
from planner.record.states import InstanceState, RunState
from planner.record.waits import Stalled, Waited
from tests.notices import HOUR, NOW, batch, notice, paused, run, troubles

WAIT = timedelta(seconds=60)
SECOND = timedelta(seconds=1)


def delivery(*channels: str) -> Delivery:
    return with_channels(Delivery("VM8T-1Q8", "ops"), channels or ("email", "teams"))


def told(record: Delivery, channel: str, upto: dict[str, int], *kinds: str) -> Delivery:
    claimed = steps.claim(record, channel, upto, kinds, NOW)
    return steps.accepted(claimed, channel, "subject", NOW)


def test_what_a_channel_accepted_is_told_and_what_it_did_not_is_not():
    record = told(delivery(), "email", {"a": 2})

    assert record.channels["email"].told == {"a": 2}
    assert record.told == {"a": 0}
    assert record.reached() == {"a": 2}
    assert behind([record], {"a": 2}) == ("a",)
    assert behind([told(record, "teams", {"a": 2})], {"a": 2}) == ()


def test_a_run_without_notices_leaves_nobody_behind():
    assert behind([], {"a": 0}) == ()
    assert behind([], {"a": 1}) == ("a",)


def test_the_same_message_has_the_same_id_and_another_message_another():
    record = delivery()
    one = steps.message_id(record, "email", {"a": 1, "b": 2}, ())

    assert one == steps.message_id(record, "email", {"b": 2, "a": 1}, ())
    assert one != steps.message_id(record, "teams", {"a": 1, "b": 2}, ())
    assert one != steps.message_id(record, "email", {"a": 1, "b": 3}, ())
    assert one != steps.message_id(record, "email", {"a": 1, "b": 2}, (FINISHED,))


def test_a_claim_is_in_flight_for_five_minutes_and_then_goes_again_under_its_id():
    record = steps.claim(delivery(), "email", {"a": 1}, (), NOW)
    state = record.channels["email"]

    assert state.in_flight(NOW + STALE - SECOND)
    assert not state.in_flight(NOW + STALE)
    again = steps.claim(record, "email", {"a": 7}, (), NOW + STALE).channels["email"].sending
    assert again is not None
    assert state.sending is not None
    assert (again.message_id, again.upto, again.tries) == (state.sending.message_id, {"a": 1}, 2)


def test_a_channel_that_is_down_waits_twice_as_long_each_time_up_to_ten_minutes():
    record, now, waits = delivery("teams"), NOW, []
    for _ in range(7):
        record = steps.claim(record, "teams", {"a": 1}, (), now)
        record = steps.failed(record, "teams", "subject", "Teams answered 503.", None, now)
        wake = record.channels["teams"].waits_until(now)
        assert wake is not None
        waits.append((wake - now).total_seconds())
        now = wake

    assert waits == [30, 60, 120, 240, 480, 600, 600]
    assert troubles(record) == "teams: Teams answered 503."


def test_a_channel_that_asks_for_a_longer_wait_gets_it():
    record = steps.claim(delivery("teams"), "teams", {"a": 1}, (), NOW)
    record = steps.failed(record, "teams", "subject", "Busy.", timedelta(minutes=20), NOW)

    assert record.channels["teams"].waits_until(NOW) == NOW + timedelta(minutes=20)


def test_a_message_not_accepted_for_a_day_gives_way_to_the_next_one():
    record = steps.claim(delivery("teams"), "teams", {"a": 1}, (), NOW)
    later = NOW + GIVE_UP
    record = steps.claim(record, "teams", {}, (), later)
    record = steps.failed(record, "teams", "subject", "Teams answered 503.", None, later)

    assert record.channels["teams"].sending is None
    assert record.told == {"a": 1}
    assert "Given up" in record.messages[-1].trouble


def broken(record: Delivery, now: datetime, channel: str = "teams") -> Delivery:
    record = steps.claim(record, channel, {"a": 1}, (FINISHED,), now)
    return steps.failed(record, channel, "subject", "Teams answered 404.", None, now, broken=True)


def test_a_message_on_a_broken_channel_gives_way_after_a_day_and_stays_untold():
    record = broken(broken(delivery("teams"), NOW), NOW + GIVE_UP)

    assert record.channels["teams"].sending is None
    assert record.told == {}
    assert record.channels["teams"].wave_told == ()
    assert record.channels["teams"].stuck(NOW + GIVE_UP)
    assert "the next message tells it" in record.messages[-1].trouble


def test_what_a_channel_missed_is_given_up_when_nobody_fixes_it_for_a_week():
    record, now = delivery("teams"), NOW
    while record.told == {} and now < NOW + 2 * LOST:
        record, now = broken(record, now), now + timedelta(hours=12)

    assert record.told == {"a": 1}
    assert "Given up after 7 days" in record.messages[-1].trouble
    assert NOW + LOST <= now <= NOW + LOST + timedelta(days=2)


def test_a_channel_is_stuck_at_once_when_it_is_broken_and_after_half_an_hour_when_it_is_down():
    assert broken(delivery("teams"), NOW).channels["teams"].stuck(NOW)
    record = steps.claim(delivery("teams"), "teams", {"a": 1}, (), NOW)
    down = steps.failed(record, "teams", "subject", "Teams answered 503.", None, NOW).channels["teams"]
    assert [down.stuck(NOW + wait) for wait in (OUTAGE - timedelta(seconds=1), OUTAGE)] == [False, True]
    fixed = steps.accepted(
        steps.claim(broken(delivery("teams"), NOW), "teams", {}, (), NOW), "teams", "s", NOW
    )
    assert not fixed.channels["teams"].stuck(NOW + OUTAGE)


def test_a_receiver_is_cut_off_when_every_channel_of_its_own_is_stuck():
    record = broken(delivery("teams", "email"), NOW)
    assert not stuck(record, NOW)
    record = broken(record, NOW, "email")
    assert stuck(record, NOW)
    assert stuck(with_channels(record, ("teams", "email"), ("email of ops",)), NOW)
    assert not stuck(Delivery("W", "ops"), NOW)


def test_a_stand_in_starts_where_the_others_are_stays_on_record_and_does_not_count_as_told():
    record = broken(told(delivery("teams"), "teams", {"a": 1}), NOW)
    record = told(with_channels(record, ("teams",), ("email of ops",)), "email of ops", {"a": 3})
    assert record.told == {"a": 1}
    assert behind([record], {"a": 3}) == ("a",)
    kept = with_channels(record, ("teams",))
    assert kept.channels["email of ops"].told == {"a": 3}
    assert kept.channels["email of ops"].stands_in


def test_a_stand_in_of_an_earlier_outage_holds_nothing_up_and_repeats_nothing_the_channel_has_told():
    record = broken(told(delivery("teams"), "teams", {"a": 1}), NOW)
    record = told(with_channels(record, ("teams",), ("email of ops",)), "email of ops", {"a": 3})
    record = steps.accepted(steps.claim(record, "teams", {}, (), NOW), "teams", "s", NOW)
    record = told(record, "teams", {"a": 7}, FINISHED)
    assert behind([record], {"a": 7}) == ()
    again = with_channels(broken(record, NOW), ("teams",), ("email of ops",))
    assert again.channels["email of ops"].told == {"a": 7}
    assert again.channels["email of ops"].wave_told == (FINISHED,)


def test_people_are_told_of_a_channel_once_a_day_and_only_when_it_was_tried():
    before = delivery("teams", "email")
    after = broken(before, NOW)
    assert steps.to_be_told(before, after, NOW) == ("teams",)
    assert steps.to_be_told(after, after, NOW) == ()
    after = steps.with_told(after, ("teams",), NOW)
    again = broken(after, NOW + timedelta(hours=23))
    assert steps.to_be_told(after, again, NOW + timedelta(hours=23)) == ()
    assert steps.to_be_told(after, again, NOW + REMINDER) == ("teams",)


def test_a_refused_message_is_recorded_and_the_next_success_clears_the_trouble():
    record = steps.claim(delivery("teams"), "teams", {"a": 1}, (), NOW)
    record = steps.refused(record, "teams", "subject", "Teams refused the message with 400.", NOW)

    assert record.told == {"a": 1}
    assert "400" in troubles(record)
    assert troubles(told(record, "teams", {"a": 2})) == ""


def test_the_log_of_messages_stays_short():
    record = delivery("email")
    for number in range(1, 80):
        record = told(record, "email", {"a": number})

    assert len(record.messages) == steps.LOG


def test_a_channel_added_later_starts_where_the_others_are():
    record = with_channels(told(delivery("email"), "email", {"a": 3}, FINISHED), ("email", "teams"))

    assert record.channels["teams"].told == {"a": 3}
    assert record.channels["teams"].wave_told == (FINISHED,)
    assert record.channels["teams"].sending is None


def test_a_channel_taken_away_holds_nothing_up():
    record = with_channels(told(delivery("email", "teams"), "email", {"a": 3}), ("email",))

    assert behind([record], {"a": 3}) == ()


def chosen(
    waiting: dict[str, tuple[Notice, ...]], *, quiet: bool, complete: bool, paged: bool
) -> Mapping[str, int]:
    """How far each run may be told, in the grouping wait or after it."""
    record = replace(delivery(), not_before=NOW + WAIT if quiet else NOW)
    if paged:
        record = told(record, "email", {}, EMERGENCY)
        record = replace(record, not_before=NOW + WAIT if quiet else NOW)
    seen = Overview({"scheduled": 2}, planning=0 if complete else 3)
    return choose(record, "email", waiting, seen, WAIT, NOW).upto


def test_what_came_before_a_page_goes_with_it_and_nothing_else_does():
    waiting = {
        "a": (
            notice(1),
            notice(2, Kind.STARTED),
            notice(3, Kind.PAUSED, Urgency.PAGE),
            notice(4, Kind.RESUMED),
        ),
        "b": (notice(1),),
    }

    assert chosen(waiting, quiet=True, complete=False, paged=True) == {"a": 3}
    assert chosen(waiting, quiet=False, complete=True, paged=True) == {"a": 4, "b": 1}


def test_emergency_plans_page_once_and_are_grouped_afterwards():
    waiting = {"a": (notice(1, Kind.PLANNED, Urgency.PAGE),)}

    assert chosen(waiting, quiet=True, complete=False, paged=False) == {"a": 1}
    assert chosen(waiting, quiet=True, complete=False, paged=True) == {}
    assert chosen(waiting, quiet=False, complete=False, paged=True) == {"a": 1}


def test_the_digest_waits_for_the_roster_but_never_longer_than_ten_waits():
    waiting = {"a": (notice(1),)}
    seen = Overview({"scheduled": 1}, planning=3)
    record = replace(delivery(), not_before=NOW)

    early = choose(record, "email", waiting, seen, WAIT, NOW + 9 * WAIT)
    assert (early.upto, early.wake) == ({}, NOW + 10 * WAIT)
    assert choose(record, "email", waiting, seen, WAIT, NOW + 10 * WAIT).upto == {"a": 1}
    assert choose(record, "email", waiting, replace(seen, planning=0), WAIT, NOW).upto == {"a": 1}


def test_the_first_message_waits_from_the_time_of_its_oldest_notice():
    seen = Overview({"scheduled": 1})
    waiting = {"a": (notice(1),), "b": (notice(1, at=NOW + 30 * SECOND),)}

    early = choose(delivery(), "email", waiting, seen, WAIT, NOW + 30 * SECOND)
    assert (early.upto, early.wake) == ({}, NOW + WAIT)
    assert choose(delivery(), "email", waiting, seen, WAIT, NOW + WAIT).upto == {"a": 1, "b": 1}


def test_later_messages_wait_from_the_time_of_the_message_before():
    record = replace(told(delivery(), "email", {"a": 1}), not_before=NOW + WAIT)
    waiting = {"a": (notice(2, Kind.STARTED),)}
    seen = Overview({"running": 1})

    assert choose(record, "email", waiting, seen, WAIT, NOW + WAIT - SECOND).wake == NOW + WAIT
    assert choose(record, "email", waiting, seen, WAIT, NOW + WAIT).upto == {"a": 2}


def test_the_closing_overview_comes_with_the_last_notices_and_once():
    seen = Overview({"completed": 1}, finished=True)
    waiting = {"a": (notice(2, Kind.COMPLETED),)}
    record = replace(told(delivery("email"), "email", {"a": 1}), not_before=NOW)

    chosen = choose(record, "email", waiting, seen, WAIT, NOW)
    assert (chosen.upto, chosen.kinds) == ({"a": 2}, (FINISHED,))
    record = told(record, "email", {"a": 2}, FINISHED)
    assert choose(record, "email", {}, seen, WAIT, NOW + HOUR) == choose(
        record, "email", {}, Overview(), WAIT, NOW
    )


def test_a_wave_that_opens_again_is_finished_again():
    record = steps.reopened(told(delivery("email"), "email", {"a": 1}, FINISHED))

    assert choose(
        replace(record, not_before=NOW), "email", {}, Overview({"completed": 1}, finished=True), WAIT, NOW
    ).kinds == (FINISHED,)


def test_a_wave_that_hit_nothing_has_no_closing_overview():
    seen = Overview({"not_impacted": 3}, finished=True)
    record = replace(told(delivery("email"), "email", {"a": 1}), not_before=NOW)

    assert choose(record, "email", {}, seen, WAIT, NOW).kinds == ()


def test_somebody_never_told_anything_of_a_wave_is_not_told_its_end():
    seen = Overview({"completed": 1}, finished=True)

    assert choose(replace(delivery(), not_before=NOW), "email", {}, seen, WAIT, NOW).kinds == ()


def test_the_overview_counts_states_people_and_the_next_deadline():
    rows = [
        Row(RunState.PAUSED, needs_person=True, deadline=NOW + 2 * HOUR),
        Row(RunState.RUNNING, deadline=NOW + HOUR),
        Row(RunState.COMPLETED, deadline=NOW),
    ]
    seen = overview(rows, 1, wave_open=True)

    assert seen.counts == {"running": 1, "paused": 1, "completed": 1}
    assert (seen.needs_person, seen.planning, seen.deadline) == (1, 1, NOW + HOUR)
    assert not seen.finished


def test_a_set_left_to_azure_is_over_only_when_its_wave_is():
    rows = [Row(RunState.LEFT_TO_AZURE), Row(RunState.NOT_IMPACTED), Row(RunState.MISSED)]

    assert not overview(rows, 0, wave_open=True).finished
    assert overview(rows, 0, wave_open=False).finished
    assert not overview([], 0, wave_open=False).finished


def test_scale_sets_are_grouped_by_what_will_happen_and_sorted_by_name():
    runs = [
        run("web", notice()),
        paused("db"),
        run("a-batch", notice(), state=RunState.LEFT_TO_AZURE),
        run("B-api", notice()),
        run("calm", notice(), state=RunState.NOT_IMPACTED),
        run("done", notice(), state=RunState.COMPLETED),
    ]

    assert {one: [member.target.name for member in members] for one, members in grouped(runs).items()} == {
        Group.PERSON: ["db"],
        Group.OURS: ["B-api", "web"],
        Group.AZURE: ["a-batch"],
        Group.OVER: ["done"],
        Group.NOT_HIT: ["calm"],
    }


def test_outcomes_count_every_instance_once():
    done = run(
        "web",
        batches=(
            batch(1, "1", "2", state=InstanceState.MAINTAINED),
            batch(2, "3", state=InstanceState.BY_AZURE),
            batch(3, "4", state=InstanceState.REBOOTING),
        ),
    )

    assert outcomes([done]) == {
        InstanceState.MAINTAINED: 2,
        InstanceState.BY_AZURE: 1,
        InstanceState.PENDING: 1,
    }


def test_untold_notices_come_in_order():
    assert [notice.number for notice in untold(run("web", notice(1), notice(2), notice(3)), 1)] == [2, 3]


def _held_up(name, cause=Cause.NEIGHBOUR, **more):
    stalled = Stalled(cause, "something", NOW, waited=(Waited(cause, NOW),))
    return run(name, notice(), stalled=stalled, **more)


def test_what_may_start_and_does_not_waits_and_is_not_counted_as_maintained_by_us():
    runs = [run("web", notice()), _held_up("api"), _held_up("db", state=RunState.PAUSED)]

    found = {one: [member.target.name for member in members] for one, members in grouped(runs).items()}
    assert found == {Group.PERSON: ["db"], Group.WAITS: ["api"], Group.OURS: ["web"]}


def test_a_run_whose_window_closed_while_it_was_held_up_still_waits_and_a_passing_trouble_does_not():
    held = _held_up("api").standing.stalled
    assert run("a", stalled=replace(held, active=False)).waits is None
    assert run("a", stalled=replace(held, active=False, passed=True)).waits is not None


def test_the_overview_counts_who_waits_by_cause():
    rows = [
        Row(RunState.SCHEDULED, waits="limit"),
        Row(RunState.RUNNING, waits="neighbour"),
        Row(RunState.SCHEDULED, waits="limit"),
        Row(RunState.SCHEDULED),
    ]
    assert overview(rows, 0, wave_open=True).waits == {"neighbour": 1, "limit": 2}
