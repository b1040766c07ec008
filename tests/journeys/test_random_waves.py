"""Random waves on a virtual clock, through the real stages: whatever happens, the promises hold.

`tests.world.events` and `tests.world.upheavals` say what happens beside the announcement, `tests.world.promises` and
`tests.world.watch` what must hold of the end and of every record on the way.
"""

from datetime import UTC, datetime, timedelta

import pytest

from planner.record.states import ENDED, HANDS_OFF
from tests.world import Chaos
from tests.world.scenarios import TRACKING_ID, drawn

REGIMES = {
    "nothing goes wrong on the way": Chaos,
    "the process dies at any step": lambda seed: Chaos(seed, kill=0.03),
    "everything goes wrong, four at a time": lambda seed: Chaos(
        seed, kill=0.02, storage=0.01, azure=0.05, throttle=0.05, twice=0.05, hosts=4
    ),
    "two processes on one storage": lambda seed: Chaos(seed, kill=0.01, twice=0.2, hosts=4, processes=2),
}


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seed", range(100, 108))
async def test_a_random_wave_ends_without_a_broken_promise(seed: int, regime: str) -> None:
    wave = drawn(seed, chaos=REGIMES[regime](seed))
    world = wave.world

    await world.alert(TRACKING_ID)
    await world.until(wave.wave.scheduled.end + timedelta(days=2), most=20_000)

    assert world.violations(blocked=wave.blocked) == []
    assert world.errors == []
    runs = world.runs()
    assert {one.name for one in world.fleet.scale_sets()} == set(runs)
    for run in runs.values():
        assert run.state in ENDED | HANDS_OFF, f"{run.target.name} is {run.state}: {run.reason}"
        assert run.reason
        assert [one.number for one in run.story.notices] == list(range(1, len(run.story.notices) + 1))
    assert world.claims() == []


@pytest.mark.parametrize(
    "clocks", [datetime(2027, 3, 27, 8, tzinfo=UTC), datetime(2026, 10, 24, 8, tzinfo=UTC)]
)
@pytest.mark.parametrize("seed", range(80000, 80004))
async def test_a_wave_over_a_change_of_clocks_and_freezes_breaks_no_promise(
    seed: int, clocks: datetime
) -> None:
    wave = drawn(seed, chaos=Chaos(seed, hosts=2), start=clocks, freezes=True)
    await wave.play()
    assert wave.broken() == []


@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("seed", [*range(20, 28), 245, 256, 371, 3089])
async def test_an_eventful_wave_ends_without_a_broken_promise(seed: int, regime: str) -> None:
    wave = drawn(seed, chaos=REGIMES[regime](seed), eventful=True)
    await wave.play()
    assert wave.broken() == []
