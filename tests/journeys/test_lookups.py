"""The extra look-ups of whole waves on a virtual clock: what they cost, and that they are never in the way."""

from datetime import timedelta

import pytest

from handlers.waves.relisting import WHEN_AGREED
from planner.record.states import ENDED, HANDS_OFF
from simulator.fleet import SUBSCRIPTION, Wave, Window, flexible, uniform
from tests.world import Chaos, World

TRACKING_ID = "VM8T-1Q8"
DAY = timedelta(days=1)
LOOK_UPS = {
    "activity log": 2,
    "resource graph": 3,
    "autoscale settings": 1,
    "auto-shutdown schedules": 1,
    "resource groups": 1,
}


def announced(count: int, chaos: Chaos | None = None) -> World:
    """So many scale sets of each kind that somebody keeps stopping, in a wave of five days."""
    world = World(chaos=chaos)
    world.fleet.add(*(uniform(f"u{number}", 2) for number in range(count)))
    world.fleet.add(*(flexible(f"f{number}", 2) for number in range(count)))
    for scale_set in world.fleet.scale_sets():
        world.fleet.people.stop(next(iter(scale_set.instances.values())))
    now = world.clock.advance(timedelta(hours=1))
    opens, closes = now, now + 5 * DAY
    world.fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(opens, closes),
            scheduled=Window(closes + DAY, closes + 3 * DAY),
        )
    )
    return world


@pytest.mark.parametrize("count", [1, 20])
async def test_a_wave_costs_the_same_few_calls_for_few_and_for_many_and_none_when_said_again(count: int):
    world = announced(count)
    for stage in ("Planned", "Active", "InProgress"):
        before = world.compute.calls["list scale sets"]
        await world.alert(TRACKING_ID, stage)
        await world.until(world.clock() + timedelta(minutes=15))
        assert world.compute.calls["list scale sets"] == before + 1
        await world.until(world.clock() + DAY)
        assert world.compute.calls["list scale sets"] <= before + 2 + DAY // WHEN_AGREED
    assert {kind: world.compute.calls[kind] for kind in LOOK_UPS} == LOOK_UPS
    assert world.errors == []
    evidence = world.wave(TRACKING_ID).evidence
    assert {one.stops for one in evidence.scale_sets.values()} == {1}
    assert len(evidence.scale_sets) == 2 * count


@pytest.mark.parametrize("seed", range(12))
async def test_trouble_with_the_look_ups_delays_a_wave_and_is_over_when_azure_is_well(seed: int):
    chaos = Chaos(seed, kill=0.02, azure=0.3, throttle=0.1, twice=0.05, hosts=3)
    world = announced(2, chaos)
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + timedelta(hours=5))
    chaos.azure = chaos.throttle = 0
    await world.until(world.fleet.wave(TRACKING_ID).scheduled.end + 2 * DAY)
    wave = world.wave(TRACKING_ID)
    assert wave.evidence.unread == {}
    assert len(wave.evidence.scale_sets) == 4
    assert world.errors == []
    assert {run.state in ENDED | HANDS_OFF for run in world.runs().values()} == {True}
    assert len(world.runs()) == 4
    assert world.violations() == []


async def test_a_role_that_is_missing_for_the_look_ups_stops_no_wave():
    world = announced(1)
    world.compute.faults.denied |= {
        "Microsoft.Insights/eventtypes/values/read",
        "Microsoft.DevTestLab/schedules/read",
    }
    await world.alert(TRACKING_ID)
    await world.until(world.clock() + DAY)
    assert len(world.wave(TRACKING_ID).evidence.unread) == 2
    assert len(world.runs()) == 2
    assert world.errors == []
