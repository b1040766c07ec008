from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.azure.order import predecessors
from planner.azure.wave import Member
from tests.planner.builders import scale_set


def member(name: str, *after: str, tier: str = "", group: str = "Prod") -> Member:
    return Member(scale_set(name, group=group), tier=tier, after=after)


def first(roster: list[Member], name: str, group: str = "Prod") -> tuple[list[str], str]:
    """Who goes before the set of that name, and what is wrong."""
    found, problem = predecessors(roster, scale_set(name, group=group).key)
    return [member.scale_set.name for member in found], problem


def test_without_a_word_nobody_goes_first():
    assert first([member("web"), member("db")], "web") == ([], "")
    assert first([member("web")], "not-in-the-roster") == ([], "")


def test_a_name_and_a_tier_both_name_who_goes_first_in_any_case():
    roster = [
        member("web", "DB", "Queue"),
        member("db"),
        member("Rabbit", tier="queue"),
        member("Kafka", tier="QUEUE"),
    ]
    found, problem = first(roster, "web")
    assert (sorted(found), problem) == (["Kafka", "Rabbit", "db"], "")


def test_a_name_shared_by_sets_of_two_groups_means_both():
    roster = [member("web", "db"), member("db", group="A"), member("db", group="B")]
    assert first(roster, "web") == (["db", "db"], "")


def test_a_set_that_is_named_twice_goes_first_once():
    roster = [member("web", "db", "data"), member("db", tier="data")]
    assert first(roster, "web") == (["db"], "")


def test_names_nobody_has_are_all_spelled_out_beside_the_ones_that_exist():
    found, problem = first([member("web", "db", "dbb", "cache"), member("db")], "web")
    assert found == ["db"]
    assert "names dbb, cache, and no scale set or tier" in problem
    assert "Correct `after`" in problem


def test_an_empty_tier_is_nobodys_name():
    found, problem = first([member("web", "none"), member("db")], "web")
    assert found == []
    assert "none" in problem


@pytest.mark.parametrize(
    ("roster", "name", "circle"),
    [
        ([member("a", "b"), member("b", "a")], "a", "a after b after a"),
        ([member("a", "b"), member("b", "a")], "b", "b after a after b"),
        ([member("a", "b"), member("b", "c"), member("c", "a")], "c", "c after a after b after c"),
        ([member("a", "data"), member("b", "a", tier="data")], "a", "a after b after a"),
        ([member("a", "x", "b"), member("x"), member("b", "a")], "a", "a after b after a"),
    ],
)
def test_a_circle_is_spelled_out_from_the_set_that_asks(roster: list[Member], name: str, circle: str):
    assert f"The order is circular: {circle}." in first(roster, name)[1]


@pytest.mark.parametrize(
    "roster",
    [
        [member("web", "web")],
        [member("web", "WEB", "db"), member("db")],
        [member("web", "front", tier="Front")],
    ],
)
def test_a_set_that_goes_after_itself_is_the_smallest_circle(roster: list[Member]):
    assert "The order is circular: web after web." in first(roster, "web")[1]


def test_who_only_waits_for_a_circle_has_no_problem_of_its_own():
    roster = [member("web", "a"), member("a", "b"), member("b", "a")]
    assert first(roster, "web") == (["a"], "")


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "t1", "t2"]),
            st.lists(st.sampled_from([*"abcdef", "t1", "t2"]), max_size=3, unique=True),
        ),
        min_size=6,
        max_size=6,
    )
)
def test_a_circle_is_found_exactly_where_there_is_a_way_back_and_each_step_of_it_is_true(
    drawn: list[tuple[str, list[str]]],
):
    names = "abcdef"
    tiers = {
        tier: {name for name, (own, _) in zip(names, drawn, strict=True) if own == tier}
        for tier in ("t1", "t2")
    }
    after = {
        name: {before for word in words for before in tiers.get(word, {word})}
        for name, (_, words) in zip(names, drawn, strict=True)
    }
    roster = [member(name, *drawn[at][1], tier=drawn[at][0]) for at, name in enumerate(names)]
    reach = {name: set(after[name]) for name in names}
    for _ in names:
        for name in names:
            reach[name] |= {further for step in reach[name] for further in reach[step]}
    for name in names:
        found, problem = first(roster, name)
        assert set(found) == after[name] - {name}
        nobody = any(not tiers.get(word, {word}) for word in drawn[names.index(name)][1])
        assert bool(problem) is (nobody or name in reach[name])
        if problem and not nobody:
            steps = problem.split(": ")[1].split(". ")[0].split(" after ")
            assert steps[0] == steps[-1] == name
            assert all(second in after[first] for first, second in pairwise(steps))
