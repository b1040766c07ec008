"""Worlds that answer wrongly: whatever lies are told, the promises hold.

`make chaos` plays as many as one likes; these are the ones CI plays. Each lie by itself, told often, in a world
in which nothing else fails; then random handfuls of lies by their seed, with everything that happens in a wave.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest

from planner.policy.model import Limits, Policy
from simulator.fleet import SUBSCRIPTION, Wave, Window, flexible, uniform
from simulator.lies import CATALOGUE, Lie, Lies
from simulator.lies.machines import afflict
from simulator.lies.somebody import meddle
from tests.world.scenarios import TRACKING_ID, Drawn
from tests.world.trial import QUIET, Trial, shrunk
from tests.world.world import World

SEED = 7
STRONG = 0.3
STRONGER = {"throttled-for-hours": 0.05, "failed-set": 0.9, "word-conflict": 0.9, "missing-set": 0.9}
SEEN = {"view", "listing", "answer", "refusal", "storage"}
NOT_HERE = {"odd-address", "empty-graph"}
"""Told over HTTP, and of what nobody needs to ask in so small a world."""

BESIDE = {"no-instance": {"missing-instance": 0.5}}
"""An instance is read by itself once a listing has left it out."""

SEEDS = range(1, 13)
DAY = timedelta(days=1)


def small(lies: Lies) -> Drawn:
    """Three scale sets, one of each sort, and a short window."""
    policy = Policy(
        defaults={"self-service": "always", "lead": "10m", "soak": "5m"},
        limits=Limits(regions=1, scale_sets=2),
    )
    world = World(policy=policy, lies=lies)
    world.fleet.add(
        uniform("set0", 5, update_domains=2),
        flexible("set1", 3),
        uniform("set2", 3, update_domains=3, health="none"),
    )
    opens = world.clock() - timedelta(hours=1)
    wave = world.fleet.plan(
        Wave(
            tracking_id=TRACKING_ID,
            subscriptions=(SUBSCRIPTION,),
            regions=("westeurope",),
            self_service=Window(opens, opens + 2 * DAY),
            scheduled=Window(opens + 3 * DAY, opens + 6 * DAY),
        )
    )
    afflict(world.fleet, lies)
    meddle(world.fleet, lies)
    return Drawn(world, wave, frozenset(), policy.limits, nightly=False)


def said(world: World, word: str, after: timedelta) -> None:
    """A person says it, as soon as there is a run to say it to."""

    async def say() -> None:
        if "set0" in world.runs():
            await world.say("set0", word)
        else:
            said(world, word, timedelta(hours=1))

    world.at(world.clock() + after, say)


def played(trial: Trial) -> list[str]:
    return trial.play()[0]


@pytest.mark.parametrize("lie", CATALOGUE, ids=lambda lie: lie.name)
async def test_each_lie_by_itself_breaks_no_promise(lie: Lie) -> None:
    wave = small(Lies({lie.name: STRONGER.get(lie.name, STRONG), **BESIDE.get(lie.name, {})}, SEED))
    world = wave.world
    said(world, "hold", timedelta(minutes=20))
    said(world, "resume", timedelta(minutes=40))
    await wave.play()
    assert wave.broken() == []
    if lie.where in SEEN and lie.name not in NOT_HERE:
        assert world.compute.liar.told[lie.name], "it was never told, so nothing is shown"


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_world_of_random_lies_breaks_no_promise(seed: int) -> None:
    trial = Trial.of(seed)
    findings = await asyncio.to_thread(played, trial)
    assert findings == [], f"{trial}; make chaos SEED={seed} WORLDS=1 tells its story"


def test_the_same_seed_is_the_same_world() -> None:
    first, again = Trial.of(5), Trial.of(5)
    assert first == again
    one, two = first.world(), again.world()
    assert [each.id for each in one.world.fleet.scale_sets()] == [
        each.id for each in two.world.fleet.scale_sets()
    ]


def test_a_finding_is_made_smaller_until_only_what_it_takes_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding here needs one lie and one scale set; everything else is left out."""
    lies = Lies({"no-set": 0.5, "stale": 0.2, "throttled": 0.1}, 3)
    trial = Trial(3, lies, "the process dies at any step")

    def play(self: Trial, seconds: float | None = None):
        found = "no-set" in self.lies and "set0" not in self.leave_out
        return (["set0 was given up"] if found else []), self.world()

    monkeypatch.setattr(Trial, "play", play)
    smallest, findings, _ = shrunk(trial, "set0 was given up", most=200)
    assert findings == ["set0 was given up"]
    assert smallest.lies.shares == {"no-set": 0.5}
    assert smallest.regime == QUIET
    assert not smallest.eventful
    assert {"set1", "set2", "set3", "set4"} <= smallest.leave_out


@pytest.mark.parametrize("naps", [0, 3600])
def test_a_world_that_hangs_is_a_finding_and_hangs_nobody(
    monkeypatch: pytest.MonkeyPatch, naps: float
) -> None:
    async def for_ever(self: Drawn) -> None:
        while True:
            with suppress(Exception):
                await asyncio.sleep(naps)

    monkeypatch.setattr(Drawn, "play", for_ever)
    findings, _ = Trial.of(1).play(0.2)
    assert findings == ["the world took longer than 0.2 s"]
