"""What served when the plan was made and does not now counts against max-unavailable, whatever took it down."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from planner.azure.fleet import Health, Unreadable
from planner.record.action import Start
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.states import InstanceState
from planner.schedule.capacity import lost
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    changed,
    confirmed,
    fleet,
    observe,
    planned,
    planned_again,
    step,
    without,
)

ONE = always(max_unavailable="1")
BYSTANDERS = (*fleet(4, 4), *fleet(8, 8, maintenance=None)[4:])
"""Instances 0 to 3 are in the wave, 4 to 7 are not."""

ADA = {"7": "ada at Sun 22 Nov 2026 12:01 UTC"}


def starts(actions: tuple[object, ...]) -> list[str]:
    return [one.instance for one in actions if isinstance(one, Start)]


def test_a_plan_remembers_who_served_when_it_was_made():
    ill = changed(BYSTANDERS, "6", health=Health.UNHEALTHY)
    assert planned(instances=ill, a_policy=ONE).fleet.served == ("0", "1", "2", "3", "4", "5", "7")


@pytest.mark.parametrize("power", ["stopped", "deallocated"])
def test_a_neighbour_that_is_off_and_nobody_is_known_to_have_stopped_holds_up_every_start(power: str):
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    run, actions = confirmed(run, changed(BYSTANDERS, "7", power=power), ONE)
    assert starts(actions) == []
    assert "1 other instance is down (7) and 1 may be down at once" in run.reason
    _, actions = step(run, observe(None, BYSTANDERS, ONE, NOW + 2 * MINUTE))
    assert starts(actions) == ["0"], "it serves again"


def test_a_neighbour_that_somebody_is_known_to_have_stopped_does_not_count():
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    _, actions = step(run, observe(None, changed(BYSTANDERS, "7", power="stopped"), ONE, stops=ADA))
    assert starts(actions) == ["0"]


def test_what_a_person_is_known_to_have_stopped_stays_known_in_later_polls():
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    off = changed(BYSTANDERS, "7", power="stopped")
    run, _ = step(run, observe(None, off, ONE, stops=ADA, stopped="Everything is stopped."))
    _, actions = step(run, observe(None, off, ONE, NOW + MINUTE))
    assert starts(actions) == ["0"]


def test_what_was_off_already_when_the_run_was_planned_counts_for_nothing():
    off = changed(BYSTANDERS, "7", power="deallocated")
    _, actions = step(planned(instances=off, a_policy=ONE), observe(None, off, ONE))
    assert starts(actions) == ["0"]


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"power": "stopped"}, True),
        ({"power": "unknown"}, True),
        ({"health": Health.UNHEALTHY}, True),
        ({"provisioning": "failed"}, False),
        ({"provisioning": "failed", "health": Health.UNKNOWN}, True),
        ({"maintenance": Unreadable("Azure sent no instance view")}, True),
        ({}, False),
    ],
)
def test_each_way_of_not_serving_counts(fields: dict[str, Any], counts: bool):
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    assert lost(run, changed(BYSTANDERS, "7", **fields)) == (frozenset("7") if counts else frozenset())
    assert "7" not in lost(run, changed(BYSTANDERS, "7", **fields), accepted=("7",))


def test_a_new_plan_forgets_none_of_those_that_served_at_one_before_it():
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    off = changed(BYSTANDERS, "7", power="stopped")
    run = planned_again(run, None, off, ONE, NOW + MINUTE)
    run, actions = step(run, observe(None, off, ONE, NOW + 2 * MINUTE))
    assert starts(actions) == []
    assert "1 other instance is down (7)" in run.reason


def test_what_somebody_is_known_to_have_stopped_before_a_new_plan_does_not_count_in_it():
    off = changed(BYSTANDERS, "7", power="stopped")
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    run = planned_again(run, None, off, ONE, NOW + MINUTE, stops=ADA)
    _, actions = step(run, observe(None, off, ONE, NOW + 2 * MINUTE))
    assert starts(actions) == ["0"]


def test_a_new_plan_forgets_nothing_that_it_merely_did_not_see():
    run = planned(instances=BYSTANDERS, a_policy=ONE)
    assert "7" in planned_again(run, None, without(BYSTANDERS, "7"), ONE, NOW + MINUTE).fleet.served
    blind = changed(BYSTANDERS, "7", maintenance=Unreadable("Azure sent no instance view"))
    assert "7" in planned_again(run, None, blind, ONE, NOW + MINUTE).fleet.served


def test_an_instance_that_is_gone_for_certain_is_no_longer_missed():
    rest = without(BYSTANDERS, "7")
    run, actions = confirmed(planned(instances=BYSTANDERS, a_policy=ONE), rest, ONE, absent=("7",))
    assert "7" not in run.fleet.served
    assert starts(actions) == ["0"]


def test_what_an_earlier_run_left_down_counts_in_the_next_one_until_it_serves_again():
    down = changed(BYSTANDERS, "7", power="deallocated")
    left = (
        InstanceProgress("7", state=InstanceState.MISSED, begun=True),
        InstanceProgress("6", state=InstanceState.MISSED),
    )
    former = replace(planned(instances=BYSTANDERS, a_policy=ONE), batches=(Batch(1, "domain 0", left),))
    run = planned(instances=down, a_policy=ONE, former=former)
    assert run.fleet.left_down == ("7",), "what was never started is nobody's doing"
    run = planned_again(run, instances=down, a_policy=ONE)
    run, actions = confirmed(run, down, ONE)
    assert starts(actions) == []
    assert "1 other instance is down (7) and 1 may be down at once" in run.reason
    _, actions = step(run, observe(None, BYSTANDERS, ONE, NOW + 2 * MINUTE))
    assert starts(actions) == ["0"]


@pytest.mark.parametrize(
    ("fields", "finished", "counts"),
    [
        ({"power": "stopped"}, NOW - 13 * DAY, True),
        ({"health": Health.UNHEALTHY}, NOW - HOUR, True),
        ({"power": "stopped"}, NOW - 14 * DAY, False),
        ({"maintenance": Unreadable("Azure sent no instance view")}, NOW - HOUR, False),
        ({}, NOW - HOUR, False),
    ],
)
def test_what_an_earlier_run_maintained_and_does_not_serve_now_counts_in_the_next_one(
    fields: dict[str, Any], finished: datetime, counts: bool
):
    done = InstanceProgress("7", state=InstanceState.MAINTAINED, begun=True, finished_at=finished)
    former = replace(planned(instances=BYSTANDERS, a_policy=ONE), batches=(Batch(1, "domain 0", (done,)),))
    run = planned(instances=changed(BYSTANDERS, "7", **fields), a_policy=ONE, former=former)
    assert (run.fleet.left_down == ("7",)) is counts


def test_what_an_earlier_run_maintained_and_somebody_is_known_to_have_stopped_holds_up_nobody():
    off = changed(BYSTANDERS, "7", power="stopped")
    run = altered(planned(instances=off, a_policy=ONE), left_down=("7",), served=(*"0123456", "7"))
    _, actions = step(run, observe(None, off, ONE, stops=ADA))
    assert starts(actions) == ["0"]


def test_what_an_earlier_run_left_down_and_is_gone_holds_up_nobody():
    run = altered(planned(instances=BYSTANDERS, a_policy=ONE), left_down=("9",), served=("9",))
    run, _ = step(run, observe(None, BYSTANDERS, ONE, absent=("9",)))
    run, _ = step(run, observe(None, BYSTANDERS, ONE, NOW + MINUTE, absent=("9",)))
    assert run.fleet.left_down == ()
