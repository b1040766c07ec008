"""What a link says, and who can have said it."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from handlers.wire import link_token
from handlers.wire.link_token import ACTS_FOR, READABLE, VIEW, Forged, Link

NOW = datetime(2026, 11, 22, 12, 30, 15, 999, tzinfo=UTC)
KEY, OLDER, OTHER = "k" * 32, "o" * 32, "x" * 32
RUN = ("VM8T-1Q8", "11111111-2222-3333-4444-555555555555", "rg-shop-nörth", "payments-prod")


def viewing(place=RUN):
    return Link(place, "ops", link_token.expiry(VIEW, NOW))


def approving(**more):
    return Link(RUN, "ops", link_token.expiry("approve", NOW), "approve", "2d5ea80a45771f4a", **more)


@pytest.mark.parametrize(
    "link", [viewing(), viewing(RUN[:1]), approving(), approving(to={"soak": "10m", "windows": "any time"})]
)
def test_a_link_says_what_it_was_made_for(link):
    assert link_token.read(link_token.signed(link, (KEY,)), (KEY,)) == link


def test_a_token_is_short_and_goes_into_an_address_as_it_is():
    shown, acts = (link_token.signed(link, (KEY,)) for link in (viewing(), approving()))

    assert len(shown) < 220
    assert len(acts) < 260
    assert re.fullmatch(r"[A-Za-z0-9._-]+", acts)


def test_each_character_counts():
    token = link_token.signed(approving(), (KEY,))

    for place in range(len(token)):
        other = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        # The last character of a base64 text carries bits that say nothing.
        if place != len(token) - 1:
            with pytest.raises(Forged):
                link_token.read(other, (KEY,))


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "%00", "é", "A" * 100_000, link_token.signed(viewing(), (OTHER,))]
)
def test_what_was_signed_by_nobody_or_by_another_key_is_no_link(token):
    with pytest.raises(Forged, match="has not signed"):
        link_token.read(token, (KEY,))


def test_a_new_key_signs_and_the_one_before_it_is_taken_until_it_goes():
    before, after = (link_token.signed(viewing(), keys) for keys in ((OLDER,), (KEY, OLDER)))

    assert before != after
    assert after == link_token.signed(viewing(), (KEY,))
    assert link_token.read(before, (KEY, OLDER)) == link_token.read(after, (KEY, OLDER))
    with pytest.raises(Forged):
        link_token.read(before, (KEY,))


def test_without_a_key_no_token_is_taken():
    with pytest.raises(Forged, match="BREAKWATER_LINK_KEY"):
        link_token.read(link_token.signed(viewing(), (KEY,)), ())


def test_a_link_acts_for_two_weeks_and_shows_for_a_season():
    acts, shows = approving(), viewing()

    assert not acts.expired(NOW + ACTS_FOR - timedelta(seconds=1))
    assert acts.expired(NOW + ACTS_FOR)
    assert not shows.expired(NOW + READABLE - timedelta(days=1))
    assert shows.expired(NOW + READABLE)


def test_two_links_are_the_same_only_when_they_say_the_same():
    again = Link(
        RUN, "ops", link_token.expiry("approve", NOW + timedelta(seconds=1)), "approve", "2d5ea80a45771f4a"
    )
    ids = {approving().id, approving(to={"soak": "1m"}).id, again.id, viewing().id}

    assert len(ids) == 4
    assert link_token.read(link_token.signed(approving(), (KEY,)), (KEY,)).id == approving().id
    assert viewing().id == Link(RUN, "ops", link_token.expiry(VIEW, NOW + timedelta(hours=3))).id
