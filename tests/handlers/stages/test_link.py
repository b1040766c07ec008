"""link: what opens without a key, what acts once, and what is refused on a clear page."""

import asyncio
import json
import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from icalendar import Calendar

from handlers.cloud.names import run_path, wave_path
from handlers.cloud.records import StorageDown
from handlers.render.addresses import OWN_CALENDAR, Addresses, InLink
from handlers.stages import link as stage
from handlers.wire import link_token
from handlers.wire.documents import decode, encode, wave_metadata
from handlers.wire.http import Request
from handlers.wire.ids import RUNS
from handlers.wire.link_token import ACTS_FOR, READABLE, SUBSCRIBED, Link
from planner.azure.wave import Announcement, Member, Stage, Wave
from planner.policy.model import Mode
from planner.record.batch import Batch
from planner.record.instance import InstanceProgress
from planner.record.run import Run
from planner.record.states import RunState
from tests.handlers.parts import NOW, SUBSCRIPTION, Clock, TestWiring, put, run, scale_set

KEY, OLDER = "k" * 32, "o" * 32
WAVE = "VM12-3AB"
PLACE = (WAVE, SUBSCRIPTION, "Prod-RG", "web")
PATH = run_path(SUBSCRIPTION, "Prod-RG", "web")
ASKING = {"state": RunState.AWAITING_APPROVAL, "mode": Mode.APPROVE}
TIMED = (Batch(1, "domain 0", (InstanceProgress("0"), InstanceProgress("1")), not_before=NOW),)
ADA = {"actor": "Ada L.", "comment": "Looks right."}


@pytest.fixture
async def wiring(storage):
    made = TestWiring(storage, Clock(), link_key=f"{KEY} {OLDER}", public_url="https://app.example")
    await announce(made)
    await put(made, run("web", **ASKING))
    await put(made, run("db"))
    yield made
    await made.close()


async def announce(wiring, stage=Stage.PLANNED):
    heard = Announcement(WAVE, SUBSCRIPTION, "1", stage, "a", NOW, NOW, NOW, title="Reboots")
    wave = Wave(WAVE, SUBSCRIPTION, (heard,), (Member(scale_set("web")), Member(scale_set("db"))))
    path = wave_path(WAVE, SUBSCRIPTION)
    stored = await wiring.records.read(path)
    await wiring.records.write(path, encode(wave), etag=stored and stored.etag, metadata=wave_metadata(wave))


def to(action="view", place=PLACE, checksum="c0ffee", key=KEY, receiver="ops", at=NOW, **more):
    link = Link(
        place,
        receiver,
        link_token.expiry(action, at),
        action,
        checksum if action not in {"view", "feed"} else "",
        more,
    )
    return link_token.signed(link, (key,))


async def open_(wiring, token, rest="", method="GET", form=None, **headers):
    body = urlencode(form).encode() if form is not None else b""
    headers = {"content-type": "application/x-www-form-urlencoded", **headers}
    return await stage.handle(Request(method, {"token": token, "rest": rest}, {}, headers, body), wiring)


async def send(wiring, token, form=ADA, **headers):
    return await open_(wiring, token, method="POST", form=form, **headers)


async def recorded(wiring, path=PATH):
    return decode(Run, (await wiring.records.read(path)).body)


async def unchanged(wiring, path=PATH):
    one = await recorded(wiring, path)
    return (
        not one.people.events
        and not one.people.approved
        and not one.story.history
        and not wiring.spy.of(RUNS)
    )


def says(answer):
    return re.sub(
        r"\s+",
        " ",
        re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", str(answer.body), flags=re.DOTALL)),
    )


def hrefs(answer):
    found = re.findall(r'href="([^"]+)"', str(answer.body))
    return [
        address for address in found if not address.startswith(("#", "https://portal.", "https://app.azure."))
    ]


def behind(address):
    token, _, rest = address.removeprefix("https://app.example/api/links/").partition("/")
    return token, rest.partition("?")[0]


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


async def test_a_receivers_own_calendar_is_a_feed_over_all_its_waves(wiring):
    await put(wiring, run("web", receiver="ops", batches=TIMED, **ASKING))
    token = to("feed", place=())

    for rest in ("", OWN_CALENDAR):
        answer = await open_(wiring, token, rest)
        assert (answer.status, answer.content_type) == (200, "text/calendar")
    (event,) = Calendar.from_ical(answer.body).walk("VEVENT")
    assert str(event["summary"]) == "Not approved: web: 2 instances reboot"
    token, rest = behind(str(event["url"]))
    assert (await open_(wiring, token, rest)).content_type == "text/html"


async def test_a_receiver_of_nothing_has_a_calendar_all_the_same(wiring):
    answer = await open_(wiring, to("feed", place=(), receiver="somebody"))

    assert answer.status == 200
    assert [part.name for part in Calendar.from_ical(answer.body).subcomponents] == ["VTIMEZONE"]


async def test_the_link_of_a_calendar_shows_nothing_else_and_does_nothing(wiring):
    token = to("feed", place=())

    for rest in (f"{WAVE}.ics", WAVE, f"{SUBSCRIPTION}/Prod-RG/web", "calendar.ics/x"):
        answer = await open_(wiring, token, rest)
        assert answer.status == 403, rest
        assert "the calendar of ops alone" in says(answer)
    assert (await send(wiring, token)).status == 405
    assert (await open_(wiring, to(place=(WAVE,)), OWN_CALENDAR)).status == 403
    assert await unchanged(wiring)


async def test_who_subscribes_does_so_for_more_than_a_year_and_is_told_when_it_is_over(wiring):
    token = to("feed", place=())

    wiring.clock.at = NOW + SUBSCRIBED - timedelta(days=1)
    assert (await open_(wiring, token)).status == 200
    wiring.clock.at = NOW + SUBSCRIBED
    answer = await open_(wiring, token)
    assert (answer.status, "newer link" in says(answer)) == (410, True)


async def test_a_wave_that_was_over_ninety_days_ago_is_no_longer_in_it(wiring):
    await put(wiring, run("web", receiver="ops", batches=TIMED))
    await announce(wiring, stage=Stage.COMPLETE)

    for days, events in ((89, 1), (91, 0)):
        wiring.clock.at = NOW + timedelta(days=days)
        answer = await open_(wiring, to("feed", place=()))
        assert len(Calendar.from_ical(answer.body).walk("VEVENT")) == events


async def test_a_message_names_the_calendar_of_its_receiver(wiring):
    address = wiring.addresses("ops").own_calendar()

    assert address.endswith(f"/{OWN_CALENDAR}")
    assert (await open_(wiring, *behind(address))).content_type == "text/calendar"
    assert Addresses("https://app.example").own_calendar() == ""
    assert InLink("https://app.example", token="t", place=(WAVE,)).own_calendar() == ""


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
    assert "2 instances of web will be restarted" in text
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
