"""Automatic repairs as the world on a virtual clock shows them to the stages, with all that can go wrong."""

from datetime import timedelta

import pytest

from handlers.cloud.errors import Forbidden, NotFound, Refused, Throttled, Unreachable
from simulator.fleet import flexible, uniform
from simulator.fleet.ledger import RepairsAsked
from simulator.fleet.repair_service import RepairService
from tests.world import Chaos, Killed, World


def opened(made=None, **chaos) -> tuple[World, str]:
    world = World(chaos=Chaos(**chaos))
    made = made or uniform("web", 2, automatic_repairs=True)
    world.fleet.add(made)
    return world, made.id


def asked(world: World) -> int:
    return len(world.fleet.ledger.of(RepairsAsked))


async def test_repairs_are_read_suspended_and_resumed() -> None:
    world, web = opened()
    seen = [await world.compute.repairs(web)]
    for suspend in (True, False):
        await world.compute.set_repairs(web, suspend=suspend)
        world.clock.advance(timedelta(seconds=5))
        seen.append(await world.compute.repairs(web.upper()))
    assert seen == ["running", "suspended", "running"]
    assert world.compute.calls == {"repairs": 3, "set repairs": 2}


async def test_a_host_may_die_before_or_after_the_change_was_made() -> None:
    made = set()
    for seed in range(40):
        world, web = opened(seed=seed, kill=0.5)
        try:
            await world.compute.set_repairs(web, suspend=True)
        except Killed:
            made.add(asked(world))
    assert made == {0, 1}


async def test_an_answer_may_be_lost_although_the_change_is_made() -> None:
    for made, chaos in (
        (uniform("web", 2, automatic_repairs=True, repairs=RepairService(lost_answers=1)), {}),
        (uniform("web", 2, automatic_repairs=True), {"azure": 1.0}),
    ):
        world, web = opened(made, **chaos)
        with pytest.raises(Unreachable):
            await world.compute.set_repairs(web, suspend=True)
        world.clock.advance(timedelta(seconds=5))
        world.fleet.world.look()
        assert made.repairs_state == "Suspended"


async def test_what_azure_does_not_do_raises_what_the_product_knows_and_changes_nothing() -> None:
    world, web = opened(throttle=1.0)
    for call in (world.compute.repairs(web), world.compute.set_repairs(web, suspend=True)):
        with pytest.raises(Throttled):
            await call
    assert asked(world) == 0
    for status, kind in ((403, Forbidden), (409, Refused)):
        repairs = RepairService(refused=status)
        world, web = opened(uniform("web", 2, automatic_repairs=True, repairs=repairs))
        with pytest.raises(kind):
            await world.compute.set_repairs(web, suspend=True)
        world.clock.advance(timedelta(minutes=1))
        assert await world.compute.repairs(web) == "running"
    world, flex = opened(flexible("flex", 2, automatic_repairs=True))
    for call in (world.compute.repairs(flex), world.compute.set_repairs(flex, suspend=True)):
        with pytest.raises(Refused):
            await call
    for call in (world.compute.repairs(flex + "x"), world.compute.set_repairs(flex + "x", suspend=True)):
        with pytest.raises(NotFound):
            await call
