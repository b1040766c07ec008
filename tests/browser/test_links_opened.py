"""Links as people and mail scanners open them: a real browser, the app under its host, and no key anywhere."""

import json
import re
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright

from handlers.render.addresses import OWN_CALENDAR
from handlers.render.vocabulary import ANSWERS
from handlers.wire import link_token
from handlers.wire.link_token import Link
from simulator.fleet import uniform
from simulator.rig import Rig
from tests.chromium import AXE, axe, chromium, violations
from tests.journeys import play

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

KEY = "a key of at least thirty-two characters".replace(" ", "-")
PHONE = {"width": 360, "height": 740}
NAMES = ("web", "db")
APPROVE = ANSWERS["approve"]


@asynccontextmanager
async def wave(storage: str) -> AsyncIterator[Rig]:
    """Two scale sets that wait for approval, their mails sent."""
    tags = {**play.ALWAYS, "breakwater-mode": "approve"}
    azure = play.fleet(*(uniform(name, 2, tags=tags, behaviour=play.QUICK) for name in NAMES))
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    said = {"BREAKWATER_PUBLIC_URL": f"http://127.0.0.1:{port}", "BREAKWATER_LINK_KEY": KEY}
    async with Rig(
        azure, storage=storage, policy=play.POLICY, settings={**play.SETTINGS, **said}, port=port
    ) as rig:
        await play.alerted(rig)
        await play.reaches(rig, 30, web="awaiting_approval", db="awaiting_approval")
        yield rig


@asynccontextmanager
async def phone() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium())
        context = await browser.new_context(viewport=PHONE, has_touch=True)
        yield await context.new_page()
        await browser.close()


def links_of(mail: EmailMessage) -> set[str]:
    return set(
        re.findall(r"http://127\.0\.0\.1:\d+/api/links/[^\s\"]+", play.text_of(mail) + play.html_of(mail))
    )


async def asking(rig: Rig) -> EmailMessage:
    """The mail that asks for approval of everything."""
    return await play.mail_saying(rig, "Approve rebooting")


async def usable(tab: Page) -> None:
    """The page fits the screen and everybody can use it."""
    await tab.evaluate(axe())
    assert violations(await tab.evaluate(AXE, {})) == []
    assert (
        await tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0
    )


async def records(rig: Rig) -> dict[str, Any]:
    """What a wave looks like, but for when it was looked at."""
    report = await rig.report(play.TRACKING_ID)
    return {
        run["name"]: (run["state"], run["checksum"], [line["event"] for line in run["history"]])
        for run in report["runs"]
    }


async def test_from_the_mail_over_the_page_to_an_approval_and_back_on_a_phone(storage):
    async with wave(storage) as rig, phone() as tab:
        await tab.set_content(play.html_of(await asking(rig)))
        heading = tab.locator("h2", has_text="web")
        await heading.locator("xpath=following::a[text()='Approve'][1]").click()

        await tab.get_by_role("heading", name="Approve: web").wait_for()
        await usable(tab)
        page = await tab.inner_text("main")
        assert "2 instances of web will be rebooted" in page
        assert "What it undoes" in page
        button = tab.get_by_role("button", name="Approve")
        await button.click()
        assert await tab.evaluate("document.activeElement.id") == "actor", (
            "the browser asks for a name itself"
        )
        assert not play.started(rig.fleet)
        await tab.get_by_label("Your name").fill("Ana")
        await tab.get_by_label("Why").fill("Looks right.")
        await button.click()

        await tab.get_by_role("heading", name="Done: approve web").wait_for()
        await usable(tab)
        used = tab.url
        await tab.get_by_role("link", name="Back to web").click()
        await tab.get_by_text("by a link sent to ops; the name is as typed there").wait_for()
        assert "/api/links/" in tab.url

        await tab.goto(used)
        assert "Ana said approve with it" in await tab.inner_text("main")
        await play.reaches(rig, 40, web="completed", db="awaiting_approval")


async def test_a_scanner_that_follows_every_link_of_every_mail_and_page_changes_nothing(storage):
    async with wave(storage) as rig, aiohttp.ClientSession() as http:
        await asking(rig)
        before = await records(rig)
        cards = json.dumps([post.body for post in rig.teams.messages])
        waiting = set(re.findall(r"http://127\.0\.0\.1:\d+/api/links/[^\s\"\\]+", cards))
        waiting |= {link for mail in rig.mail.messages for link in links_of(mail)}
        assert len(waiting) >= 2 * len(NAMES) + 1
        seen: set[str] = set()
        while waiting:
            link = waiting.pop()
            seen.add(link)
            for method in ("HEAD", "GET", "OPTIONS"):
                async with http.request(method, link, headers={"Sec-Purpose": "prefetch"}) as answer:
                    assert answer.status == (404 if method == "OPTIONS" else 200), link
                    text = await answer.text() if "html" in answer.headers.get("Content-Type", "") else ""
            waiting |= {one for one in re.findall(r'href="(http://127[^"]+)"', text) if one not in seen}
        assert len(seen) > len(NAMES) * 3

        assert await records(rig) == before
        assert not play.started(rig.fleet)


async def test_whatever_is_wrong_with_a_link_is_a_clear_page_and_nothing_is_done(storage):
    async with wave(storage) as rig, phone() as tab:
        await asking(rig)
        runs = {name: play.run_of(await rig.report(play.TRACKING_ID), name) for name in NAMES}
        base, later = f"{rig.host.url}/api/links", datetime.now(UTC) + timedelta(days=1)

        def link(run: dict[str, Any], expires: datetime, *, key: str = KEY, checksum: str = "") -> str:
            place = (play.TRACKING_ID, run["subscription"], run["resource_group"], run["name"])
            made = Link(place, "ops", expires, "approve", checksum or run["checksum"])
            return f"{base}/{link_token.signed(made, (key,))}"

        web, db = runs["web"], runs["db"]
        good = link(web, later)
        other = f"{web['subscription']}/{web['resource_group']}/db"
        wrong = {
            link(web, later, key="x" * 32): ("This link is not valid", 403),
            f"{good[:-9]}": ("This link is not valid", 403),
            f"{base}/nonsense": ("This link is not valid", 403),
            link(web, datetime.now(UTC) - timedelta(seconds=1)): ("This link has expired", 410),
            link(web, later, checksum="0000"): ("This link is for another plan", 409),
            f"{good}/{other}": ("This link does not lead there", 403),
            link({**web, "name": "gone"}, later): ("This link leads nowhere", 404),
        }
        before = await records(rig)
        for address, (title, status) in wrong.items():
            for send in (False, True):
                if send:
                    # As a page that somebody else wrote would send it.
                    await tab.set_content(
                        f'<form method="post" action="{address}"><input name="actor" value="Eve"></form>'
                    )
                    async with tab.expect_navigation() as gone:
                        await tab.evaluate("document.forms[0].submit()")
                    answer = await gone.value
                else:
                    answer = await tab.goto(address)
                assert answer is not None
                assert (answer.status, await tab.inner_text("h1")) == (status, title)
                assert "Nothing was done." in await tab.inner_text("main")
            await usable(tab)
        assert await records(rig) == before

        await tab.goto(good)
        await tab.get_by_label("Your name").fill("Ana")
        await tab.get_by_role("button").click()
        await tab.get_by_role("heading", name="Done: approve web").wait_for()
        await tab.goto(good)
        assert await tab.inner_text("h1") == "This link has been used"
        await usable(tab)
        assert (await records(rig))["db"] == before["db"]
        bare = await tab.request.get(f"{rig.host.url}/api/waves/{play.TRACKING_ID}")
        assert bare.status == 401, "what needs a key still needs it"
        assert db["state"] == "awaiting_approval"


async def focused(tab: Page) -> str:
    return await tab.evaluate("document.activeElement.textContent.trim() || document.activeElement.id")


async def tab_to(tab: Page, wanted: str) -> None:
    """Press Tab until the focus is there, as somebody does who has no mouse."""
    for _ in range(200):
        await tab.keyboard.press("Tab")
        if await focused(tab) == wanted:
            return
    raise AssertionError(f"no way to {wanted!r} by keyboard")


async def test_from_the_mail_to_an_approval_with_the_keyboard_alone(storage):
    async with wave(storage) as rig, phone() as tab:
        await tab.set_content(play.html_of(await asking(rig)))
        await tab_to(tab, APPROVE)
        await tab.keyboard.press("Enter")
        await tab.get_by_role("button", name=APPROVE).wait_for()
        await tab_to(tab, "Skip to the content")
        await tab.keyboard.press("Enter")
        await tab_to(tab, "actor")
        await tab.keyboard.type("Ana")
        await tab.keyboard.press("Tab")
        await tab.keyboard.type("Looks right.")
        await tab.keyboard.press("Tab")
        assert await focused(tab) == APPROVE
        await tab.keyboard.press("Enter")

        await tab.get_by_role("heading", name="Done: approve").wait_for()
        states = {name: state for name, (state, _, _) in (await records(rig)).items()}
        assert sorted(state != "awaiting_approval" for state in states.values()) == [False, True]


async def test_from_the_mail_to_the_wave_a_scale_set_every_wave_and_back_on_a_phone(storage):
    async with wave(storage) as rig, phone() as tab:
        mail = await asking(rig)
        pages = [link for link in links_of(mail) if not link.endswith(f"/{OWN_CALENDAR}")]
        read = [link for link in pages if not link_token.read(link.rpartition("/")[2], (KEY,)).acts]
        (report,) = [
            link for link in read if len(link_token.read(link.rpartition("/")[2], (KEY,)).place) == 1
        ]
        await tab.goto(report)
        await usable(tab)
        assert "Needs your action" in await tab.inner_text("main")
        assert not await tab.locator("form").count()
        await tab.get_by_role("heading", name="web").get_by_role("link").click()
        await usable(tab)
        assert "This link shows and does not act." in await tab.inner_text("main")
        await tab.get_by_role("link", name="The whole wave").click()
        await tab.get_by_role("link", name="Every wave on record").click()
        await usable(tab)
        await tab.get_by_role("link", name=f"Open {play.TRACKING_ID}").click()
        await usable(tab)
        assert "/api/links/" in tab.url
        assert not play.started(rig.fleet)
