"""While a wave's look-ups are being made their checks are unknown, plans are made, and nothing starts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.azure.usage import Evidence, Habits, Source
from planner.azure.wave import Member, Stage, Wave, awaited, informed, with_evidence
from planner.decision.checks import LOOKED_UP, blocking, counter_indications, in_the_way
from planner.record.check import Outcome
from planner.words.checks import NOT_READ_YET
from tests.planner.builders import NOW, announcement, rules, scale_set

WEB, API = scale_set("web"), scale_set("api")
OPEN = Wave("A", WEB.subscription, (announcement(),), (Member(WEB), Member(API)))
CALM = Evidence(NOW, NOW - timedelta(days=14))
KEYS = (WEB.key, API.key)


def checks_of(one):
    return {
        check.name: check for check in counter_indications(one, (), rules(), NOW) if check.name in LOOKED_UP
    }


def test_before_they_are_made_every_check_that_needs_them_is_unknown_and_managed_would_block():
    found = checks_of(informed(WEB, [OPEN]))
    assert {one.outcome for one in found.values()} == {Outcome.UNKNOWN}
    assert {one.reason for one in found.values()} == {NOT_READ_YET}
    assert [one.name for one in blocking(tuple(found.values()))] == ["managed"]


def test_a_plan_does_not_wait_for_them_but_for_what_could_not_be_read():
    waiting = informed(WEB, [OPEN])
    assert in_the_way(tuple(checks_of(waiting).values()), waiting) == ()
    closed = replace(CALM, unread={Source.GROUPS: "The role Reader is missing."})
    unread = informed(WEB, [with_evidence(OPEN, closed, KEYS)])
    assert [one.name for one in in_the_way(tuple(checks_of(unread).values()), unread)] == ["managed"]


def test_what_is_known_to_be_managed_is_left_alone_whatever_is_still_to_be_read():
    managed = informed(replace(WEB, managed_by="/subscriptions/x/aks"), [OPEN])
    assert [one.name for one in in_the_way(tuple(checks_of(managed).values()), managed)] == ["managed"]


def test_when_they_are_made_the_checks_pass():
    found = checks_of(informed(WEB, [with_evidence(OPEN, CALM, KEYS)]))
    assert {one.outcome for one in found.values()} == {Outcome.PASS}


def test_what_nobody_is_going_to_look_up_is_not_declared():
    over = replace(OPEN, announcements=(announcement(stage=Stage.COMPLETE),))
    for waves in ([], [over], [replace(OPEN, roster=())]):
        assert informed(WEB, waves) == WEB
        assert awaited(WEB.key, waves) == ""
    assert checks_of(WEB)["often-stopped"].outcome is Outcome.NOT_DECLARED


def test_a_start_waits_for_them_unless_another_wave_of_the_set_was_looked_up():
    assert "still being read" in awaited(WEB.key, [OPEN])
    looked_up = with_evidence(replace(OPEN, tracking_id="B"), CALM, KEYS)
    assert awaited(WEB.key, [OPEN, looked_up]) == ""
    assert awaited(WEB.key, [looked_up]) == ""


def test_who_joins_after_them_waits_for_the_next_ones():
    joined = replace(
        with_evidence(replace(OPEN, roster=(Member(WEB),)), CALM, (WEB.key,)), roster=OPEN.roster
    )
    joined = replace(joined, unlooked=(API.key,))
    assert awaited(WEB.key, [joined]) == ""
    assert awaited(API.key, [joined])
    assert informed(API, [joined]).habits is None
    assert joined.wants_look_ups
    assert not with_evidence(joined, CALM, KEYS).wants_look_ups


@pytest.mark.parametrize(
    ("evidence", "changed"),
    [
        (CALM, ()),
        (replace(CALM, scale_sets={API.key: Habits(stops=1)}), (API.key,)),
        (replace(CALM, unread={Source.CHANGES: "Closed."}), KEYS),
    ],
)
def test_only_whose_plan_they_change_is_planned_again(evidence: Evidence, changed: tuple[str, ...]):
    observe = with_evidence(OPEN, evidence, KEYS)
    assert observe.to_plan == changed
    again = with_evidence(replace(observe, to_plan=()), replace(evidence, at=NOW + timedelta(hours=1)), KEYS)
    assert again.to_plan == (), "nothing has changed since"
    calm_again = with_evidence(replace(observe, to_plan=()), CALM, KEYS)
    assert calm_again.to_plan == changed, "and what is gone changes a plan, too"


def test_who_is_still_to_be_planned_again_is_not_forgotten_by_the_next_look_ups():
    observe = with_evidence(OPEN, replace(CALM, scale_sets={API.key: Habits(stops=1)}), KEYS)
    assert with_evidence(observe, observe.evidence or CALM, KEYS).to_plan == (API.key,)
