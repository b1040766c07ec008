"""link: what opens without a key, what acts once, and what is refused on a clear page."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.cloud.names import run_path
from handlers.cloud.records import StorageDown
from handlers.wire.ids import RUNS
from handlers.wire.link_token import ACTS_FOR, READABLE
from planner.azure.wave import Stage
from planner.record.states import RunState
from tests.handlers.linked import (
    ADA,
    KEY,
    OLDER,
    PLACE,
    WAVE,
    announce,
    behind,
    hrefs,
    linked,
    open_,
    recorded,
    says,
    send,
    to,
    unchanged,
)
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run


@pytest.fixture
async def wiring(storage):
    async with linked(storage) as made:
        yield made


async def test_a_link_of_a_wave_shows_its_page_its_runs_its_calendar_and_its_table(wiring):
    token = to(place=(WAVE,))

    page = await open_(wiring, token)
    assert (page.status, page.content_type) == (200, "text/html")
    for rest, kind in (
        (f"{WAVE}.json", "application/json"),
        (f"{WAVE}.csv", "text/csv"),
        (f"{WAVE}.ics", "text/calendar"),
        (f"{SUBSCRIPTION}/Prod-RG/web", "text/html"),
        (f"{SUBSCRIPTION}/prod-rg/WEB.json", "application/json"),
    ):
        answer = await open_(wiring, token, rest)
        assert (answer.status, answer.content_type) == (200, kind), rest


@pytest.mark.parametrize("place", [(WAVE,), PLACE])
async def test_what_is_opened_by_a_link_leads_nowhere_but_into_the_same_link(wiring, place):
    token, seen, waiting = to(place=place), set(), [""]
    while waiting:
        rest = waiting.pop()
        answer = await open_(wiring, token, rest)
        assert answer.status == 200, rest
        seen.add(rest)
        for address in hrefs(answer) if answer.content_type == "text/html" else ():
            inside, further = behind(address)
            assert inside == token
            waiting += [further] if further not in seen | set(waiting) else []
    assert len(seen) == (8 if place == (WAVE,) else 2)
    assert ("The whole wave" in str((await open_(wiring, to(place=PLACE))).body)) is False


async def test_the_calendar_of_a_link_leads_back_into_it(wiring):
    token = to(place=(WAVE,))
    await put(wiring, replace(run("web"), times=replace(run("web").times, deadline=NOW + timedelta(days=3))))
    made = await open_(wiring, token, f"{WAVE}.ics")

    text = made.body.decode().replace("\r\n ", "")
    assert f"https://app.example/api/links/{token}" in text
    assert "/api/waves/" not in text


async def test_a_reader_may_not_act(wiring):
    for rest in ("", f"{SUBSCRIPTION}/Prod-RG/web"):
        page = str((await open_(wiring, to(place=(WAVE,)), rest)).body)
        assert "<form" not in page
    answer = await send(wiring, to(place=PLACE))
    assert answer.status == 405
    assert "only shows something" in says(answer)
    assert await unchanged(wiring)


@pytest.mark.parametrize(
    ("place", "rest"),
    [
        (PLACE, f"{SUBSCRIPTION}/Prod-RG/db"),
        (PLACE, "db.json"),
        (PLACE, f"{WAVE}.csv"),
        ((WAVE,), "OTHER.json"),
        ((WAVE,), f"{SUBSCRIPTION}/Prod-RG"),
        ((WAVE,), f"{SUBSCRIPTION}/Prod-RG/web/approve"),
        ((WAVE,), "../waves"),
    ],
)
async def test_a_link_shows_nothing_outside_of_itself(wiring, place, rest):
    answer = await open_(wiring, to(place=place), rest)

    assert answer.status == 403
    assert f"the wave {WAVE}" in says(answer)
    assert "This link does not lead there" in says(answer)


async def test_a_link_of_an_open_wave_shows_it_however_old_it_is(wiring):
    wiring.clock.forward(days=READABLE.days + 30)
    assert (await open_(wiring, to(place=(WAVE,)))).status == 200

    await announce(wiring, Stage.COMPLETE)
    answer = await open_(wiring, to(place=(WAVE,)))
    assert answer.status == 410
    assert "is over" in says(answer)
    assert (await open_(wiring, to(place=(WAVE,), at=wiring.clock()))).status == 200


async def test_opening_shows_what_will_happen_and_does_nothing(wiring):
    answer = await open_(wiring, to("approve"))
    text = says(answer)

    assert answer.status == 200
    assert "2 instances of web will be rebooted" in text
    assert "domain 0 0, 1" in text
    assert "What it undoes Nothing" in text
    assert "a link sent to ops" in text
    assert '<form method="post"' in str(answer.body)
    assert "<script" not in str(answer.body)
    assert "form-action 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert await unchanged(wiring)


async def test_a_scanner_that_opens_every_link_as_often_as_it_likes_changes_nothing(wiring):
    for action in ("approve", "hold", "skip"):
        for method in ("GET", "HEAD", "OPTIONS"):
            for _ in range(3):
                await open_(wiring, to(action), method=method, purpose="prefetch")
    assert await unchanged(wiring)


async def test_sending_the_form_acts_and_the_history_says_that_a_link_proves_no_person(wiring):
    answer = await send(wiring, to("approve"))

    assert answer.status == 200
    assert "Done: approve web" in says(answer)
    after = await recorded(wiring)
    (line,) = [entry for entry in after.story.history if entry.id]
    assert (line.event, line.actor) == ("approve", "Ada L.")
    assert line.reason == "Looks right. (by a link sent to ops; the name is as typed there)"
    assert after.people.approved == "c0ffee"
    assert len(wiring.spy.of(RUNS)) == 1
    (back,) = hrefs(answer)
    shown = await open_(wiring, *behind(back))
    assert (shown.status, "Approved by Ada L." in says(shown)) == (200, True)


@pytest.mark.parametrize(
    ("action", "before", "more", "says_", "after"),
    [
        (
            "hold",
            {},
            {},
            "Nothing more is started until somebody resumes it: 2 instances wait.",
            RunState.PAUSED,
        ),
        (
            "resume",
            {"state": RunState.PAUSED, "holding": "Held by bo: no.", "reason": "Held by bo: no."},
            {},
            "The pause: Held by bo: no.",
            RunState.SCHEDULED,
        ),
        ("skip", {}, {}, "2 instances are left to Azure", RunState.SCHEDULED),
        ("skip", {}, {"instances": "1"}, "1 instance is left to Azure", RunState.SCHEDULED),
        ("raise", {}, {"soak": "10m"}, "A new plan is made with soak 10m", RunState.SCHEDULED),
    ],
)
async def test_each_command_shows_what_it_does_and_does_it(wiring, action, before, more, says_, after):
    await put(wiring, run("web", **before))
    token = to(action, **more)

    assert says_ in says(await open_(wiring, token))
    assert (await send(wiring, token)).status == 200
    one = await recorded(wiring)
    assert one.state is after
    assert [entry.event for entry in one.story.history if entry.id] == [action]


async def test_a_link_acts_once_also_where_the_first_answer_was_lost(wiring):
    token, write = to("approve"), wiring.runs.write

    async def lost(*given):
        await write(*given)
        raise StorageDown("The answer was lost.")

    wiring.runs.write = lost
    await send(wiring, token)
    wiring.runs.write = write
    first = await recorded(wiring)

    again = await send(wiring, token, {"actor": "Bo", "comment": "Me, too."})
    opened = await open_(wiring, token)
    assert [again.status, opened.status] == [410, 410]
    assert "Ada L. said approve with it at" in says(again)
    assert "Nothing was done." in says(again)
    assert await recorded(wiring) == first


async def test_of_two_who_send_one_link_at_once_one_is_told_that_it_was_used(wiring):
    token = to("hold")
    answers = await asyncio.gather(
        *(send(wiring, token, {"actor": name, "comment": "Wait."}) for name in ("Ada", "Bo"))
    )

    assert sorted(answer.status for answer in answers) == [200, 410]
    assert len([entry for entry in (await recorded(wiring)).story.history if entry.id]) == 1


async def test_a_link_stays_used_when_fifty_commands_have_followed(wiring):
    token = to("hold")
    await send(wiring, token)
    one = await recorded(wiring)
    events = tuple(f"person-{number}" for number in range(50))
    await put(
        wiring, replace(one, state=RunState.SCHEDULED, people=replace(one.people, holding="", events=events))
    )

    assert (await send(wiring, token)).status == 410


async def test_a_link_for_a_plan_that_has_changed_does_nothing_and_leads_to_the_present_one(wiring):
    for action in ("approve", "hold", "skip"):
        answer = await send(wiring, to(action, checksum="0ld"))
        assert answer.status == 409
        assert "has changed since the link was made" in says(answer)
        assert (await open_(wiring, *behind(hrefs(answer)[0]))).status == 200
    assert await unchanged(wiring)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_forged_link_does_nothing_and_says_so(wiring, method):
    good = to("hold")
    foreign = to("hold", key="x" * 32)
    other = to("hold", place=(*PLACE[:3], "db"))
    body, signature = good.rsplit(".", 1)
    mixed = f"{other.rsplit('.', 1)[0]}.{signature}"
    for token in ("nonsense", "", foreign, mixed, f"{body}.", good[:-4]):
        answer = await open_(wiring, token, method=method, form=ADA)
        assert answer.status == 403, token
        assert "This link is not valid" in says(answer)
        assert "Nothing was done." in says(answer)
    assert await unchanged(wiring)


async def test_an_expired_link_does_nothing_and_says_where_a_newer_one_is(wiring):
    token = to("hold")
    wiring.clock.forward(days=ACTS_FOR.days)
    answer = await send(wiring, token)

    assert answer.status == 410
    assert "A newer message has a newer link." in says(answer)
    assert await unchanged(wiring)


async def test_a_link_of_another_wave_or_of_a_run_that_is_gone_does_nothing(wiring):
    for place in (("OTHR-1", *PLACE[1:]), (*PLACE[:3], "gone")):
        answer = await send(wiring, to("hold", place=place))
        assert answer.status == 404
        assert "leads nowhere" in says(answer)
    assert await unchanged(wiring)


async def test_a_link_for_one_scale_set_acts_on_no_other(wiring):
    for rest in (f"{SUBSCRIPTION}/Prod-RG/db", "web.json"):
        answer = await open_(wiring, to("hold"), rest, method="POST", form=ADA)
        assert answer.status == 403
    assert await unchanged(wiring)
    assert await unchanged(wiring, run_path(SUBSCRIPTION, "Prod-RG", "db"))


async def test_a_link_without_effect_says_why_and_offers_no_button(wiring):
    answer = await open_(wiring, to("approve", place=(*PLACE[:3], "db")))

    assert answer.status == 409
    assert "Nothing waits for approval" in says(answer)
    assert "<form" not in str(answer.body)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"actor": "", "comment": "Why not."}, "Say who you are: the history keeps it."),
        ({"actor": "YOUR NAME", "comment": "Why not."}, "is still"),
        ({"actor": "Ada", "comment": "x" * 3000}, "at most"),
        ({"actor": "Ada", "checksum": "c0ffee"}, "not a field"),
        ({"actor": "Ada", "instances": "0"}, "not a field"),
    ],
)
async def test_what_is_wrong_with_the_form_is_said_on_it_and_what_was_typed_stays(wiring, form, sentence):
    answer = await send(wiring, to("approve"), form)

    assert answer.status == 400
    assert sentence in says(answer)
    assert "<form" in str(answer.body)
    assert await unchanged(wiring)


async def test_what_was_typed_is_shown_again_as_text(wiring):
    answer = await send(wiring, to("approve"), {"actor": "WHO", "comment": '"><script>alert(1)</script>'})

    assert answer.status == 400
    assert "<script" not in str(answer.body)
    assert "alert(1)" in str(answer.body)


async def test_where_the_platform_guards_the_app_acting_takes_a_person_who_has_signed_in(storage, wiring):
    guarded = TestWiring(storage, Clock(), link_key=KEY, platform_auth=True)
    token = to("approve")
    opened, sent = await open_(guarded, token), await send(guarded, token)
    assert [opened.status, sent.status] == [200, 403]
    for answer in (opened, sent):
        assert "Sign in first" in says(answer)
        assert "<form" not in str(answer.body)
    assert await unchanged(guarded)

    principal = {"x-ms-client-principal-name": "ada@example.org"}
    assert "Signed in as ada@example.org" in says(await open_(guarded, token, **principal))
    assert (await send(guarded, token, {"actor": "Somebody else", "comment": ""}, **principal)).status == 200
    (line,) = [entry for entry in (await recorded(guarded)).story.history if entry.id]
    assert line.actor == "ada@example.org"
    assert line.reason == "No reason given (by a link sent to ops; signed in)."
    await guarded.close()


async def test_a_header_that_anybody_can_send_proves_nobody(wiring):
    await send(wiring, to("approve"), ADA, **{"x-ms-client-principal-name": "boss@example.org"})

    (line,) = [entry for entry in (await recorded(wiring)).story.history if entry.id]
    assert line.actor == "Ada L."


async def test_a_link_signed_with_the_key_before_is_taken_until_that_key_goes(storage, wiring):
    assert (await open_(wiring, to(key=OLDER))).status == 200

    rolled = TestWiring(storage, Clock(), link_key=KEY)
    assert (await open_(rolled, to(key=OLDER))).status == 403
    await rolled.close()


async def test_without_a_key_no_link_is_made_or_taken(storage, wiring):
    bare = TestWiring(storage, Clock(), public_url="https://app.example")
    answer = await open_(bare, to())

    assert answer.status == 403
    assert "BREAKWATER_LINK_KEY" in says(answer)
    assert bare.addresses("ops").act(WAVE, run("web"), "hold") == ""
    await bare.close()


async def test_while_storage_is_down_nothing_is_lost(wiring):
    async def down(*_, **__):
        raise StorageDown("Storage is away.")

    wiring.runs.read = down
    answer = await send(wiring, to("approve"))

    assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
    assert "The link stays good" in says(answer)


async def test_the_links_that_are_sent_open_and_act(wiring):
    addresses = wiring.addresses("shop")
    one = await recorded(wiring)

    assert (await open_(wiring, *behind(addresses.wave(WAVE)))).status == 200
    assert (await open_(wiring, *behind(addresses.run(WAVE, one.target)))).status == 200
    answer = await send(wiring, behind(addresses.act(WAVE, one, "approve"))[0])
    assert answer.status == 200
    (line,) = [entry for entry in (await recorded(wiring)).story.history if entry.id]
    assert "a link sent to shop" in line.reason


async def test_the_json_of_a_wave_opened_by_a_link_goes_on_inside_it(wiring, monkeypatch):
    monkeypatch.setattr("handlers.pages.report.LARGEST", 10)
    token, rest, names = to(place=(WAVE,)), f"{WAVE}.json", []
    answer = json.loads((await open_(wiring, token, rest)).body)
    names += [one["name"] for one in answer["runs"]]

    assert answer["next"].startswith(f"https://app.example/api/links/{token}/{WAVE}.json?after=")
    assert len(names) == 1
