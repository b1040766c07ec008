"""The oracle finds each broken promise about automatic repairs, and nothing where they were kept."""

from datetime import timedelta

import pytest

from simulator.fleet import Behaviour, Fleet, flexible, uniform
from simulator.fleet.ledger import Replaced
from simulator.oracle import left_suspended, violations
from tests.simulator.support import HOUR, MINUTE, Stage
from tests.simulator.test_oracle import only

SLOW = Behaviour(reboot=12 * MINUTE, health_delay=2 * MINUTE)
TAKES = timedelta(seconds=5)


def stage(behaviour: Behaviour = SLOW, **more) -> Stage:
    return Stage(uniform("web", 4, behaviour=behaviour, automatic_repairs=True, repair_grace="PT10M", **more))


def start(stage: Stage) -> None:
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))


def customer(stage: Stage, action: str) -> None:
    stage.fleet.set_repairs(stage.fleet.scale_set("web"), action)
    stage.after(TAKES)


def test_repairs_suspended_before_a_start_and_resumed_when_it_is_healthy_break_no_promise() -> None:
    well = stage()
    customer(well, "Suspend")
    start(well)
    well.after(HOUR)
    customer(well, "Resume")
    well.after(HOUR)
    assert violations(well.fleet) == []
    assert left_suspended(well.fleet) == []


def test_a_replacement_while_the_instance_reboots_is_found() -> None:
    careless = stage()
    start(careless)
    careless.after(HOUR)
    only(
        violations(careless.fleet),
        "0 of web was replaced by automatic repairs while its maintenance of 09:00:00Z",
    )


def test_a_replacement_while_the_instance_has_yet_to_become_healthy_is_found() -> None:
    early = stage(Behaviour(reboot=4 * MINUTE, health_delay=20 * MINUTE))
    customer(early, "Suspend")
    start(early)
    early.after(5 * MINUTE)
    customer(early, "Resume")
    early.after(10 * MINUTE)
    only(violations(early.fleet), "0 of web was replaced")


def test_a_replacement_after_a_change_that_came_too_late_is_found() -> None:
    late = stage()
    start(late)
    late.after(10 * MINUTE - TAKES / 2)
    customer(late, "Suspend")
    late.after(HOUR)
    only(violations(late.fleet), "0 of web was replaced")
    only(left_suspended(late.fleet), "automatic repairs of web are left suspended since")


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour(health_finally="unhealthy"), Behaviour(hangs="down")],
    ids=["never healthy", "never back"],
)
def test_what_was_given_up_may_be_replaced_and_no_sooner(behaviour) -> None:
    given_up = stage(behaviour)
    customer(given_up, "Suspend")
    start(given_up)
    given_up.after(HOUR)
    customer(given_up, "Resume")
    assert violations(given_up.fleet) == []
    only(violations(given_up.fleet, recover_within=2 * HOUR), "0 of web was replaced")


def test_what_failed_may_be_replaced() -> None:
    failed = stage(Behaviour(fails_after_reboot=True, health_delay=30 * MINUTE))
    customer(failed, "Suspend")
    start(failed)
    failed.after(15 * MINUTE)
    customer(failed, "Resume")
    failed.after(HOUR)
    assert violations(failed.fleet) == []


@pytest.mark.parametrize("ends_up", ["stopped", "failed"])
def test_what_azure_is_done_with_and_did_not_come_back_may_be_replaced_and_no_sooner(ends_up) -> None:
    def resumed_after(time: timedelta) -> Fleet:
        one = stage(Behaviour(reboot=30 * MINUTE, ends_up=ends_up))
        customer(one, "Suspend")
        start(one)
        one.after(time)
        customer(one, "Resume")
        one.after(HOUR)
        return one.fleet

    out = resumed_after(31 * MINUTE)
    assert violations(out) == []
    assert any(isinstance(one, Replaced) for one in out.ledger)
    only(violations(resumed_after(20 * MINUTE)), "0 of web was replaced")


def test_what_somebody_else_took_in_hand_may_be_replaced_and_sick_neighbours_too() -> None:
    taken = stage()
    customer(taken, "Suspend")
    start(taken)
    taken.after(MINUTE)
    taken.fleet.people.reimage(taken.fleet.instance("web", 0), takes=30 * MINUTE)
    taken.fleet.people.set_health(taken.fleet.instance("web", 2), "unhealthy")
    customer(taken, "Resume")
    taken.after(HOUR)
    assert violations(taken.fleet) == []


def test_a_healthy_answer_before_the_reboot_is_not_the_end_of_it() -> None:
    delayed = stage(Behaviour(guest_delay=15 * MINUTE, reboot=12 * MINUTE))
    start(delayed)
    delayed.after(HOUR)
    only(violations(delayed.fleet), "0 of web was replaced")


def test_what_a_person_resumed_in_the_middle_nobody_is_blamed_for() -> None:
    meddled = stage()
    customer(meddled, "Suspend")
    start(meddled)
    meddled.after(MINUTE)
    meddled.fleet.people.resume_repairs(meddled.fleet.scale_set("web"))
    meddled.after(HOUR)
    assert violations(meddled.fleet) == []


def test_a_flexible_set_whose_repairs_nobody_can_suspend_is_nobodys_fault() -> None:
    flex = Stage(flexible("flex", 3, behaviour=SLOW, automatic_repairs=True, repair_grace="PT10M"))
    flex.fleet.start_maintenance(flex.fleet.instance("flex", 0))
    flex.after(HOUR)
    assert violations(flex.fleet) == []


def test_repairs_resumed_that_a_person_had_suspended_are_found() -> None:
    rash = stage()
    rash.fleet.people.suspend_repairs(rash.fleet.scale_set("web"))
    customer(rash, "Suspend")
    assert violations(rash.fleet) == []
    customer(rash, "Resume")
    only(
        violations(rash.fleet),
        "automatic repairs of web were resumed although a person had suspended them at",
    )


def test_repairs_a_person_suspended_and_resumed_may_be_suspended_and_resumed() -> None:
    polite = stage()
    people, web = polite.fleet.people, polite.fleet.scale_set("web")
    people.suspend_repairs(web)
    people.resume_repairs(web)
    customer(polite, "Suspend")
    people.suspend_repairs(web)
    customer(polite, "Resume")
    assert violations(polite.fleet) == []


def test_repairs_left_suspended_are_found_unless_a_person_wants_them_so() -> None:
    forgotten = stage()
    customer(forgotten, "Suspend")
    only(
        left_suspended(forgotten.fleet),
        "automatic repairs of web are left suspended since 2026-11-03 09:00:05Z",
    )
    assert violations(forgotten.fleet) == [], "how long they stay so is judged at the end"
    forgotten.fleet.people.suspend_repairs(forgotten.fleet.scale_set("web"))
    assert left_suspended(forgotten.fleet) == []


def test_repairs_a_person_left_suspended_are_their_own_business() -> None:
    theirs = stage()
    theirs.fleet.people.suspend_repairs(theirs.fleet.scale_set("web"))
    customer(theirs, "Suspend")
    assert left_suspended(theirs.fleet) == []


def test_a_suspension_whose_answer_was_lost_counts_all_the_same() -> None:
    lost = stage()
    lost.fleet.scale_set("web").repairs.lost_answers = 1
    customer(lost, "Suspend")
    only(left_suspended(lost.fleet), "automatic repairs of web")
