"""Which instances go down together: domains, zones, placement groups, Flexible sets, max-unavailable."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.azure.fleet import Instance, ScaleSet
from planner.policy.durations import Share
from planner.policy.model import Rules
from planner.record.batch import Batch
from planner.schedule.batching import batches_of, most_down
from tests.planner.builders import always, decided, fleet, flexible, instance, policy, rules, scale_set

WHOLE_DOMAINS = Rules(max_unavailable=(Share(count=1000),), default_share=False)


def shapes(batches: tuple[Batch, ...]) -> list[tuple[str, list[str]]]:
    return [(batch.domain, [each.id for each in batch.instances]) for batch in batches]


def of(
    a_set: ScaleSet, instances: tuple[Instance, ...], a_rules: Rules = WHOLE_DOMAINS
) -> list[tuple[str, list[str]]]:
    return shapes(batches_of(a_set, instances, sum(instance.running for instance in instances), a_rules))


def test_a_batch_is_an_update_domain_in_the_order_of_numbers_and_not_of_letters():
    instances = (instance("10", 10), instance("2", 2), instance("1", 10), instance("0", 0))
    assert of(scale_set(), instances) == [
        ("domain 0", ["0"]),
        ("domain 2", ["2"]),
        ("domain 10", ["1", "10"]),
    ]


def test_the_same_update_domain_in_two_placement_groups_is_two_domains_named_apart():
    instances = (
        instance("0", 0, placement_group="aaaaaaaa-1111"),
        instance("1", 0, placement_group="bbbbbbbb-2222"),
        instance("2", 0, placement_group="aaaaaaaa-1111"),
    )
    assert of(scale_set(), instances) == [
        ("group aaaaaaaa, domain 0", ["0", "2"]),
        ("group bbbbbbbb, domain 0", ["1"]),
    ]


def test_placement_groups_that_begin_alike_are_still_named_apart():
    """Skipping a domain is by its name: two domains under one name would be skipped together."""
    instances = (
        instance("0", 0, placement_group="aaaaaaaa-1111"),
        instance("1", 0, placement_group="aaaaaaaa-2222"),
    )
    names = [domain for domain, _ in of(scale_set(), instances)]
    assert len(set(names)) == 2


def test_a_single_placement_group_is_not_worth_naming():
    instances = (
        instance("0", 0, placement_group="aaaaaaaa-1111"),
        instance("1", 1, placement_group="aaaaaaaa-1111"),
    )
    assert [name for name, _ in of(scale_set(), instances)] == ["domain 0", "domain 1"]


def test_zones_keep_the_same_update_domain_apart_in_a_set_over_several_groups_and_zones():
    instances = tuple(
        instance(f"{zone}{group}{domain}", domain, zone=zone, placement_group=group)
        for zone in ("1", "2")
        for group in ("gamma", "delta")
        for domain in (0, 1)
    )
    found = of(scale_set(), instances)
    assert len(found) == 8
    assert all(len(ids) == 1 for _, ids in found)
    assert found[0] == ("zone 1, group delta, domain 0", ["1delta0"])
    assert len({name for name, _ in found}) == 8


def test_a_set_with_a_single_domain_never_goes_down_as_a_whole_by_default():
    found = of(scale_set(), fleet(10, 1), rules())
    assert [len(ids) for _, ids in found] == [2, 2, 2, 2, 2]
    assert {name for name, _ in found} == {"domain 0"}


def test_instances_of_an_unknown_domain_go_one_at_a_time_however_many_may_be_down():
    found = of(scale_set(), tuple(instance(str(at), None) for at in range(3)))
    assert [ids for _, ids in found] == [["0"], ["1"], ["2"]]
    assert "domain unknown, instance 0" in found[0][0]


def test_an_unknown_domain_beside_known_ones_joins_none_of_them():
    found = of(scale_set(), (instance("0", 0), instance("1", None), instance("2", 0)))
    assert [ids for _, ids in found] == [["0", "2"], ["1"]]


def test_a_flexible_set_goes_one_at_a_time_whatever_domains_it_shows():
    instances = tuple(instance(f"vm_{at}", 0) for at in range(10))
    found = of(flexible(), instances, rules())
    assert [len(ids) for _, ids in found] == [1] * 10
    assert found[0] == ("instance vm_0", ["vm_0"])


def test_max_unavailable_widens_a_flexible_batch_within_one_zone_only():
    instances = tuple(instance(f"vm_{at}", None, zone=str(at % 2 + 1)) for at in range(6))
    found = of(flexible(), instances, rules(max_unavailable="2"))
    assert [ids for _, ids in found] == [["vm_0", "vm_2"], ["vm_4"], ["vm_1", "vm_3"], ["vm_5"]]
    assert found[0][0] == "zone 1, instances vm_0, vm_2"


@pytest.mark.parametrize(
    ("said", "running", "domain", "most"),
    [
        ({}, 10, 10, 2),
        ({}, 4, 4, 1),
        ({}, 9, 9, 1),
        ({}, 0, 3, 1),
        ({}, 100, 20, 20),
        ({}, 1000, 20, 20),
        ({"max_unavailable": "3"}, 10, 10, 3),
        ({"max_unavailable": "3"}, 10, 2, 2),
        ({"max_unavailable": "25%"}, 10, 10, 2),
        ({"max_unavailable": "1%"}, 10, 10, 1),
        ({"max_unavailable": "100%"}, 10, 4, 4),
        ({"max_unavailable": "default"}, 10, 10, 2),
    ],
)
def test_how_many_may_be_down_at_once(said: dict[str, str], running: int, domain: int, most: int):
    assert most_down(scale_set(), rules(**said), running, domain) == most


def test_a_tag_can_only_make_batches_smaller_unless_the_file_lets_it():
    a_set = scale_set(tags={"breakwater-max-unavailable": "9"})
    assert max(len(batch.instances) for batch in decided(a_set, fleet(10, 1)).batches) == 2
    smaller = scale_set(tags={"breakwater-max-unavailable": "1"})
    assert (
        max(
            len(batch.instances)
            for batch in decided(smaller, fleet(10, 1), always(max_unavailable="5")).batches
        )
        == 1
    )


def test_instances_outside_the_wave_are_in_no_batch_and_still_count_as_running():
    instances = (*fleet(2, 1), *(instance(str(at), 0, maintenance=None) for at in range(2, 10)))
    found = decided(instances=instances, a_policy=policy(self_service="always"))
    assert shapes(found.batches) == [("domain 0", ["0", "1"])]


def test_a_fifth_is_counted_of_what_runs_and_not_of_what_there_is():
    instances = tuple(
        replace(instance, power="running" if at < 5 else "stopped")
        for at, instance in enumerate(fleet(20, 1))
    )
    assert max(len(batch.instances) for batch in decided(instances=instances).batches) == 1


instances_drawn = st.lists(
    st.builds(
        instance,
        st.integers(0, 200).map(str),
        st.none() | st.integers(0, 5),
        zone=st.sampled_from(["", "1", "2", "3"]),
        placement_group=st.sampled_from(["", "alpha-group-one", "alpha-group-two", "beta"]),
        power=st.sampled_from(["running", "running", "running", "stopped"]),
    ),
    max_size=60,
    unique_by=lambda instance: instance.id,
).map(tuple)


@given(instances_drawn, st.sampled_from(["default", "1", "3", "7%", "20%", "50%", "100%"]), st.booleans())
def test_every_instance_is_in_one_batch_of_its_own_domain_and_no_batch_is_larger_than_may_be(
    instances: tuple[Instance, ...], share: str, flex: bool
):
    a_set, a_rules = (flexible if flex else scale_set)(), rules(max_unavailable=share)
    running = sum(instance.running for instance in instances)
    found = batches_of(a_set, instances, running, a_rules)
    by_id = {instance.id: instance for instance in instances}
    assert Counter(instance.id for batch in found for instance in batch.instances) == Counter(by_id.keys())
    assert [batch.number for batch in found] == list(range(1, len(found) + 1))
    bound = a_rules.max_unavailable[0].of(running) if a_rules.max_unavailable else max(1, running // 5)
    bound = 1 if flex and share == "default" else bound
    keys: dict[str, set[tuple[object, ...]]] = {}
    for batch in found:
        members = [by_id[instance.id] for instance in batch.instances]
        assert 1 <= len(members) <= bound
        assert len({member.zone for member in members}) == 1
        if not flex:
            where = {(member.zone, member.placement_group, member.update_domain) for member in members}
            assert len(where) == 1
            assert len(members) == 1 or members[0].update_domain is not None
            keys.setdefault(batch.domain, set()).update(where)
    assert all(len(found) == 1 for found in keys.values())
    assert found == batches_of(a_set, tuple(reversed(instances)), running, a_rules)


@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 20))
def test_a_domain_is_split_into_as_few_batches_as_max_unavailable_allows(size: int, domains: int, most: int):
    instances = fleet(size, domains)
    found = of(scale_set(), instances, rules(max_unavailable=most))
    for domain in range(min(domains, size)):
        members = sum(instance.update_domain == domain for instance in instances)
        mine = [ids for name, ids in found if name == f"domain {domain}"]
        assert len(mine) == -(-members // most)
