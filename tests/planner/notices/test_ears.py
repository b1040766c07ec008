"""Which notices of a run its receiver hears, which another one does, and what may be passed over."""

from dataclasses import replace
from datetime import timedelta

import pytest

from planner.notices import ears
from planner.policy.model import Policy, Receiver
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import Run
from tests.notices import HOUR, NOW, batch, notice, run

OPS, SHOP = Receiver("ops"), Receiver("shop", least="page")
POLICY = Policy(receivers=(OPS, SHOP))
KNOWN, ASKED = notice(1), notice(2, Kind.STALLED, Urgency.ACT)
PAGE = notice(3, Kind.PAUSED, Urgency.PAGE)


def of_shop(*notices: Notice) -> Run:
    return run("web", *notices, receiver="shop")


def heard(one: Run, told: int = 0, lent: int = 0) -> ears.Heard:
    return ears.by_owner(one, told, lent, SHOP, POLICY, NOW)


def test_what_nobody_wants_is_passed_over_and_what_asks_only_once_another_has_it():
    assert heard(of_shop(KNOWN)) == ears.Heard((), 1)
    assert heard(of_shop(KNOWN, ASKED)) == ears.Heard((), 1)
    assert heard(of_shop(KNOWN, ASKED, notice(3))) == ears.Heard((), 1)
    assert heard(of_shop(KNOWN, ASKED, notice(3)), lent=2) == ears.Heard((), 3)
    assert heard(of_shop(KNOWN, ASKED, PAGE)) == ears.Heard((PAGE,), 0)


def test_a_letter_takes_along_what_asks_and_nobody_else_has_heard():
    one = of_shop(KNOWN, ASKED, PAGE)
    assert ears.in_letter(one, 0, 3, 0, SHOP, POLICY, NOW) == (ASKED, PAGE)
    assert ears.in_letter(one, 0, 3, 2, SHOP, POLICY, NOW) == (PAGE,)
    assert ears.in_letter(one, 0, 2, 0, SHOP, POLICY, NOW) == (ASKED,)


def test_another_hears_what_asks_of_those_who_do_not_want_it_and_of_nobody_else():
    one = of_shop(KNOWN, ASKED, PAGE)
    assert ears.by_another(one, 0, SHOP, OPS, POLICY) == (ASKED,)
    assert ears.by_another(one, 2, SHOP, OPS, POLICY) == ()
    assert ears.by_another(one, 0, OPS, SHOP, POLICY) == ()
    assert ears.by_another(one, 0, OPS, OPS, POLICY) == ()
    assert ears.by_another(one, 0, None, OPS, POLICY) == ()


def test_a_receiver_that_is_not_declared_any_more_hears_everything_so_that_somebody_is_told_to_be_nobody():
    assert ears.by_owner(of_shop(KNOWN, ASKED), 0, 0, None, POLICY, NOW).waiting == (KNOWN, ASKED)


@pytest.mark.parametrize(("later", "told"), [(timedelta(0), True), (2 * HOUR, True), (3 * HOUR, False)])
def test_that_something_starts_soon_is_no_news_hours_later(later: timedelta, told: bool):
    one = run("web", notice(1, Kind.STARTING))
    found = ears.by_owner(one, 0, 0, OPS, POLICY, NOW + later)
    assert bool(found.waiting) is told
    assert found.passed == (0 if told else 1)


def test_that_something_starts_soon_is_no_news_once_it_has_started():
    begun = replace(batch(1, "1"), started_at=NOW)
    one = replace(run("web", notice(1, Kind.STARTING), notice(2, Kind.STARTED)), batches=(begun,))
    assert [each.kind for each in ears.by_owner(one, 0, 0, OPS, POLICY, NOW).waiting] == [Kind.STARTED]
