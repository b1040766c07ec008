"""Who hears of what: receivers choose, and nothing that asks for an answer falls silent by that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.notices.delivery import FINISHED
from planner.policy.hearing import ASKING, INFORMING, LEVELS, NAMEABLE, deaf, default_receiver, hearer, wants
from planner.policy.model import Match, Policy, Receiver, Route
from planner.policy.resolve import rules_for
from planner.record.notice import Kind, Urgency
from tests.planner.builders import scale_set

OPS = Receiver("ops")


def of(*receivers: Receiver, **more: object) -> Policy:
    return Policy(receivers=receivers, **more)  # type: ignore[arg-type]


def test_every_kind_can_be_named_and_nothing_else():
    assert set(NAMEABLE) == {kind.value for kind in Kind} | {FINISHED}
    assert len(NAMEABLE) == len(set(NAMEABLE))
    assert not set(ASKING) & set(INFORMING)
    assert set(LEVELS) == {urgency.value for urgency in Urgency}


def test_without_a_word_a_receiver_hears_everything():
    assert all(wants(OPS, kind, urgency) for kind in NAMEABLE for urgency in LEVELS)
    assert deaf(OPS) == ""


@pytest.mark.parametrize(
    ("receiver", "hears"),
    [
        (Receiver("a", least="act"), {("paused", "act"), ("paused", "page")}),
        (Receiver("a", least="page"), {("paused", "page")}),
        (Receiver("a", kinds=frozenset({"started"})), {("started", "know"), ("paused", "page")}),
        (Receiver("a", least="act", kinds=frozenset({"started"})), {("paused", "page")}),
    ],
)
def test_a_receiver_hears_from_its_urgency_on_and_of_its_kinds_and_every_page(
    receiver: Receiver, hears: set[tuple[str, str]]
):
    asked = [("started", "know"), ("paused", "act"), ("paused", "page")]
    assert {pair for pair in asked if wants(receiver, *pair)} == hears


def test_what_asks_and_its_receiver_does_not_want_goes_to_the_default_receiver_whatever_that_chose():
    deaf_one, other = Receiver("shop", least="page"), Receiver("default", least="page")
    policy = of(OPS, deaf_one, other)
    assert default_receiver(policy) is other
    assert hearer(policy, deaf_one, "approval", "act") is other
    assert hearer(policy, deaf_one, "paused", "page") is deaf_one
    assert hearer(policy, deaf_one, "started", "know") is None
    assert hearer(policy, other, "approval", "act") is other


@given(
    st.lists(
        st.builds(
            Receiver,
            st.sampled_from(["ops", "default", "shop", "dba"]),
            least=st.sampled_from(LEVELS),
            kinds=st.none() | st.frozensets(st.sampled_from(NAMEABLE)),
        ),
        min_size=1,
        unique_by=lambda receiver: receiver.name,
    ),
    st.sampled_from(NAMEABLE),
    st.sampled_from(["act", "page"]),
)
def test_whatever_receivers_choose_somebody_hears_what_asks(
    receivers: list[Receiver], kind: str, urgency: str
):
    for owner in receivers:
        heard = hearer(of(*receivers), owner, kind, urgency)
        assert heard in receivers
        assert urgency != "page" or heard is owner


PAGES = "The receiver `shop` has chosen not to hear anything but pages"


@pytest.mark.parametrize(
    ("receivers", "why"),
    [
        ((OPS, Receiver("shop", least="page")), f"{PAGES}: what asks for an answer is told to `ops`."),
        (
            (OPS, Receiver("shop", kinds=frozenset(NAMEABLE) - {"approval", "slack"})),
            "The receiver `shop` has chosen not to hear notices of the kind approval, slack: what asks for an answer is told to `ops`.",
        ),
        (
            (Receiver("shop", least="page"),),
            f"{PAGES}, and nobody else would hear it: what asks for an answer is told to it all the same.",
        ),
    ],
)
def test_the_policy_check_says_who_hears_what_a_receiver_has_chosen_away(
    receivers: tuple[Receiver, ...], why: str
):
    policy = of(*receivers, routes=(Route(Match(), "shop"),))
    found = rules_for(policy, scale_set())
    assert (found.owner, found.notes, found.problems) == ("shop", (why,), ())


def test_a_receiver_that_hears_what_asks_is_noted_nowhere_also_by_default():
    assert rules_for(of(Receiver("ops", least="act")), scale_set()).notes == ()
    assert "`ops`" in rules_for(of(Receiver("ops", least="page")), scale_set()).notes[0]
