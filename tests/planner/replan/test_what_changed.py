"""A new plan is told by what is different from the one people know."""

from dataclasses import replace
from datetime import timedelta

from planner.azure.fleet import MaintenanceStatus
from planner.record.notice import Kind
from planner.replan.what_changed import what_changed
from tests.altered import altered
from tests.planner.builders import (
    NOW,
    SCHEDULED,
    SELF_SERVICE,
    always,
    batch,
    fleet,
    planned,
    planned_again,
    policy,
    run_of,
)


def test_only_what_is_different_is_said():
    old = run_of(batch(1, "0", "1", not_before=NOW), batch(2, "2", not_before=NOW))
    new = run_of(batch(1, "0", not_before=NOW + timedelta(hours=1)), batch(2, "5", not_before=NOW))

    assert what_changed(old, new, NOW) == (
        "1 instance joined: 5. 2 instances left the plan: 1, 2. At most 1 down at a time instead of 2. "
        "Starts Sun 22 Nov 2026 13:00 UTC instead of Sun 22 Nov 2026 12:00 UTC."
    )


def test_a_later_deadline_and_end_are_said():
    old = run_of(batch(1, "0"), forecast_end=NOW, deadline=NOW)
    new = altered(old, forecast_end=NOW + timedelta(days=1), deadline=NOW + timedelta(days=2))

    assert what_changed(old, new, NOW) == (
        "Should be done by Mon 23 Nov 2026 12:00 UTC instead of Sun 22 Nov 2026 12:00 UTC. "
        "Must be done by Tue 24 Nov 2026 12:00 UTC instead of Sun 22 Nov 2026 12:00 UTC."
    )


def test_seconds_are_no_news():
    one = run_of(batch(1, "0"), deadline=NOW)

    assert what_changed(one, altered(one, deadline=NOW + timedelta(seconds=20)), NOW) == ""


def test_an_instance_that_joins_is_the_news_of_the_new_plan():
    old = planned(instances=fleet(4, 4), a_policy=always(lead="1d"))
    run = planned_again(old, instances=fleet(5, 5), a_policy=always(lead="1d"))
    (news,) = [each for each in run.story.notices if each.kind is Kind.REPLANNED]

    assert news.sentence.startswith("1 instance joined: 4.")


def test_where_the_answer_itself_is_another_one_that_is_the_news():
    old = planned(a_policy=always(lead="1d"))
    run = planned_again(old, a_policy=policy(self_service="never"))
    (news,) = [each for each in run.story.notices if each.kind is Kind.REPLANNED]

    assert news.sentence.startswith("Left to Azure: ")


def test_a_window_that_azure_moves_is_told_although_the_batches_stay_and_minutes_are_no_news():
    old = planned(a_policy=always(lead="1d"))
    for by, told in ((timedelta(minutes=20), []), (timedelta(days=3), ["Must be done by"])):
        moved = MaintenanceStatus(
            allowed=True,
            self_service=replace(SELF_SERVICE, end=SELF_SERVICE.end - by),
            scheduled=SCHEDULED,
        )
        run = planned_again(old, instances=fleet(maintenance=moved), a_policy=always(lead="1d"))
        news = [each.sentence for each in run.story.notices if each.kind is Kind.REPLANNED]
        assert [each[:15] for each in news] == told
