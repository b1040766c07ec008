"""What a batch of a Flexible scale set is called: short enough to be said, told apart from the others."""

import pytest

from planner.azure.fleet import Instance, Orchestration, ScaleSet
from planner.policy.model import Policy
from planner.policy.resolve import rules_for
from planner.schedule.batching import batches_of


def named(count: int, at_once: str, zone: str = "1") -> list[str]:
    tags = {"breakwater-max-unavailable": at_once}
    scale_set = ScaleSet("/a/web", "a", "b", "web", "westeurope", Orchestration.FLEXIBLE, tags)
    rules = rules_for(Policy(tags_may_loosen=frozenset({"max-unavailable"})), scale_set)
    instances = [Instance(f"web_{number:08x}{'f' * 50}", zone, power="running") for number in range(count)]
    return [batch.domain for batch in batches_of(scale_set, instances, count, rules)]


@pytest.mark.parametrize("at_once", ["1", "3", "4", "12", "100%"])
def test_the_name_of_a_batch_is_short_enough_to_be_typed_and_each_has_its_own(at_once: str) -> None:
    names = named(333, at_once)

    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= 200


def test_a_few_instances_are_spelt_out_and_many_are_told_by_the_first_and_the_last() -> None:
    single, many = named(1, "1", zone=""), named(9, "9")

    assert single == [f"instance web_00000000{'f' * 50}"]
    assert many == [f"zone 1, instances web_00000000{'f' * 50} to web_00000008{'f' * 50} (9)"]
