"""What instances show of their maintenance is on the run's record, as it was last read."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from planner.azure.fleet import Instance, Interval, MaintenanceStatus, ResultCode, Unreadable
from planner.record.shown import shown_by
from tests.planner.builders import (
    MINUTE,
    NOW,
    STATUS,
    always,
    changed,
    fleet,
    observe,
    planned,
    planned_again,
    step,
)

DAY = timedelta(days=1)
WINDOWS = tuple(Interval(NOW + number * DAY, NOW + (number + 30) * DAY) for number in range(3))
STATUSES = st.builds(
    MaintenanceStatus,
    allowed=st.booleans(),
    self_service=st.sampled_from((None, *WINDOWS)),
    scheduled=st.sampled_from((None, *WINDOWS)),
    result=st.sampled_from(ResultCode),
    message=st.sampled_from(("", "Try again later.")),
)
SHOWN = st.one_of(st.none(), STATUSES, st.builds(Unreadable, reason=st.just("No view.")))


@given(st.lists(SHOWN, max_size=30))
def test_each_instance_stands_with_exactly_what_it_showed(shown):
    instances = [Instance(str(number), maintenance=one) for number, one in enumerate(shown)]
    found = {key: each.status for each in shown_by(instances) for key in each.instances}

    assert found == {one.id: one.status for one in instances if one.status is not None}
    assert len(shown_by(instances)) == len(set(found.values()))


@given(st.lists(SHOWN, max_size=30))
def test_instances_keep_the_order_of_the_listing(shown):
    instances = [Instance(str(number), maintenance=one) for number, one in enumerate(shown)]

    for each in shown_by(instances):
        assert list(each.instances) == sorted(each.instances, key=int)
        assert all(replace(each.status) == instances[int(key)].status for key in each.instances)


def test_plans_and_polls_keep_what_azure_shows_and_when_it_was_read():
    run = planned(instances=fleet(2), a_policy=always())
    later = changed(fleet(2), "1", maintenance=replace(STATUS, message="Try again later."))
    polled, _ = step(run, observe(instances=later, now=NOW + MINUTE))

    assert ([each.instances for each in run.fleet.shown], run.fleet.shown_at) == ([("0", "1")], NOW)
    assert [each.status.message for each in polled.fleet.shown] == ["", "Try again later."]
    assert polled.fleet.shown_at == NOW + MINUTE


def test_a_poll_that_reads_no_instances_keeps_what_was_shown_before():
    run = planned(instances=fleet(2), a_policy=always())
    polled, _ = step(run, replace(observe(now=NOW + MINUTE), instances=None))

    assert (polled.fleet.shown, polled.fleet.shown_at) == (run.fleet.shown, NOW)


def test_a_new_plan_keeps_what_it_has_read():
    run = planned(instances=fleet(2), a_policy=always())
    again = planned_again(run, instances=changed(fleet(2), "0", maintenance=None), a_policy=always())

    assert [each.instances for each in again.fleet.shown] == [("1",)]
