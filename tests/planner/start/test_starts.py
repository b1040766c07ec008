"""A start is asked for only where this very poll allows it: planned runs, and one poll of anything."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from planner.azure.fleet import Interval, MaintenanceStatus
from planner.machine.advance import advance
from planner.policy.resolve import rules_for
from planner.record.action import Start
from planner.record.observation import Observation
from tests.planner import promises
from tests.planner.drawing import HEALTHS, some_policy
from tests.planner.protocol import NOW, Protocol, policy
from tests.planner.small_azure import Machine, SmallAzure

H = timedelta(hours=1)
WAYS = ("", "", "", "", "", "", "stopped", "limit", "cancelled", "order")


def one_look(seed: int) -> int:
    """How many instances a poll starts that is drawn by the seed, with every promise kept."""
    dice = Random(seed)
    azure = SmallAzure(
        flexible=dice.random() < 0.3, zones=dice.choice((0, 2)), domains=2, count=6,
        window=Interval(NOW - H, NOW + 480 * H),
    )  # fmt: skip
    values = some_policy(dice) | {"self-service": "always", "mode": dice.choice(("auto", "approve"))}
    world = Protocol(azure, policy(values))
    world.plan()
    if dice.random() < 0.3:
        world.poll([world.event("approve")])
    assert world.run is not None
    now = NOW + dice.choice((0, 0.1, 1, 14, 15, 26, 479.9, 480)) * H
    names = [*list(azure.machines)[:2], *azure.machines]
    for _ in range(dice.choice((0, 1, 1, 2))):
        _changed(azure, azure.machines[dice.choice(names)], dice)
    way = dice.choice(WAYS)
    observation = Observation(
        now,
        # As it should be, or contradicting itself: allowed in no window.
        instances=tuple(one.seen for one in azure.machines.values())
        if dice.random() < 0.3
        else azure.shown(now),
        scale_set=azure.scale_set,
        rules=rules_for(world.policy, azure.scale_set),
        stopped="Everything is stopped." if way == "stopped" else "",
        limit="5 scale sets are in flight." if way == "limit" else "",
        cancelled=way == "cancelled",
        order_problem="The order is a circle." if way == "order" else "",
        operations={one.id: azure.operations[one.operation] for one in world.run.instances if one.operation},
    )
    events = [world.event("approve")] if dice.random() < 0.6 else []
    new, actions = advance(world.run, observation, events, now)
    starts = [one for one in actions if isinstance(one, Start)]
    assert [*promises.of_starts(world.run, new, observation, starts, now), *promises.of_record(new)] == [], (
        seed
    )
    assert not (starts and way), seed
    return len(starts)


def _changed(azure: SmallAzure, machine: Machine, dice: Random) -> None:
    kind = dice.randrange(6)
    if kind == 0:
        machine.become(power=dice.choice(("stopped", "starting", "deallocated")))
    elif kind == 1:
        machine.become(provisioning=dice.choice(("updating", "failed", "creating")))
    elif kind == 2:
        machine.become(health=dice.choice(HEALTHS))
    elif kind == 3:
        machine.become(protected=True)
    elif kind == 4:
        machine.become(maintenance=dice.choice((None, *_statuses(azure))))
    else:
        azure.down(machine)


def _statuses(azure: SmallAzure) -> tuple[MaintenanceStatus, ...]:
    status = azure.status()
    later, over = Interval(NOW + 30 * H, NOW + 600 * H), Interval(NOW - 9 * H, NOW - H)
    return (
        replace(status, allowed=False),
        replace(status, self_service=later),
        replace(status, self_service=over),
        replace(status, self_service=None),
        replace(status, unreadable="a window that ends before it starts"),
        replace(status, result="MaintenanceCompleted", allowed=False),
    )


@pytest.mark.parametrize("first", range(0, 2000, 500))
def test_a_start_is_asked_for_only_where_this_very_poll_allows_it(first: int) -> None:
    assert sum(one_look(seed) for seed in range(first, first + 500)) > 50
