"""Worlds that answer wrongly: whatever lies are told, the promises hold.

`make chaos` plays as many as one likes; these are the ones CI plays. Each lie by itself, told often, in a world
in which nothing else fails; then random handfuls of lies by their seed, with everything that happens in a wave.
"""

import asyncio

import pytest

from simulator.lies import CATALOGUE, Lies
from tests.world.trial import QUIET, Trial, shrunk

SEED = 7
STRONGER = 2
SEEDS = range(1, 13)


def played(trial: Trial) -> list[str]:
    return trial.play()[0]


@pytest.mark.parametrize("lie", [one.name for one in CATALOGUE])
async def test_each_lie_by_itself_breaks_no_promise(lie: str) -> None:
    usual = {one.name: one.usual for one in CATALOGUE}[lie]
    lies = Lies({lie: min(0.9, usual * STRONGER)}, SEED)
    trial = Trial(SEED, lies, QUIET, eventful=False, people=False)
    assert await asyncio.to_thread(played, trial) == []


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

    def play(self: Trial):
        found = "no-set" in self.lies and "set0" not in self.leave_out
        return (["set0 was given up"] if found else []), self.world()

    monkeypatch.setattr(Trial, "play", play)
    smallest, findings, _ = shrunk(trial, "set0 was given up", most=200)
    assert findings == ["set0 was given up"]
    assert smallest.lies.shares == {"no-set": 0.5}
    assert smallest.regime == QUIET
    assert not smallest.eventful
    assert {"set1", "set2", "set3", "set4"} <= smallest.leave_out
