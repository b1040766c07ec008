"""A link to every wave, for whom that is meant; and who has buttons on a page that a link has opened."""

import re
from urllib.parse import unquote

import pytest

from handlers.stages import report
from handlers.wire import link_token
from handlers.wire.http import Request
from handlers.wire.link_token import READABLE, VIEW, Link
from planner.policy.model import Mode, Policy, Receiver
from planner.record.states import RunState
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run
from tests.handlers.stages.test_link import KEY, PLACE, WAVE, announce, behind, hrefs, open_, says, send, to

RECEIVERS = (Receiver("ops", email=("ops@example.org",)), Receiver("shop", email=("shop@example.org",)))
ALL = to(place=())
ADA = {"x-ms-client-principal-name": "ada@example.org"}


@pytest.fixture
async def wiring(storage):
    made = TestWiring(storage, Clock(), link_key=KEY, public_url="https://app.example")
    made.rules = Policy(defaults={"owner": "ops"}, receivers=RECEIVERS)
    await announce(made)
    await put(made, run("web", state=RunState.AWAITING_APPROVAL, mode=Mode.APPROVE))
    yield made
    await made.close()


def overview_of(answer) -> str:
    found = re.search(r'href="([^"]+)">Every wave on record', str(answer.body))
    return found[1] if found else ""


async def test_a_link_to_all_waves_shows_them_each_with_its_runs_and_forms(wiring):
    for rest, kind in (
        ("", "text/html"),
        (WAVE, "text/html"),
        (f"{WAVE}.json", "application/json"),
        (f"{WAVE}.csv", "text/csv"),
        (f"{WAVE}/{SUBSCRIPTION}/Prod-RG/web", "text/html"),
        (f"{WAVE}/{SUBSCRIPTION}/Prod-RG/web.json", "application/json"),
    ):
        answer = await open_(wiring, ALL, rest)
        assert (answer.status, answer.content_type) == (200, kind), rest
    assert f">Open {WAVE}</a>" in str((await open_(wiring, ALL)).body)


async def test_whoever_opens_it_finds_the_way_to_every_page_and_back_inside_of_it(wiring):
    seen, waiting = set(), [""]
    while waiting:
        rest = waiting.pop()
        answer = await open_(wiring, ALL, rest)
        assert answer.status == 200, rest
        seen.add(rest)
        for address in hrefs(answer) if answer.content_type == "text/html" else ():
            token, further = behind(address)
            assert token == ALL
            waiting += [further] if further not in seen | set(waiting) else []
    assert {"", WAVE, f"{WAVE}.ics", f"{WAVE}/{SUBSCRIPTION}/Prod-RG/web"} <= seen


@pytest.mark.parametrize("rest", [f"{WAVE}/{SUBSCRIPTION}", f"{WAVE}/{SUBSCRIPTION}/Prod-RG/web/approve"])
async def test_it_leads_to_nothing_that_is_no_page(wiring, rest):
    answer = await open_(wiring, ALL, rest)
    assert answer.status == 403
    assert "It is for the waves on record alone." in says(answer)


async def test_it_acts_on_nothing_and_ends_after_its_time(wiring):
    assert (await send(wiring, ALL)).status == 405
    wiring.clock.forward(days=READABLE.days + 1)
    assert (await open_(wiring, ALL)).status == 410


async def test_the_default_receivers_links_lead_to_all_waves_and_no_one_elses_do(wiring):
    for place, rest in (((WAVE,), ""), (PLACE, "")):
        answer = await open_(wiring, to(place=place), rest)
        token, inside = behind(overview_of(answer))
        link = link_token.read(unquote(token), (KEY,))
        assert (link.place, link.receiver, link.action, inside) == ((), "ops", VIEW, "")
        assert (await open_(wiring, unquote(token))).status == 200
        assert overview_of(await open_(wiring, to(place=place, receiver="shop"), rest)) == ""


async def test_without_a_sign_in_a_page_opened_by_a_link_has_no_buttons_that_act(wiring):
    for token, rest in (
        (to(place=(WAVE,)), ""),
        (to(place=PLACE), ""),
        (ALL, f"{WAVE}/{SUBSCRIPTION}/Prod-RG/web"),
    ):
        answer = await open_(wiring, token, rest, **ADA)
        acting = [link for link in _links(answer) if link.acts]
        assert acting == []
        assert "This link shows and does not act." in says(answer)


async def test_where_the_platform_guards_the_app_who_has_signed_in_has_the_buttons_and_nobody_else(
    storage, wiring
):
    guarded = TestWiring(storage, Clock(), link_key=KEY, public_url="https://app.example", platform_auth=True)
    guarded.rules = wiring.rules
    token = to(place=PLACE)
    assert not [link for link in _links(await open_(guarded, token)) if link.acts]
    answer = await open_(guarded, token, **ADA)
    (approve,) = [link for link in _links(answer) if link.action == "approve"]

    assert (approve.receiver, approve.checksum) == ("ops", "c0ffee")
    assert "This link shows and does not act." not in says(answer)
    assert (await send(guarded, link_token.signed(approve, (KEY,)), {"comment": "Yes."}, **ADA)).status == 200
    await guarded.close()


def _links(answer) -> list[Link]:
    tokens = {behind(address)[0] for address in hrefs(answer)}
    return [link_token.read(unquote(token), (KEY,)) for token in tokens]


def test_a_link_to_all_waves_made_today_is_the_same_all_day():
    assert to(place=(), at=NOW) == ALL


async def test_a_page_opened_with_the_key_leads_to_all_waves_by_a_link_of_nobody(wiring):
    answer = await report.handle(Request("GET", {"wave": WAVE}), wiring)
    token, _ = behind(overview_of(answer))

    assert link_token.read(unquote(token), (KEY,)).place == ()
    assert (await open_(wiring, unquote(token))).status == 200
