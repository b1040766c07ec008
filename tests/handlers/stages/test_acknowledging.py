"""Somebody takes what pages: typed, or by the link in the page, once, for this trouble and not for the next."""

import json
from dataclasses import replace
from typing import Any

import pytest

from handlers.stages import respond, respond_wave
from handlers.wire.http import Request
from handlers.wire.ids import NOTICES
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind
from planner.record.run import Run
from planner.record.states import BatchState, InstanceState, RunState
from planner.record.waits import Alarm
from tests.altered import altered
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run
from tests.handlers.stages.test_link import KEY, WAVE, announce, open_, recorded, says, send, to

ADA = {"actor": "Ada", "comment": "On it."}


def ringing(number: int = 3, **more: Any) -> Run:
    down = InstanceProgress("1", state=InstanceState.FAILED, begun=True, reason="It is unhealthy.")
    batches = (Batch(1, "domain 0", (down,), BatchState.FAILED, started_at=NOW), Batch(2, "domain 1", ()))
    alarm = Alarm(number, ("1",), NOW)
    return altered(
        run("web"),
        batches=batches,
        state=RunState.PAUSED,
        reason="Instance 1: down.",
        alarm=alarm,
        receiver="ops",
        **more,
    )


@pytest.fixture
async def wiring(storage):
    made = TestWiring(storage, Clock(), link_key=KEY, public_url="https://app.example")
    await announce(made)
    await put(made, ringing())
    yield made
    await made.close()


async def say(wiring, **fields: Any) -> tuple[int, dict[str, Any]]:
    place = {
        "wave": WAVE,
        "subscription": SUBSCRIPTION,
        "group": "Prod-RG",
        "name": "web",
        "action": "acknowledge",
    }
    answer = await respond.handle(Request("POST", place, body=json.dumps(fields).encode()), wiring)
    return answer.status, json.loads(answer.body)


async def test_it_is_typed_like_any_command_and_the_history_says_who_has_it(wiring):
    status, said = await say(wiring, **ADA)
    assert status == 202
    assert said["reason"].startswith("It pages nobody any more")
    one = await recorded(wiring)
    assert (one.state, one.ringing) == (RunState.PAUSED, None)
    assert [(line.actor, line.event, line.reason) for line in one.story.history][-1] == (
        "Ada",
        "acknowledge",
        "On it.",
    )
    assert one.story.notices[-1].kind is Kind.ACKNOWLEDGED
    assert len(wiring.spy.of(NOTICES)) == 1


async def test_a_second_person_is_told_who_has_it(wiring):
    assert (await say(wiring, **ADA))[0] == 202
    status, said = await say(wiring, actor="Bob")
    assert (status, "Ada has taken it already" in said["reason"]) == (409, True)


@pytest.mark.parametrize(
    ("notice", "status", "words"),
    [
        ("3", 202, "pages nobody"),
        (3, 202, "pages nobody"),
        ("2", 409, "an earlier trouble"),
        ("three", 400, "must be the number of the notice"),
        ("0", 400, "must be the number of the notice"),
        (True, 400, "must be the number of the notice"),
    ],
)
async def test_it_may_name_the_notice_it_is_for(wiring, notice, status, words):
    answered, said = await say(wiring, **ADA, notice=notice)
    assert (answered, words in said["reason"]) == (status, True)


async def test_notice_is_no_field_of_another_command(wiring):
    place = {"wave": WAVE, "subscription": SUBSCRIPTION, "group": "Prod-RG", "name": "web", "action": "hold"}
    body = json.dumps({**ADA, "notice": 3}).encode()
    answer = await respond.handle(Request("POST", place, body=body), wiring)
    assert answer.status == 400
    assert "`notice` is not a field of hold" in str(answer.body)


async def test_the_link_in_the_page_shows_what_it_does_and_does_it_once_a_form_is_sent(wiring):
    link = to("acknowledge", notice="3")
    page = await open_(wiring, link)
    assert page.status == 200
    for words in ("pages nobody any more", "Down: 1.", "stays paused", "No command takes it back"):
        assert words in says(page)
    assert (await recorded(wiring)).ringing is not None

    assert (await send(wiring, link)).status == 200
    one = await recorded(wiring)
    assert one.ringing is None
    assert "by a link sent to ops; the name is as typed there" in one.story.history[-1].reason
    again = await send(wiring, link)
    assert (again.status, "This link has been used" in says(again)) == (410, True)


async def test_a_link_of_a_page_serves_though_the_plan_has_changed_since_and_not_for_the_next_trouble(wiring):
    link = to("acknowledge", checksum="another", notice="3")
    assert (await open_(wiring, link)).status == 200
    await put(wiring, ringing(number=7))
    later = await send(wiring, link)
    assert (later.status, "an earlier trouble" in says(later)) == (409, True)
    assert (await recorded(wiring)).ringing is not None


async def test_once_it_serves_again_the_link_has_no_effect(wiring):
    served = ringing()
    await put(wiring, altered(served, alarm=replace(Alarm(3, (), NOW), back=("1",))))
    answer = await send(wiring, to("acknowledge", notice="3"))
    assert (answer.status, "Nothing of it pages" in says(answer)) == (409, True)


async def test_said_to_a_whole_wave_it_is_for_each_scale_set_that_pages_and_the_others_are_named(wiring):
    await put(wiring, altered(run("quiet"), waves=(WAVE,)))
    place, body = {"wave": WAVE, "action": "acknowledge"}, json.dumps({**ADA, "runs": "all"}).encode()
    answer = await respond_wave.handle(Request("POST", place, body=body), wiring)
    said = json.loads(answer.body)
    assert (answer.status, said["scale_sets"]) == (202, ["Prod-RG/web"])
    (other,) = said["refused"]
    assert other["scale_set"].endswith("/quiet")
    assert "Nothing of it pages" in other["reason"]
    assert (await recorded(wiring)).ringing is None

    again = await respond_wave.handle(Request("POST", place, body=body), wiring)
    assert again.status == 409
