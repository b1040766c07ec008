"""Limits in flight: who is one too many beside the others, and the sentence that says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.policy.limits import Claim, over
from planner.policy.model import Limits, Match, MatchLimit

FASTER = "Raise it in the policy file, or for the wave, to go faster."
WEST, NORTH = "westeurope", "northeurope"


def claims(*locations: str) -> list[Claim]:
    return [Claim(f"claims/set{number}", location) for number, location in enumerate(locations)]


def mine(location: str = WEST) -> Claim:
    return Claim("claims/mine", location)


def test_nobody_in_flight_is_no_limit_however_small_it_is():
    assert over([], mine(), Limits(regions=1, scale_sets=1)) == ""


def test_as_many_as_the_limit_may_be_in_flight_and_one_more_may_not():
    limits = Limits(regions=1, scale_sets=3)
    assert over(claims(WEST, WEST), mine(), limits) == ""
    assert over(claims(WEST, WEST, WEST), mine(), limits) == (
        "3 scale sets of this subscription are under way, and `limits.scale-sets` allows 3. " + FASTER
    )


def test_one_is_said_as_one():
    assert over(claims(WEST), mine(), Limits(scale_sets=1)) == (
        "1 scale set of this subscription is under way, and `limits.scale-sets` allows 1. " + FASTER
    )


def test_a_second_region_waits_and_reads_which_one_is_in_flight_and_what_to_raise():
    limits = Limits(regions=1, scale_sets=5)
    assert over(claims(WEST, WEST), mine(NORTH), limits) == (
        "1 region of this subscription is under way (westeurope), and `limits.regions` allows 1. " + FASTER
    )
    assert over(claims(WEST, WEST), mine(WEST), limits) == ""


def test_regions_are_named_in_one_order_whatever_the_order_of_the_claims():
    limits = Limits(regions=2, scale_sets=9)
    words = over(claims(WEST, NORTH), mine("uksouth"), limits)
    assert words == over(claims(NORTH, WEST), mine("uksouth"), limits)
    assert words.startswith("2 regions of this subscription are under way (northeurope, westeurope), and")


def test_a_region_is_the_same_however_azure_spells_it():
    assert over(claims("West Europe"), mine("westeurope"), Limits(regions=1)) == ""


def test_ones_own_claim_is_not_counted_against_oneself():
    held = [mine(), *claims(WEST)]
    assert over(held, mine(), Limits(regions=1, scale_sets=2)) == ""
    assert over([mine()], mine(NORTH), Limits(regions=1, scale_sets=1)) == ""


def test_where_both_limits_forbid_it_the_number_of_scale_sets_is_said():
    assert "`limits.scale-sets`" in over(claims(WEST), mine(NORTH), Limits(regions=1, scale_sets=1))


def test_limits_lowered_under_what_flies_already_stop_the_next_one_with_the_true_numbers():
    words = over(claims(WEST, WEST, WEST, WEST), mine(), Limits(regions=1, scale_sets=2))
    assert words.startswith(
        "4 scale sets of this subscription are under way, and `limits.scale-sets` allows 2"
    )


def test_of_one_region_no_more_than_its_limit_and_another_region_is_free():
    limits = Limits(regions=2, scale_sets=9, per_region=2)
    assert over(claims(WEST, NORTH, NORTH), mine(), limits) == ""
    assert over(claims(WEST, "West Europe", NORTH), mine(), limits) == (
        "2 scale sets in westeurope are under way, and `limits.per-region` allows 2. " + FASTER
    )


def test_who_matches_a_limit_counts_in_it_and_nobody_else_does():
    limits = Limits(scale_sets=9, by_match=(MatchLimit("databases", Match(name=("db-*",)), 1),))
    others = [Claim("claims/db", WEST, ("databases",)), *claims(WEST)]
    assert over(others, mine(), limits) == ""
    assert over(others, Claim("claims/mine", WEST, ("databases",)), limits) == (
        "1 scale set under `databases` is under way, and `limits.by-match.databases` allows 1. " + FASTER
    )
    assert over(others, Claim("claims/mine", WEST, ("no longer in the file",)), limits) == ""


@pytest.mark.parametrize("limits", [Limits(), Limits(regions=2, scale_sets=3)])
@given(st.lists(st.sampled_from([WEST, NORTH, "uksouth"]), max_size=12))
def test_claims_taken_one_after_the_other_never_exceed_a_limit(limits: Limits, locations: list[str]):
    held: list[Claim] = []
    for claim in claims(*locations):
        if not over(held, claim, limits):
            held.append(claim)
    assert len(held) <= limits.scale_sets
    assert len({claim.location for claim in held}) <= limits.regions
