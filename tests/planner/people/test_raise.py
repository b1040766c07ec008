"""Raising what a run was planned by: for this run alone, by a new plan, and never past what forbids it."""

from dataclasses import replace
from typing import Any

import pytest

from planner.policy import overrides
from planner.policy.fingerprint import rules_fingerprint
from planner.policy.model import Rules, SelfService
from planner.policy.overrides import RAISABLE, checked_raise, with_raised
from planner.record.action import Replan, Start
from planner.record.command import CommandKind
from planner.record.states import RunState
from tests.planner.builders import (
    DAY,
    HOUR,
    MINUTE,
    NOW,
    always,
    command,
    observe,
    planned,
    planned_again,
    rules,
    scale_set,
    step,
)
from tests.planner.people.hearing import hear, refused


def test_a_raise_to_what_is_so_already_is_refused():
    run = planned(a_policy=always(soak="10m", windows="daily 02:00-06:00 UTC"))
    assert refused(run, CommandKind.RAISE, raised={"soak": "600s"}) == "This run has that already: soak 600s."
    assert refused(run, CommandKind.RAISE, raised={"windows": "daily 02:00-06:00 UTC", "lead": "0m"}) != ""
    assert refused(run, CommandKind.RAISE, raised={"soak": "10m", "lead": "1h"}) == ""
    raised = hear(run, command(CommandKind.RAISE, raised={"max-unavailable": "50%"}))
    assert refused(raised, CommandKind.RAISE, id="2", raised={"max-unavailable": "50 %"}) != ""
    assert refused(raised, CommandKind.RAISE, id="3", raised={"max-unavailable": "3"}) == ""


def test_a_raise_asks_for_a_new_plan_made_with_it_and_leaves_the_policy_as_it_is():
    run, actions = step(
        planned(), observe(), command(CommandKind.RAISE, raised={"soak": "5m"}, comment="We watch.")
    )
    assert [one.reason for one in actions if isinstance(one, Replan)] == ["ada raised soak 5m for this run"]
    assert not any(isinstance(one, Start) for one in actions)
    again = planned_again(run)
    assert again.terms.soak == 5 * MINUTE
    assert again.replan == ""
    assert planned().terms.soak == 30 * MINUTE


def test_what_was_raised_still_holds_when_the_start_reads_the_policy_afresh():
    run, _ = step(
        planned(), observe(), command(CommandKind.RAISE, raised={"soak": "5m", "max-unavailable": "1"})
    )
    run, actions = step(planned_again(run), observe())
    assert [one.instance for one in actions if isinstance(one, Start)] == ["0"]
    assert not any(isinstance(one, Replan) for one in actions)


def test_a_later_raise_wins_and_an_earlier_one_of_another_key_stays():
    run = hear(
        planned(),
        command(CommandKind.RAISE, "1", raised={"soak": "5m", "max-unavailable": "3"}),
        command(CommandKind.RAISE, "2", raised={"soak": "7m"}),
    )
    assert run.terms.raised == {"soak": "7m", "max-unavailable": "3"}


def test_a_raised_lead_time_counts_from_the_command_and_never_makes_people_wait_longer():
    run = planned(a_policy=always(lead="24h"))
    shorter = hear(run, command(CommandKind.RAISE, "1", at=NOW + HOUR, raised={"lead": "2h"}))
    assert shorter.times.lead_over == NOW + 3 * HOUR
    longer = hear(run, command(CommandKind.RAISE, "1", at=NOW + HOUR, raised={"lead": "9d"}))
    assert longer.times.lead_over == NOW + DAY


def test_a_raise_is_of_this_run_alone_and_the_next_one_starts_from_the_policy():
    run = hear(planned(), command(CommandKind.RAISE, raised={"soak": "5m"}))
    ended = replace(run, state=RunState.COMPLETED, ended_at=NOW)
    assert planned(former=ended).terms.raised == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("self-service", "always"),
        ("mode", "auto"),
        ("accept", "manage"),
        ("accept", "instance/"),
        ("health", "ignore"),
        ("stop", "false"),
        ("Soak", "10m"),
        ("soak", "soon"),
        ("soak", "-5m"),
        ("windows", "whenever"),
        ("windows", ""),
        ("max-unavailable", "0"),
        ("max-unavailable", "101%"),
        ("complete-by", "tomorrow"),
        ("complete-by", "2026-12-01T06:00"),
        ("lead", ""),
        ("x" * 500, "1"),
    ],
)
def test_what_cannot_be_raised_is_refused_with_a_sentence(key: str, text: str):
    with pytest.raises(ValueError, match=r"write|a right one looks like"):
        checked_raise(key, text)


@pytest.mark.parametrize(
    ("key", "text", "fields"),
    [
        ("soak", "0m", {"soak": 0 * MINUTE}),
        ("lead", "0m", {"lead": 0 * MINUTE}),
        ("windows", "any time", {"windows": ()}),
        ("complete-by", "none", {"complete_by": None}),
        ("max-unavailable", "default", {"max_unavailable": (), "default_share": True}),
    ],
)
def test_what_can_be_raised_can_be_raised_to_nothing(key: str, text: str, fields: dict[str, Any]):
    assert key in RAISABLE
    written = rules(
        soak="1h", lead="5h", windows="daily 02:00-03:00 UTC", complete_by="2026-12-01", max_unavailable=3
    )
    found = with_raised(written, {checked_raise(key, text): text})
    for name, value in fields.items():
        assert getattr(found, name) == value
    assert found.sources[key] == "raised by a person for this run"
    rest = {"sources": written.sources, **{name: getattr(written, name) for name in fields}}
    assert replace(found, **rest) == written


def test_raising_nothing_changes_nothing():
    written = rules(soak="1h")
    assert with_raised(written, overrides.NOTHING) is written
    assert rules_fingerprint(with_raised(written, {"lead": "1h"})) == rules_fingerprint(written)


def test_a_raise_cannot_take_back_a_never():
    tagged = scale_set(tags={"breakwater-self-service": "never"})
    found = with_raised(Rules(self_service=SelfService.NEVER), {"soak": "1m", "windows": "any time"})
    assert found.self_service is SelfService.NEVER
    run = hear(planned(), command(CommandKind.RAISE, raised={"soak": "1m"}))
    assert planned_again(run, tagged).state is RunState.LEFT_TO_AZURE
