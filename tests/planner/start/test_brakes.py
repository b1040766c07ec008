"""What keeps a start back in the very poll that could make it, also inside the batch itself."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from planner.azure.fleet import Health, Instance, Interval
from planner.record.action import Start
from planner.record.command import CommandKind
from planner.record.run import Run
from planner.record.states import InstanceState, RunState
from tests.altered import altered
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    SELF_SERVICE,
    STATUS,
    always,
    changed,
    command,
    confirmed,
    fleet,
    observe,
    one_of,
    planned,
    scale_set,
    step,
    without,
)

HALF = always(max_unavailable="50%")
FLEET = fleet(20, 2)


def started(run: Run, **more: Any) -> tuple[Run, list[str]]:
    now = more.pop("now", NOW)
    run, actions = step(run, observe(a_policy=HALF, now=now, **more))
    return run, [one.instance for one in actions if isinstance(one, Start)]


@pytest.mark.parametrize(
    "fields",
    [
        {"protected": True, "power": "unknown"},
        {"protected": True, "health": Health.UNHEALTHY},
        {"maintenance": replace(STATUS, allowed=False), "health": Health.UNHEALTHY},
        {"power": "unknown"},
        {"provisioning": "updating"},
    ],
)
def test_an_instance_of_the_batch_that_is_down_and_not_started_itself_holds_up_the_others(
    fields: dict[str, Any],
) -> None:
    run, starts = started(planned(instances=FLEET, a_policy=HALF), instances=changed(FLEET, "0", **fields))
    assert starts == []
    assert "instance" in run.reason
    _, starts = started(run, instances=FLEET, now=NOW + 5 * MINUTE)
    assert len(starts) == 10


def test_an_unhealthy_instance_of_the_batch_that_is_started_with_it_holds_up_nobody() -> None:
    sick = changed(FLEET, "0", health=Health.UNHEALTHY)
    _, starts = started(planned(instances=FLEET, a_policy=HALF), instances=sick)
    assert len(starts) == 10


def test_what_was_maintained_in_the_batch_and_fell_ill_since_holds_up_what_azure_had_put_off() -> None:
    run, _ = started(planned(instances=FLEET, a_policy=HALF), instances=FLEET)
    first = run.batches[0]
    put_off = replace(first.instances[1], state=InstanceState.PENDING, intent_at=None, since=None)
    rest = tuple(
        replace(one, state=InstanceState.MAINTAINED, reason="Maintained.", finished_at=NOW, gone=True)
        for one in (first.instances[0], *first.instances[2:])
    )
    run = replace(run, batches=(replace(first, instances=(put_off, *rest)), *run.batches[1:]))
    done = {one.id for one in rest}
    seen = tuple(replace(one, maintenance=None) if one.id in done else one for one in FLEET)
    later = NOW + 30 * MINUTE
    held, starts = started(run, instances=changed(seen, "0", health=Health.UNHEALTHY), now=later)
    assert starts == []
    assert one_of(held, put_off.id).state is InstanceState.PENDING
    _, starts = started(run, instances=seen, now=later)
    assert starts == [put_off.id]


def test_a_batch_held_back_for_its_own_lead_time_is_not_started_while_it_lasts() -> None:
    run = planned(instances=FLEET, a_policy=HALF)
    until = NOW + 30 * MINUTE
    run = replace(run, batches=tuple(replace(one, held_until=until) for one in run.batches))
    early, starts = started(run, instances=FLEET)
    assert starts == []
    assert early.due == until
    _, starts = started(early, instances=FLEET, now=until)
    assert len(starts) == 10


@pytest.mark.parametrize("windows", ["Sat 02:00-08:00 UTC", "Tue 03:00-03:05 UTC"])
def test_nothing_is_asked_for_outside_the_operators_windows_whatever_a_person_has_waived(
    windows: str,
) -> None:
    closed = always(max_unavailable="50%", windows=windows)
    run = planned(instances=FLEET, a_policy=closed)
    for minute in range(0, 3000, 500):
        now = NOW + minute * MINUTE
        run, actions = step(
            run, observe(a_policy=closed, instances=FLEET, now=now), command(CommandKind.RESUME, at=now)
        )
        assert [one for one in actions if isinstance(one, Start)] == []
        assert run.state is RunState.SCHEDULED


def test_nothing_is_started_in_what_is_left_of_a_self_service_window_too_short_for_a_batch() -> None:
    run = planned(instances=FLEET, a_policy=HALF)
    closes = SELF_SERVICE.end
    last = closes - run.times.expected
    # A plan that no longer meets its deadline is a person's to let go ahead.
    run = replace(run, people=replace(run.people, deadline_waived=True))
    late, starts = started(run, instances=FLEET, now=last + MINUTE)
    assert starts == []
    assert late.due == closes
    _, starts = started(run, instances=FLEET, now=last)
    assert len(starts) == 10


def test_a_start_is_sent_before_the_window_of_its_instance_closes_or_not_at_all() -> None:
    quick = always(max_unavailable="50%", recover_within="5s")
    closing = Interval(SELF_SERVICE.start, NOW + timedelta(seconds=10))
    seen = tuple(replace(one, maintenance=replace(STATUS, self_service=closing)) for one in FLEET)
    run = altered(
        planned(instances=seen, a_policy=quick), state=RunState.SCHEDULED, deadline_waived=True, misfit=""
    )
    _, actions = step(run, observe(a_policy=quick, instances=seen))
    assert {one.before for one in actions if isinstance(one, Start)} == {closing.end}


@pytest.mark.parametrize(
    "changed_since",
    [
        {"service_fabric": True},
        {"managed_by": "/subscriptions/s/providers/Microsoft.ContainerService/managedClusters/c"},
        {"tags": {"__AzureDevOpsElasticPool": "agents"}},
        {"zone_rebalancing": True},
        {"managed_by": "/subscriptions/s/providers/Microsoft.Compute/cloudServices/c"},
        {"spot": True},
        {"ephemeral_os_disk": True},
        {"scheduled_events": True},
        {"unreadable": ("its model",)},
        {"rolling_upgrade": "RollingForward"},
        {"provisioning": "updating"},
        {"tags": {"breakwater-self-service": "never"}},
        {"tags": {"breakwater-soak": "banana"}},
        {"tags": {"ExpiresOn": "2026-11-25"}},
    ],
)
def test_a_scale_set_that_has_become_one_to_be_left_alone_since_its_plan_is_not_started(
    changed_since: dict[str, Any],
) -> None:
    run = planned(instances=FLEET, a_policy=HALF)
    later = NOW + 10 * MINUTE
    held, starts = started(run, a_set=scale_set(**changed_since), instances=FLEET, now=later)
    assert starts == []
    assert held.state is RunState.SCHEDULED
    assert held.reason.startswith(("Waiting: ", "Planned again: "))
    _, starts = started(run, a_set=scale_set(), instances=FLEET, now=later)
    assert len(starts) == 10


@pytest.mark.parametrize(
    ("changed_since", "others"),
    [
        ({"protected": True}, 9),
        ({"power": "deallocated"}, 9),
        ({"maintenance": replace(STATUS, allowed=False)}, 9),
        ({"maintenance": replace(STATUS, self_service=Interval(NOW + HOUR, NOW + 20 * DAY))}, 9),
        ({"maintenance": replace(STATUS, unreadable="a window that is no pair of times")}, 0),
        ({"maintenance": None}, 9),
    ],
)
def test_an_instance_that_has_become_one_to_be_left_alone_since_its_plan_is_not_started(
    changed_since: dict[str, Any], others: int
) -> None:
    run = planned(instances=FLEET, a_policy=HALF)
    known = {"0": "ada at Sun 22 Nov 2026 12:05 UTC"}
    run, actions = confirmed(run, changed(FLEET, "0", **changed_since), HALF, NOW + 10 * MINUTE, stops=known)
    starts = [one.instance for one in actions if isinstance(one, Start)]
    assert "0" not in starts
    assert len(starts) == others


def test_a_start_is_sent_before_the_operators_window_closes_or_not_at_all() -> None:
    quick = always(max_unavailable="50%", recover_within="5s", windows="daily 12:00-13:00 UTC")
    run = altered(
        planned(instances=FLEET, a_policy=quick), state=RunState.SCHEDULED, deadline_waived=True, misfit=""
    )
    now = NOW + HOUR - timedelta(seconds=10)
    _, actions = step(run, observe(a_policy=quick, instances=FLEET, now=now))
    assert {one.before for one in actions if isinstance(one, Start)} == {NOW + HOUR}


def test_an_instance_that_somebody_has_switched_off_is_skipped_with_its_power_state() -> None:
    run = planned(instances=FLEET, a_policy=HALF)
    run, _ = confirmed(run, changed(FLEET, "0", power="deallocated"), HALF)
    assert one_of(run, "0").state is InstanceState.SKIPPED
    assert "deallocated" in one_of(run, "0").reason


def throttled_once(instances: Sequence[Instance]) -> tuple[Run, str, tuple[str, ...]]:
    """A run whose first batch flies, but for one whose start was throttled; who that is, and who flies."""
    run, _ = started(planned(instances=instances, a_policy=HALF), instances=instances)
    first = run.batches[0]
    waiting, *others = first.instances
    flying = [replace(one, state=InstanceState.REBOOTING, answered=True) for one in others]
    unsent = replace(waiting, state=InstanceState.PENDING, intent_at=None, since=None, retry_at=NOW + MINUTE)
    run = replace(run, batches=(replace(first, instances=(unsent, *flying)), *run.batches[1:]))
    return run, waiting.id, tuple(one.id for one in flying)


def test_what_was_throttled_and_moved_to_another_domain_does_not_go_down_beside_the_others() -> None:
    run, late, _ = throttled_once(FLEET)
    later = NOW + 2 * MINUTE
    _, starts = started(run, instances=FLEET, now=later)
    assert starts == [late]
    _, starts = started(run, instances=changed(FLEET, late, update_domain=1), now=later)
    assert starts == []


def test_what_was_throttled_waits_when_fewer_may_be_down_than_at_the_start() -> None:
    run, late, flying = throttled_once(FLEET)
    later = NOW + 2 * MINUTE
    elsewhere = [one.id for one in FLEET if one.id not in {late, *flying}]
    scaled_in = without(FLEET, *elsewhere[:8])
    _, starts = started(run, instances=scaled_in, now=later)
    assert starts == []
