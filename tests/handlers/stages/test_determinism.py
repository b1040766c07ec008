"""Same input, same plan, byte for byte: in another process, another order, and a second time."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from handlers.wire.documents import encode
from planner.azure.fleet import Interval
from planner.azure.wave import Stage
from planner.decision.decide import decide
from planner.policy.model import Limits, Match, Policy, Rule
from planner.record.states import ENDED
from tests.places import ROOT
from tests.planner.protocol import NOW, Protocol, announced
from tests.planner.small_azure import SmallAzure

H = timedelta(hours=1)
TAGS = {
    "breakwater-soak": "45m", "breakwater-max-unavailable": "2", "team": "web", "breakwater-owner": "ops",
    "breakwater-local-state": "no", "breakwater-after": "db", "Breakwater-Accept": "local-state, protection",
}  # fmt: skip
DEFAULTS = {
    "self-service": "always", "lead": "10m", "mode": "approve", "health": "required", "soak": "5m",
    "windows": "daily 22:00-10:00 Europe/Berlin; Sat,Sun 02:00-06:00 UTC", "recover-within": "40m",
}  # fmt: skip
RULES = (
    Rule("web", Match(tags={"team": ("w*", "x*")}), {"complete-by": "2026-12-01", "mode": "auto"}),
    Rule("rest", Match(), {"self-service": "never"}),
)


def turned[Value](values: Mapping[str, Value], seed: int) -> dict[str, Value]:
    """The same mapping, written in another order."""
    keys = list(values)
    Random(seed).shuffle(keys)
    return {key: values[key] for key in keys}


def policy_of(seed: int) -> Policy:
    return Policy(
        defaults=turned(DEFAULTS, seed),
        rules=tuple(replace(one, values=turned(one.values, seed)) for one in RULES),
        tags_may_loosen=frozenset(turned(dict.fromkeys(("soak", "accept", "mode", "windows"), 1), seed)),
        limits=Limits(1, 2),
    )


def decided(seed: int) -> bytes:
    """A decision with everything in it, its inputs in an order that the seed chooses."""
    azure = SmallAzure(flexible=False, zones=2, domains=3, count=17, window=Interval(NOW - H, NOW + 300 * H))
    azure.machines["3"].become(protected=True)
    azure.machines["5"].become(power="deallocated")
    scale_set = replace(azure.scale_set, tags=turned(TAGS, seed))
    instances = list(azure.shown(NOW))
    Random(seed).shuffle(instances)
    current = [announced("VM8T-1Q8", Stage.PLANNED, NOW).current]
    return encode(decide(scale_set, instances, current, policy_of(seed), NOW))


def lived(seed: int) -> str:
    """A fingerprint of every record of a run that lives through all sorts of things."""
    dice = Random(seed)
    azure = SmallAzure(
        flexible=seed % 3 == 0, zones=seed % 2 * 2, domains=2, count=6, window=Interval(NOW - H, NOW + 90 * H)
    )
    world = Protocol(azure, replace(policy_of(0), rules=(), limits=Limits()))
    digest = hashlib.sha256()
    world.plan()
    for _ in range(120):
        run = world.run
        assert run is not None
        digest.update(encode(run))
        if run.state in ENDED:
            break
        world.now = max(world.now, run.due)
        machine = azure.machines[dice.choice(list(azure.machines))]
        if machine.operation:
            dice.choice((azure.down, azure.up, lambda one: azure.end(one, "cleared")))(machine)
        said = dice.choice(("approve", "hold", "resume", "raise", "", "", ""))
        fields = {"raised": {"soak": "1m", "lead": "0m"}} if said == "raise" else {}
        world.poll([world.event(said, **fields)] if said else [])
        if dice.random() < 0.1:
            world.policy = replace(world.policy, defaults={**DEFAULTS, "soak": dice.choice(("1m", "2h"))})
            world.plan()
    assert world.findings == []
    return digest.hexdigest()


def everything() -> str:
    return " ".join([hashlib.sha256(decided(0)).hexdigest(), *map(lived, range(6))])


@pytest.mark.parametrize("hash_seed", ["0", "1", "4242"])
def test_another_process_writes_the_same_records_byte_for_byte(hash_seed: str) -> None:
    words = "from tests.handlers.stages.test_determinism import everything; print(everything())"
    found = subprocess.run(
        [sys.executable, "-c", words],
        env={**os.environ, "PYTHONHASHSEED": hash_seed, "TZ": "Pacific/Auckland"},
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert found.stdout.split() == everything().split()


@pytest.mark.parametrize("seed", range(1, 12))
def test_no_order_in_which_a_policy_tags_or_instances_come_changes_a_decision(seed: int) -> None:
    assert decided(seed) == decided(0)


def test_a_run_that_lives_through_the_same_again_leaves_the_same_records() -> None:
    assert [lived(seed) for seed in range(6)] == [lived(seed) for seed in range(6)]
