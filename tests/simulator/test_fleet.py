"""The fleet lives as Azure's published behaviour has it, on a clock moved by hand."""

from datetime import timedelta

import pytest

from simulator.fleet import Behaviour, Window, flexible, uniform
from simulator.fleet.ledger import Ended, Maintained, WaveBecame
from tests.simulator.support import DAY, HOUR, MINUTE, START, Stage, wave, window


def the_one(stage: Stage):
    return stage.fleet.instance("web", 0)


def behaving(**settings) -> Stage:
    return Stage(uniform("web", 5, behaviour=Behaviour(**settings)))


def test_a_start_takes_the_instance_down_and_brings_it_back_healthy() -> None:
    stage = behaving(reboot=4 * MINUTE, health_delay=MINUTE)
    stage.fleet.start_maintenance(the_one(stage))
    seen = []
    for _ in range(6):
        seen.append((the_one(stage).power, the_one(stage).health))
        stage.after(MINUTE)
    assert seen == [
        ("stopped", "unknown"),
        ("stopped", "unknown"),
        ("starting", "unknown"),
        ("starting", "unknown"),
        ("running", "initializing"),
        ("running", "healthy"),
    ]
    (outage,) = stage.fleet.ledger.outages()
    assert (outage.since, outage.until) == (START + DAY, START + DAY + 4 * MINUTE)
    assert the_one(stage).ticket is None


def test_jumping_far_ahead_sees_the_same_facts_at_the_same_times_as_small_steps() -> None:
    ledgers = []
    for steps in (1, 500):
        stage = Stage(uniform("web", 10), flexible("flex", 4))
        stage.fleet.start_maintenance(the_one(stage))
        for _ in range(steps):
            stage.after(20 * DAY / steps)
        ledgers.append(list(stage.fleet.ledger))
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) > 50


def test_a_guest_that_delays_its_reboot_polls_healthy_meanwhile() -> None:
    stage = behaving(guest_delay=15 * MINUTE)
    stage.fleet.start_maintenance(the_one(stage))
    stage.after(14 * MINUTE)
    seen = (the_one(stage).power, the_one(stage).health, the_one(stage).provisioning)
    assert seen == ("running", "healthy", "Succeeded")
    stage.after(2 * MINUTE)
    assert the_one(stage).power == "stopped"


@pytest.mark.parametrize(
    ("setting", "code"), [("retry_later", "RetryLater"), ("aborted", "MaintenanceAborted")]
)
@pytest.mark.parametrize("fails", [False, True])
def test_maintenance_put_off_leaves_the_instance_untouched(setting, code, fails) -> None:
    stage = behaving(**{setting: 1}, set_aside_fails=fails)
    answer = stage.fleet.start_maintenance(the_one(stage))
    stage.after(MINUTE)
    assert answer.operation.status == ("Failed" if fails else "Succeeded")
    assert the_one(stage).ticket.code == code
    assert the_one(stage).ticket.allowed(stage.clock.now)
    assert stage.fleet.ledger.outages() == []
    stage.fleet.start_maintenance(the_one(stage))
    stage.after(HOUR)
    assert the_one(stage).ticket is None


def test_a_refusal_is_409_though_the_flag_says_allowed() -> None:
    stage = behaving(refused=True)
    assert the_one(stage).ticket.allowed(stage.clock.now)
    assert stage.fleet.start_maintenance(the_one(stage)).code == "OperationNotAllowed"


def test_a_status_may_linger_with_the_flag_true_or_false_and_then_vanish() -> None:
    for after, flag in (("lingers_allowed", True), ("lingers_done", False)):
        stage = behaving(after_success=after, lingers_for=HOUR)
        stage.fleet.start_maintenance(the_one(stage))
        stage.after(10 * MINUTE)
        assert the_one(stage).ticket.code == "MaintenanceCompleted"
        assert the_one(stage).ticket.allowed(stage.clock.now) is flag
        stage.after(HOUR)
        assert the_one(stage).ticket is None


def test_an_operation_may_fail_after_the_reboot_and_then_nothing_is_maintained() -> None:
    stage = behaving(fails_after_reboot=True)
    answer = stage.fleet.start_maintenance(the_one(stage))
    stage.after(HOUR)
    assert answer.operation.status == "Failed"
    assert len(stage.fleet.ledger.outages()) == 1
    assert stage.fleet.ledger.of(Maintained) == []
    assert the_one(stage).ticket is not None


def test_an_operation_may_never_end() -> None:
    for how, power in (("down", "starting"), ("up", "running")):
        stage = behaving(hangs=how)
        answer = stage.fleet.start_maintenance(the_one(stage))
        stage.after(2 * HOUR)
        assert answer.operation.status == "InProgress"
        assert the_one(stage).power == power
        assert len(stage.fleet.ledger.of(Maintained)) == (1 if how == "up" else 0)


def test_behaviours_add_up_and_scale() -> None:
    slow = Behaviour(reboot=10 * MINUTE) | Behaviour(refused=True, health_finally="missing")
    assert (slow.reboot, slow.refused, slow.health_finally) == (10 * MINUTE, True, "missing")
    assert slow.scaled(0.1).reboot == MINUTE


def test_azure_goes_domain_by_domain_with_a_pause_when_nobody_did() -> None:
    stage = Stage(uniform("web", 10), at=20 * DAY)
    outages = stage.fleet.ledger.outages()
    starts = sorted({outage.since for outage in outages})
    assert starts == [START + 6 * DAY + n * 55 * MINUTE for n in range(5)]
    assert {o.until - o.since for o in outages} == {25 * MINUTE}
    assert {o.cause for o in outages} == {"azure maintenance"}
    states = [(fact.at - START, fact.state) for fact in stage.fleet.ledger.of(WaveBecame)]
    assert states == [
        (timedelta(0), "planned"),
        (6 * DAY, "in_progress"),
        (6 * DAY + 5 * 55 * MINUTE, "complete"),
    ]


def test_azure_leaves_alone_what_the_customer_did_and_takes_what_is_not_eligible() -> None:
    stage = Stage(uniform("web", 5), eligible=lambda i: i.instance_id != "4")
    for number in range(4):
        stage.fleet.start_maintenance(stage.fleet.instance("web", number))
        stage.after(HOUR)
    stage.after(10 * DAY)
    by_azure = [fact.instance[-1] for fact in stage.fleet.ledger.of(Maintained) if fact.who == "azure"]
    assert by_azure == ["4"]


def test_a_cancelled_wave_vanishes_and_another_one_shows() -> None:
    stage = Stage()
    stage.fleet.plan(wave("SECOND-1", self_service=window(2, 9), scheduled=window(10, 12)))
    stage.fleet.cancel("VM1T-1Q8")
    assert the_one(stage).ticket.wave.tracking_id == "SECOND-1"
    stage.fleet.cancel("SECOND-1")
    assert the_one(stage).ticket is None
    stage.after(30 * DAY)
    assert stage.fleet.ledger.outages() == []


def test_a_rescheduled_wave_has_new_windows_where_nothing_was_done_and_reopens_after_a_cancel() -> None:
    stage = Stage()
    stage.fleet.start_maintenance(the_one(stage))
    stage.after(HOUR)
    stage.fleet.cancel("VM1T-1Q8")
    stage.fleet.reschedule("VM1T-1Q8", window(3, 9), window(10, 12))
    other = stage.fleet.instance("web", 1)
    assert the_one(stage).ticket is None
    assert other.ticket.windows()[0] == START + 3 * DAY
    assert not other.ticket.allowed(stage.clock.now)
    stage.fleet.reschedule("VM1T-1Q8", window(1, 9), window(10, 12), again=True)
    assert the_one(stage).ticket.allowed(stage.clock.now)


def test_the_old_scheduled_window_is_void_once_a_wave_was_moved() -> None:
    stage = Stage()
    stage.fleet.reschedule("VM1T-1Q8", window(20, 25), window(30, 40))
    stage.after(25 * DAY)
    assert stage.fleet.ledger.outages() == []
    assert stage.fleet.wave("VM1T-1Q8").state == "planned"


def test_people_interfere() -> None:
    stage = Stage()
    people, instance = stage.fleet.people, the_one(stage)
    answer = stage.fleet.start_maintenance(instance)
    people.stop(instance)
    assert (answer.operation.status, answer.operation.code) == ("Failed", "OperationPreempted")
    assert stage.fleet.start_maintenance(instance).status == 409
    stage.after(HOUR)
    assert instance.power == "stopped"
    people.start(instance)
    stage.after(HOUR)
    assert (instance.power, instance.health) == ("running", "healthy")
    assert instance.ticket is not None
    people.deallocate(instance)
    assert instance.ticket is None
    people.start(instance, back_in_wave=True)
    stage.after(HOUR)
    assert instance.ticket is not None
    people.service_heal(instance)
    assert instance.ticket is None
    stage.fleet.schedule_again("VM1T-1Q8", instance, window(1, 9), window(10, 11))
    assert instance.ticket.windows()[1] == START + 9 * DAY
    people.delete(instance)
    assert "0" not in stage.fleet.scale_set("web").instances
    new = stage.fleet.add_instance(stage.fleet.scale_set("web"), "17")
    assert new.ticket is None
    late = stage.fleet.add_instance(stage.fleet.scale_set("web"), "18", wave="VM1T-1Q8")
    assert late.ticket.allowed(stage.clock.now)


def test_an_operation_preempted_writes_its_end() -> None:
    stage = Stage()
    stage.fleet.start_maintenance(the_one(stage))
    stage.fleet.people.delete(the_one(stage))
    assert [fact.code for fact in stage.fleet.ledger.of(Ended)] == ["OperationPreempted"]


def test_instances_spread_over_zones_groups_and_domains() -> None:
    wide = uniform("wide", 60, zones=("1", "2"), placement_groups=2)
    assert len({i.domain for i in wide.instances.values()}) == 2 * 2 * 5
    assert wide.single_placement_group is False
    flex = flexible("flex", 3)
    assert len({i.domain for i in flex.instances.values()}) == 3
    assert {i.update_domain for i in flex.instances.values()} == {None}


def test_a_window_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="later one"):
        Window(START, START)


def test_a_clock_does_not_go_back() -> None:
    stage = Stage()
    with pytest.raises(ValueError, match="cannot go back"):
        stage.clock.advance(-HOUR)


def test_what_is_planned_for_a_moment_happens_then_however_far_the_clock_jumps() -> None:
    stage = Stage()
    people, other = stage.fleet.people, stage.fleet.instance("web", 1)
    stage.fleet.at(stage.clock.now + HOUR, lambda: people.stop(the_one(stage)))
    stage.fleet.at(stage.clock.now + 2 * HOUR, lambda: stage.fleet.start_maintenance(other))
    assert stage.fleet.next_event_at() == stage.clock.now + HOUR
    stage.after(3 * HOUR)
    first, second = stage.fleet.ledger.outages()
    assert (first.since, first.cause) == (START + DAY + HOUR, "stopped")
    assert (second.since, second.cause) == (START + DAY + 2 * HOUR, "customer maintenance")
