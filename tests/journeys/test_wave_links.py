"""A link that acts on a whole wave: as it was shown, once, by its form alone, however often hosts die."""

import asyncio
import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote, urlencode

import pytest

from handlers.cloud.records import StorageDown
from handlers.repository.used_links import UsedLink
from handlers.runs import limits, wave_commands
from handlers.stages import link, report
from handlers.wire import link_token
from handlers.wire.documents import decode
from handlers.wire.http import Request, Response
from planner.policy.model import Limits, Policy
from planner.record.states import ENDED
from simulator.fleet import SUBSCRIPTION
from tests.journeys.test_queue import ID, Queue, names
from tests.journeys.test_whole_wave import NIGHTS, H, seen
from tests.world.chaos import Chaos, Killed
from tests.world.mailbox import Mailbox
from tests.world.world import START

KEY = "k" * 32
ADA = {"actor": "Ada L.", "comment": "As agreed."}


async def overloaded(**more: Any) -> Queue:
    """Twenty-four sets of which two at a time do not fit into eight nights; links are signed."""
    azure = Queue(Limits(scale_sets=2), **NIGHTS, **more)
    azure.settings = azure.settings.model_copy(
        update={"public_url": "https://app.example", "link_key": type(azure.settings.link_key)(KEY)}
    )
    azure.wiring = azure._new_wiring()
    await azure.announced(dict.fromkeys(names("set", 24), "westeurope"), days=8)
    await azure.until(START + 30 * timedelta(minutes=1))
    return azure


async def offered(azure: Queue) -> dict[str, str]:
    """The choices of the wave's page, as it is opened with the key: sentence to link."""
    page = str((await report.handle(Request("GET", {"wave": ID}), azure.wiring)).body)
    part = page.partition('id="choices"')[2].partition("</section>")[0]
    found = re.findall(r'<a href="https://app.example/api/links/([^"]+)">(.*?)</a>', part)
    return {html.unescape(words): unquote(token) for token, words in found}


def one(choices: dict[str, str], words: str) -> str:
    (token,) = [token for sentence, token in choices.items() if words in sentence]
    return token


async def open_(
    azure: Queue, token: str, form: dict[str, str] | None = None, method: str = "", **headers: str
) -> Response:
    method = method or ("POST" if form is not None else "GET")
    given = {"content-type": "application/x-www-form-urlencoded", **headers}
    body = urlencode(form or {}).encode() if method == "POST" else b""
    return await link.handle(Request(method, {"token": token, "rest": ""}, {}, given, body), azure.wiring)


def says(answer: Response) -> str:
    text = re.sub(r"<[^>]+>", " ", str(answer.body).partition("</style>")[2])
    return " ".join(html.unescape(text).split())


def skipped(azure: Queue) -> set[str]:
    return {
        name for name, run in azure.runs().items() if any(line.event == "skip" for line in run.story.history)
    }


async def test_opening_it_shows_who_is_left_to_azure_and_changes_nothing() -> None:
    azure = await overloaded()
    late = (await seen(azure)).late
    token = one(await offered(azure), "Leave those")
    before = dict(azure.records.documents)
    for method in ("GET", "HEAD", "OPTIONS"):
        answer = await open_(azure, token, method=method)
    page = says(answer)

    assert answer.status == 200
    assert f"Leave {len(late)} scale sets to Azure in {ID}" in page
    assert f"{len(late)} scale sets with {4 * len(late)} instances are left to Azure" in page
    for name in late:
        assert f"{name} 0, 1, 2, 3 between" in page
    assert "What it undoes Their plans" in page
    assert "can be used once" in page
    assert dict(azure.records.documents) == before


async def test_sending_its_form_leaves_exactly_those_to_azure_with_name_and_how_it_came() -> None:
    azure = await overloaded()
    late = set((await seen(azure)).late)
    token = one(await offered(azure), "Leave those")
    answer = await open_(azure, token, ADA)

    assert answer.status == 200
    assert f"{len(late)} scale sets took it." in says(answer)
    assert skipped(azure) == late
    for name in late:
        (line,) = [line for line in azure.run_of(name).story.history if line.event == "skip"]
        assert line.actor == "Ada L."
        assert line.reason.startswith(
            "As agreed. (by a link on a page of the app's key; the name is as typed there)"
        )


async def test_it_acts_once_and_says_who_used_it() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    await open_(azure, token, ADA)
    before = dict(azure.records.documents)

    for form in (None, {"actor": "Bo", "comment": "Me, too."}):
        answer = await open_(azure, token, form)
        assert (answer.status, "This link has been used" in says(answer)) == (410, True)
        assert "Ada L. used it at" in says(answer)
    assert dict(azure.records.documents) == before


async def test_of_two_who_send_it_at_once_one_is_told_that_it_was_used() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    answers = await asyncio.gather(
        *(open_(azure, token, {"actor": name, "comment": "Now."}) for name in ("Ada", "Bo"))
    )

    assert sorted(answer.status for answer in answers) == [200, 410]
    for name in skipped(azure):
        assert sum(line.event == "skip" for line in azure.run_of(name).story.history) == 1


async def test_a_limit_is_raised_by_its_link_and_everybody_has_a_place() -> None:
    azure = await overloaded()
    [(key, enough)] = (await seen(azure)).enough
    token = one(await offered(azure), f"`{key}` to {enough}")
    opened = says(await open_(azure, token))
    answer = await open_(azure, token, ADA)

    assert f"`{key}` goes from 2 to {enough}" in opened
    assert answer.status == 200
    assert (await limits.of(SUBSCRIPTION, azure.wiring)).scale_sets == enough
    after = await seen(azure)
    assert after.late == ()
    assert f"Ada L. raised `{key}` to {enough}: As agreed. (by a link" in after.sentence


async def test_windows_are_dropped_by_their_link_for_those_without_a_place_alone() -> None:
    azure = await overloaded()
    late = set((await seen(azure)).late)
    token = one(await offered(azure), "Drop the windows")
    opened = says(await open_(azure, token))
    await open_(azure, token, ADA)

    assert f"Plan {len(late)} scale sets anew: windows any time" in opened
    await azure.until(azure.clock() + H)
    assert {name for name, run in azure.runs().items() if run.terms.raised} == late


async def test_a_wave_that_has_changed_since_is_not_acted_on() -> None:
    azure = await overloaded()
    choices = await offered(azure)
    assert (await azure.say_of_the_wave(ID, "skip", runs="late"))[0] == 202
    before = skipped(azure)

    for token in choices.values():
        answer = await open_(azure, token, ADA)
        assert (answer.status, "has changed since the link was made" in says(answer)) == (409, True)
        assert "Nothing was done." in says(answer)
    assert skipped(azure) == before
    assert (await limits.of(SUBSCRIPTION, azure.wiring)).scale_sets == 2


async def test_other_limits_make_it_another_state_of_the_wave() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    azure.policy = Policy(
        azure.policy.defaults,
        azure.policy.rules,
        limits=Limits(scale_sets=1),
        receivers=azure.policy.receivers,
    )
    azure.clock.advance(timedelta(minutes=2))

    assert (await open_(azure, token, ADA)).status == 409
    assert skipped(azure) == set()


async def test_it_ends_after_its_time_and_nobody_else_can_make_one() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    said = link_token.read(token, (KEY,))
    forged = link_token.signed(said, ("x" * 32,))
    assert (await open_(azure, forged, ADA)).status == 403
    assert (await open_(azure, token[:-3], ADA)).status == 403
    azure.clock.advance(link_token.ACTS_FOR)
    answer = await open_(azure, token, ADA)

    assert (answer.status, "This link has expired" in says(answer)) == (410, True)
    assert skipped(azure) == set()


async def test_without_a_name_it_asks_for_one_and_does_nothing() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    answer = await open_(azure, token, {"actor": " ", "comment": "Now."})

    assert answer.status == 400
    assert "Say who you are" in says(answer)
    assert 'value="Now."' in str(answer.body)
    assert skipped(azure) == set()


async def test_where_the_platform_guards_the_app_only_who_has_signed_in_acts() -> None:
    azure = await overloaded()
    token = one(await offered(azure), "Leave those")
    azure.settings = azure.settings.model_copy(update={"platform_auth": True})
    azure.wiring = azure._new_wiring()
    assert (await open_(azure, token, ADA)).status == 403
    assert skipped(azure) == set()
    answer = await open_(
        azure, token, {"comment": "Now."}, **{"x-ms-client-principal-name": "ada@example.org"}
    )

    assert answer.status == 200
    (line,) = [
        line for line in azure.run_of(next(iter(skipped(azure)))).story.history if line.event == "skip"
    ]
    assert line.actor == "ada@example.org"
    assert "signed in" in line.reason


async def test_the_links_of_a_message_are_for_its_receivers_scale_sets() -> None:
    mailbox = Mailbox()
    azure = await overloaded(mailbox=mailbox)
    (digest,) = mailbox.mails
    (choice,) = [each for each in digest.message.payload["choices"] if each["word"] == "skip"]
    token = unquote(choice["link"].rpartition("/")[2])

    assert link_token.read(token, (KEY,)).receiver == "ops"
    assert choice["link"] in digest.message.html
    assert (await open_(azure, token, ADA)).status == 200
    assert skipped(azure)


async def test_what_could_not_be_reached_is_reached_by_sending_it_again_as_the_first_one_said(
    monkeypatch,
) -> None:
    azure = await overloaded()
    late = set((await seen(azure)).late)
    token = one(await offered(azure), "Leave those")
    taken, tries = wave_commands.commands.taken, []

    async def every_second(*given: Any, **more: Any) -> Any:
        tries.append(given)
        if len(tries) % 2:
            raise StorageDown("Storage is away.")
        return await taken(*given, **more)

    monkeypatch.setattr(wave_commands.commands, "taken", every_second)
    first = await open_(azure, token, ADA)
    assert first.status == 503
    assert "The link stays good" in says(first)
    assert set() < skipped(azure) < late

    monkeypatch.setattr(wave_commands.commands, "taken", taken)
    assert (await open_(azure, token, {"actor": "Bo", "comment": "Go on."})).status == 410
    azure.clock.advance(timedelta(minutes=3))
    opened = await open_(azure, token)
    assert (opened.status, "Ada L. began with this" in says(opened)) == (200, True)
    assert (await open_(azure, token, {"actor": "Bo", "comment": "Go on."})).status == 200
    assert skipped(azure) == late
    for name in late:
        (line,) = [line for line in azure.run_of(name).story.history if line.event == "skip"]
        assert line.actor == "Ada L."
    assert (await open_(azure, token, ADA)).status == 410


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("kill", "storage"), [(0.02, 0), (0, 0.05)])
async def test_sent_again_after_a_death_or_a_503_each_run_takes_it_once(
    seed: int, kill: float, storage: float
) -> None:
    azure = await overloaded(chaos=Chaos(seed))
    late = set((await seen(azure)).late)
    token = one(await offered(azure), "Leave those")
    azure.chaos.kill, azure.chaos.storage = kill, storage
    for _ in range(30):
        try:
            answer = await open_(azure, token, ADA)
        except Killed:
            azure.wiring = azure._new_wiring()
            continue
        if answer.status != 503:
            break
    azure.chaos.kill = azure.chaos.storage = 0

    assert answer.status in {200, 410}
    (used,) = [path for path in azure.records.documents if path.startswith("links/")]
    stored = await azure.records.read(used)
    assert decode(UsedLink, stored.body).done
    await azure.until(azure.clock() + 12 * H)
    assert skipped(azure) == late
    for name in late:
        run = azure.run_of(name)
        assert run.state in ENDED
        assert sum(line.event == "skip" for line in run.story.history) == 1
