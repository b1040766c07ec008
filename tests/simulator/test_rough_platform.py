"""The platform that misbehaves under the demo: the same for the same seed, and calm again at the end."""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

from simulator.demo import platform
from simulator.demo.platform import LASTS, LENGTHS, Blow, Platform, plan
from tests.virtual import elapsed, played


def test_the_same_seed_deals_the_same_blows_and_another_one_others() -> None:
    assert plan(1, 2) == plan(1, 2)
    assert plan(1, 2) != plan(2, 2)
    assert [one for one in plan(1, 2) if one.host == 0] == list(plan(1, 1)), "a second host changes nothing"


@pytest.mark.parametrize("seed", range(20))
def test_each_host_is_up_between_its_blows_and_the_last_one_comes_in_time(seed: int) -> None:
    blows = plan(seed, 2)
    for host in (0, 1):
        mine = [one for one in blows if one.host == host]
        assert len(mine) >= 2
        assert all(one.at + one.lasts + 5 <= following.at for one, following in pairwise(mine))
    assert all(one.at < LASTS for one in blows)
    assert all(LENGTHS[one.blow][0] <= one.lasts <= LENGTHS[one.blow][1] for one in blows)


def test_every_kind_of_blow_comes_up() -> None:
    assert {one.blow for seed in range(5) for one in plan(seed, 2)} == set(Blow)


class Host:
    """A host that notes what is done to it."""

    worker_pid = 4711

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.up = True

    async def kill(self) -> None:
        assert self.up
        self.up = False
        self.done["killed"] += 1

    async def start(self) -> None:
        self.up = True
        self.done["started"] += 1

    async def wait_ready(self, _: float) -> str:
        return ""


def test_whoever_dies_is_started_again_whoever_hangs_goes_on_and_each_blow_is_told(monkeypatch: Any) -> None:
    signals: list[int] = []
    monkeypatch.setattr(platform.os, "kill", lambda _, number: signals.append(number))
    hosts, told = [Host(), Host()], list[str]()
    blows = plan(3, 2)

    async def misbehave() -> float:
        await Platform(hosts, blows, told.append).misbehave()  # type: ignore[arg-type]
        return elapsed().total_seconds()

    took = played(misbehave())

    deaths = sum(one.blow is not Blow.HANGS for one in blows)
    assert sum(host.done["killed"] for host in hosts) == deaths
    assert all(host.up and host.done["started"] == host.done["killed"] for host in hosts)
    hangs = len(blows) - deaths
    assert signals.count(platform.signal.SIGSTOP) == signals.count(platform.signal.SIGCONT) == hangs
    assert len(told) == len(blows) + 1
    assert took == pytest.approx(max(one.at + one.lasts for one in blows))
