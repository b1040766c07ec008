"""The oracle finds each kind of broken promise, and nothing in a run that keeps them."""

from datetime import timedelta

import pytest

from simulator.fleet import Behaviour, Fleet, Instance, flexible, uniform
from simulator.oracle import accounted, violations
from tests.simulator.support import DAY, HOUR, MINUTE, Stage, window

QUICK = Behaviour(reboot=4 * MINUTE, health_delay=MINUTE)


def only(found: list[str], *parts: str) -> None:
    """Exactly one finding, saying all this."""
    assert len(found) == 1, found
    for part in parts:
        assert part in found[0], found


def run_well(stage: Stage, name: str) -> None:
    """One domain after the other, each healthy before the next."""
    domains: dict[tuple[str, str, str], list[Instance]] = {}
    for instance in stage.fleet.scale_set(name).instances.values():
        domains.setdefault(instance.domain, []).append(instance)
    for batch in domains.values():
        for instance in batch:
            stage.fleet.start_maintenance(instance)
        stage.after(30 * MINUTE)


@pytest.mark.parametrize(
    "scale_set",
    [
        uniform("web", 10),
        uniform("wide", 12, placement_groups=2),
        uniform("zonal", 9, zones=("1", "2", "3")),
        flexible("flex", 3),
        uniform("mute", 10, health="none"),
    ],
    ids=lambda s: s.name,
)
def test_a_run_domain_by_domain_breaks_no_promise(scale_set) -> None:
    name = scale_set.name
    stage = Stage(scale_set)
    run_well(stage, name)
    assert all(i.ticket is None for i in stage.fleet.scale_set(name).instances.values())
    assert violations(stage.fleet, windows={name: [(stage.wave.self_service.start, stage.clock.now)]}) == []


def test_two_domains_of_a_set_at_once_are_found() -> None:
    stage = Stage(uniform("web", 10, health="none", behaviour=Behaviour(guest_delay=5 * MINUTE)))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.after(MINUTE)
    stage.fleet.start_maintenance(stage.fleet.instance("web", 1))
    found = violations(stage.fleet)
    assert any("web_1" not in f and "another domain of the scale set was down (0)" in f for f in found)
    assert any("0 was not serving (maintenance" in f for f in found)


def test_the_same_update_domain_of_two_placement_groups_is_two_domains() -> None:
    stage = Stage(uniform("wide", 20, placement_groups=2))
    first, second = stage.fleet.instance("wide", 0), stage.fleet.instance("wide", 1)
    assert first.update_domain == second.update_domain
    stage.fleet.start_maintenance(first)
    stage.fleet.start_maintenance(second)
    assert any("another domain" in found for found in violations(stage.fleet))


def test_instances_of_one_domain_may_go_together_up_to_the_limit_given() -> None:
    stage = Stage()
    for number in (0, 5):
        stage.fleet.start_maintenance(stage.fleet.instance("web", number))
    assert violations(stage.fleet) == []
    only(violations(stage.fleet, max_unavailable={"web": 1}), "5 of web", "1 of at most 1 were down")


def test_two_flexible_instances_at_once_are_found_unless_allowed_and_never_across_zones() -> None:
    stage = Stage(flexible("flex", 4, zones=("1", "2"), health="none"))
    first, across, beside, _ = stage.fleet.scale_set("flex").instances.values()
    stage.fleet.start_maintenance(first)
    stage.fleet.start_maintenance(beside)
    limited = [f for f in violations(stage.fleet) if "of at most" in f]
    only(limited, "1 of at most 1")
    assert any("was not serving" in f for f in violations(stage.fleet))
    assert violations(stage.fleet, max_unavailable={"flex": 2}) == []
    stage.fleet.start_maintenance(across)
    assert any("another zone" in f for f in violations(stage.fleet, max_unavailable={"flex": 3}))


def test_a_start_outside_the_self_service_window_is_found() -> None:
    stage = Stage(at=timedelta(0))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    only(violations(stage.fleet), "0 of web was started outside its self-service window")


def test_a_start_in_the_gap_between_the_windows_is_found() -> None:
    stage = Stage(at=5.5 * DAY)
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    only(violations(stage.fleet), "outside its self-service window")


def test_a_start_azure_did_not_allow_is_found() -> None:
    stage = Stage(eligible=lambda i: i.instance_id != "0")
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    only(violations(stage.fleet), "although Azure did not allow it")


def test_a_start_after_the_wave_was_cancelled_is_found_unless_it_was_a_race() -> None:
    stage = Stage()
    stage.fleet.cancel("VM1T-1Q8")
    stage.after(timedelta(seconds=5))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    only(violations(stage.fleet), "although it is in no wave")
    assert violations(stage.fleet, grace=timedelta(seconds=30)) == []


@pytest.mark.parametrize("after", ["cleared", "lingers_allowed", "lingers_done"])
def test_starting_what_was_maintained_is_found(after) -> None:
    stage = Stage(uniform("web", 5, behaviour=Behaviour(after_success=after)))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.after(HOUR)
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    assert any("after it had been maintained, without new windows" in f for f in violations(stage.fleet))


def test_starting_again_with_new_windows_is_fine() -> None:
    stage = Stage()
    instance = stage.fleet.instance("web", 0)
    stage.fleet.start_maintenance(instance)
    stage.after(HOUR)
    stage.fleet.schedule_again("VM1T-1Q8", instance, window(1, 8), window(9, 12))
    assert stage.fleet.start_maintenance(instance).status == 202
    assert violations(stage.fleet) == []


def test_a_second_start_while_the_first_is_under_way_is_found_unless_its_answer_was_lost() -> None:
    stage = Stage(uniform("web", 5), uniform("lossy", 5, behaviour=Behaviour(lost_answers=1)))
    for name in ("web", "lossy"):
        for _ in range(2):
            stage.fleet.start_maintenance(stage.fleet.instance(name, 0))
    only(violations(stage.fleet), "0 of web was started again while its start of", "still under way")


def test_a_second_start_is_found_as_well_when_what_became_of_the_first_was_in_doubt_for_too_short() -> None:
    stage = Stage(uniform("lossy", 5, behaviour=Behaviour(lost_answers=1, guest_delay=15 * MINUTE)))
    for _ in range(2):
        stage.fleet.start_maintenance(stage.fleet.instance("lossy", 0))
        stage.after(5 * MINUTE)
    only(violations(stage.fleet, in_doubt=30 * MINUTE), "0 of lossy was started again", "still under way")
    assert violations(stage.fleet, in_doubt=MINUTE) == []


def test_retrying_what_azure_put_off_is_fine() -> None:
    stage = Stage(uniform("web", 5, behaviour=Behaviour(retry_later=1)))
    for _ in range(2):
        stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
        stage.after(HOUR)
    assert stage.fleet.instance("web", 0).ticket is None
    assert violations(stage.fleet) == []


def test_a_start_beside_an_unhealthy_instance_is_found_unless_health_is_ignored() -> None:
    stage = Stage()
    stage.fleet.people.set_health(stage.fleet.instance("web", 7), "unhealthy")
    stage.after(10 * MINUTE)
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    only(violations(stage.fleet), "while 7 was not serving (health unhealthy since")
    assert violations(stage.fleet, health_ignored={"WEB"}) == []
    assert violations(stage.fleet, grace=HOUR) == []


def test_a_start_beside_one_that_never_became_healthy_again_is_found() -> None:
    stage = Stage(uniform("web", 5, behaviour=Behaviour(health_finally="missing")))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.after(HOUR)
    stage.fleet.start_maintenance(stage.fleet.instance("web", 1))
    only(violations(stage.fleet), "0 was not serving (health missing")


def test_instances_somebody_stopped_do_not_count_as_unhealthy() -> None:
    stage = Stage()
    stage.fleet.people.stop(stage.fleet.instance("web", 7))
    stage.fleet.people.deallocate(stage.fleet.instance("web", 8))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    assert violations(stage.fleet) == []


def test_a_start_on_a_blocked_set_or_instance_is_found() -> None:
    stage = Stage()
    instance = stage.fleet.instance("web", 0)
    stage.fleet.start_maintenance(instance)
    for blocked in ("web", instance.owner.id.upper(), instance.id):
        only(violations(stage.fleet, blocked={blocked}), "0 of web was started although it is blocked")


def test_a_set_wide_call_is_found_even_with_ids() -> None:
    stage = Stage()
    stage.fleet.start_set_wide(stage.fleet.scale_set("web"), ["0", "5"])
    only(violations(stage.fleet), "whole scale set web was called, for 0, 5")
    stage.fleet.start_set_wide(stage.fleet.scale_set("web"), None)
    assert any("without instance ids" in found for found in violations(stage.fleet))


def test_a_start_outside_the_operators_windows_is_found() -> None:
    stage = Stage()
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    now = stage.clock.now
    assert violations(stage.fleet, windows={"web": [(now, now + HOUR)], "other": []}) == []
    only(
        violations(stage.fleet, windows={"web": [(now + HOUR, now + 2 * HOUR)]}),
        "outside the operator's windows",
    )


def report(fleet: Fleet, **runs: dict) -> dict:
    listed = [
        {"scale_set": fleet.scale_set(name).id, "verdict": "self_service", "reason": "", "batches": []} | run
        for name, run in runs.items()
    ]
    return {"tracking_id": "VM1T-1Q8", "runs": listed}


def test_an_instance_nobody_accounts_for_is_named() -> None:
    stage = Stage(uniform("web", 3))
    stage.fleet.start_maintenance(stage.fleet.instance("web", 0))
    stage.after(HOUR)
    assert len(accounted(stage.fleet, report(stage.fleet))) == 2
    batch = {"instances": [{"id": stage.fleet.instance("web", 1).id.lower(), "state": "missed"}]}
    only(accounted(stage.fleet, report(stage.fleet, web={"batches": [batch]})), "web_2 of web")


def test_nobody_owes_an_instance_that_azure_has_moved_out_of_the_wave() -> None:
    stage = Stage(uniform("web", 2))
    stage.fleet.people.service_heal(stage.fleet.instance("web", 0))
    stage.fleet.people.stop(stage.fleet.instance("web", 1))
    only(accounted(stage.fleet, report(stage.fleet, web={})), "web_1 of web")


def test_nobody_owes_a_wave_that_was_called_off_and_closed_since() -> None:
    stage = Stage(uniform("web", 2))
    stage.fleet.complete("VM1T-1Q8")
    assert len(accounted(stage.fleet, report(stage.fleet, web={}))) == 2
    stage.fleet.cancel("VM1T-1Q8")
    stage.fleet.complete("VM1T-1Q8")
    assert accounted(stage.fleet, report(stage.fleet, web={})) == []


def test_a_set_left_to_azure_needs_a_reason_to_be_accounted_for() -> None:
    stage = Stage(uniform("web", 3, zones=("1",)), eligible=lambda i: i.instance_id != "2")
    silent = report(stage.fleet, web={"verdict": "leave_to_azure"})
    assert len(accounted(stage.fleet, silent)) == 2
    spoken = report(stage.fleet, web={"verdict": "leave_to_azure", "reason": "no need declared"})
    assert accounted(stage.fleet, spoken) == []
