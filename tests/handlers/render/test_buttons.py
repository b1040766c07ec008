"""The buttons of a run: what it asks first, what else can be said to it now, its pages; none that would be refused."""

from dataclasses import replace

import pytest

from handlers.render import buttons
from handlers.render.addresses import Addresses, InLink, OnPage
from handlers.render.vocabulary import ANSWERS
from planner.policy.model import Mode
from planner.record.states import InstanceState, RunState
from planner.record.waits import HeldUp
from tests.altered import altered
from tests.notices import HOUR, NOW, TRACKING, batch, misfit, paused, run

SIGNED = OnPage("https://breakwater.example", lambda _, action, checksum, to: f"{action}-{checksum[:4]}")


def labels(one, addresses=SIGNED, *, own=False):
    return [button.label for button in buttons.of_run(one, TRACKING, addresses, own=own)]


def words(*actions):
    return [ANSWERS[action] for action in actions]


def waiting():
    return altered(run("web", state=RunState.AWAITING_APPROVAL), mode=Mode.APPROVE)


def test_an_approval_is_the_first_button_and_leads_to_its_link():
    first, *others = buttons.of_run(waiting(), TRACKING, SIGNED, own=False)

    assert (first.label, first.first) == (ANSWERS["approve"], True)
    assert first.link == "https://breakwater.example/api/links/approve-4f1c"
    assert [button.label for button in others] == [*words("skip"), "Not now", "Open", "Portal"]
    assert not any(button.first for button in others)


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (run("web"), ("hold", "skip")),
        (paused("web"), ("resume", "skip", "hold")),
        (altered(paused("web"), holding="Held by ana."), ("resume", "skip")),
        (run("web", state=RunState.COMPLETED), ()),
        (run("web", state=RunState.LEFT_TO_AZURE), ()),
        (run("web", batches=(batch(1, "1", state=InstanceState.MAINTAINED),)), ("hold",)),
    ],
)
def test_what_would_be_refused_has_no_button(one, said):
    assert labels(one) == [*words(*said), "Open", "Portal"]


def test_a_paused_run_that_holds_up_others_can_let_them_pass():
    begun = replace(batch(1, "1", state=InstanceState.FAILED), started_at=NOW - HOUR)
    one = altered(paused("web", batches=(begun,)), holds_up=HeldUp(3, ("westeurope",), None))

    assert ANSWERS["let-pass"] in labels(one)


def test_what_stands_among_the_choices_has_no_second_button_and_skipping_is_never_the_first():
    found = buttons.of_run(misfit("web"), TRACKING, SIGNED, own=False)

    assert ANSWERS["resume"] not in [button.label for button in found]
    assert not any(button.first for button in found)


def test_its_own_page_needs_no_button_to_open_it():
    assert labels(run("web"), own=True) == [*words("hold", "skip"), "Portal"]


def test_where_nothing_is_signed_or_a_link_only_shows_there_are_pages_and_no_commands():
    assert labels(waiting(), Addresses("https://breakwater.example")) == ["Open", "Portal"]
    assert labels(waiting(), Addresses()) == ["Portal"]
    assert labels(waiting(), InLink("https://breakwater.example", token="t", place=(TRACKING,))) == [
        "Open",
        "Portal",
    ]


def test_service_health_has_a_button_for_each_subscription():
    (one,) = buttons.of_health(TRACKING, ["12345678-1234"], Addresses())
    assert (one.label, one.link) == ("Service Health", f"https://app.azure.com/h/{TRACKING}/123234")
    assert len(buttons.of_health(TRACKING, ["a" * 36, "b" * 36], Addresses())) == 2
