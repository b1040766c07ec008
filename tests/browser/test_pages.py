"""Pages and mail in a real Chromium: readable in light and dark, on a phone, on paper, for everybody."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from handlers.pages.answer import SECURITY
from handlers.render import contract, page
from handlers.render.addresses import Addresses, OnPage, Place, place_of
from handlers.render.compose import compose
from handlers.render.confirmation import confirmation
from handlers.render.forms import render
from handlers.render.letter import Story
from handlers.render.page import Form
from handlers.render.wave_confirmation import wave_confirmation
from handlers.wire.command_request import CommandRequest
from handlers.wire.link_token import Link
from handlers.wire.wave_request import WaveRequest, Which
from planner.azure.fleet import MaintenanceStatus
from planner.notices import delivery_steps as steps
from planner.notices.delivery import Delivery, with_channels
from planner.notices.digest import Overview
from planner.places.outlook import Outlook
from planner.policy.limits import Limits
from planner.policy.model import Freeze
from planner.policy.weekly import parse_windows
from planner.record.check import Check, Outcome
from planner.record.command import Command, CommandKind
from planner.record.run import Entry, Run
from planner.record.shown import Shown
from planner.record.states import BatchState, InstanceState, RunState
from tests.chromium import AXE, axe, violations
from tests.notices import (
    CAPACITY,
    HOUR,
    NOW,
    SUBSCRIPTION,
    TRACKING,
    batch,
    followed,
    misfit,
    notice,
    paused,
    repairing,
    run,
    short_of_time,
    wave,
)  # fmt: skip

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ADDRESSES = Addresses("https://breakwater.example")
SIGNED = OnPage(
    "https://breakwater.example", lambda place, action, *_: f"{'-'.join((*place, action))}.signed"
)
LONG = "a-scale-set-with-a-very-long-name-that-nobody-would-type-" * 3
SIZES = {"desk": (1280, 900), "phone": (360, 740)}


def _wave_page() -> str:
    runs = (
        misfit("orders-prod"),
        short_of_time("cart-prod"),
        followed("mail-prod", over=False),
        paused("db-prod", checks=tuple(Check(f"check-{one}", one, "Because. " * 20) for one in Outcome)),
        run("web", notice(), state=RunState.RUNNING, batches=tuple(
            batch(number, *"123", domain=f"zone {number}, domain 0", state=state)
            for number, state in enumerate(InstanceState, 1)
        )),
        run(LONG, notice(), state=RunState.LEFT_TO_AZURE, reason="Nobody declared a need, so Azure does it."),
        *(run(f"set-{state.value}", state=state, batches=(), history=(), checks=()) for state in RunState),
    )  # fmt: skip
    told = with_channels(Delivery(TRACKING, "ops"), ("teams",))
    told = steps.claim(told, "teams", {"a": 1}, (), NOW)
    told = steps.refused(told, "teams", "[Paused] db-prod", "Teams refused the message with 404.", NOW)
    seen = Overview({"paused": 1, "running": 1, "left_to_azure": 1}, 1, NOW + timedelta(days=4), planning=2)
    return page.wave_page(page.Report(TRACKING, (wave(*runs),), runs, seen, (told,)), ADDRESSES, NOW)


def _part(number: int, state: RunState | None = None) -> str:
    """A page of a wave of a thousand scale sets, many of which need a person."""
    first = [misfit(f"{LONG}{one}") for one in range(40)] if state is None and number == 1 else []
    runs = (*first, *(run(f"set-{one}", notice()) for one in range(50 - len(first))))
    seen = Overview({"paused": 40, "scheduled": 960}, 40, NOW)
    asking = tuple(Place(SUBSCRIPTION, "shop", f"{LONG}{one}") for one in range(40))
    part = page.Part(number, 20, number * 50 - 49, 1000, state)
    return page.wave_page(
        page.Report(TRACKING, (wave(),), runs, seen, (), asking=asking, part=part), ADDRESSES, NOW
    )


def _mail() -> str:
    runs = (
        paused("db-prod"),
        misfit("orders"),
        run("web", notice(), checks=_checks()),
        run(LONG, notice(), state=RunState.LEFT_TO_AZURE),
    )
    items = tuple((one, said) for one in runs for said in one.story.notices)
    story = Story(TRACKING, (wave(*runs),), items, Overview({"paused": 1, "scheduled": 2}, 1, planning=1))
    return render(compose(story, ADDRESSES, NOW), "id", "thread").html


BERLIN = (parse_windows("Sat,Sun 02:00-05:00 Europe/Berlin; Wed 13:00-18:00 Europe/Berlin"),)
ONE = run("web").times
STATUS = MaintenanceStatus(
    allowed=True, self_service=ONE.self_service, scheduled=ONE.scheduled, message="The host is not ready."
)


def _planned(name: str, at: timedelta = timedelta(0), **more: Any) -> Run:
    """A run of six batches in three domains, one of them done and one under way if it has begun."""
    begun = more.pop("begun", False)
    made = []
    for number in range(1, 7):
        start = NOW + at + timedelta(minutes=40 * number)
        one = replace(
            batch(number, f"{number}0", f"{number}1", domain=f"zone {number % 3 + 1}, domain {number}"),
            not_before=start,
        )
        if begun and number == 1:
            done = batch(1, "10", "11", domain="zone 2, domain 1", state=InstanceState.MAINTAINED)
            one = replace(
                done,
                state=BatchState.DONE,
                started_at=NOW - HOUR,
                verified_at=NOW - HOUR / 2,
                finished_at=NOW,
            )
        if begun and number == 2:
            flying = batch(2, "20", "21", domain="zone 3, domain 2", state=InstanceState.REBOOTING)
            one = replace(flying, state=BatchState.REBOOTING, started_at=NOW - HOUR / 12)
        made.append(one)
    ids = tuple(one.id for each in made for one in each.instances)
    given: dict[str, Any] = {
        "batches": tuple(made),
        "windows": BERLIN,
        "serving": 12,
        "capacity": CAPACITY,
        "checks": _checks()[:22],
        "shown": (Shown(STATUS, ids[:10]),),
        "shown_at": NOW,
        "members": ids,
        "freezes": (Freeze(NOW + 30 * HOUR, NOW + 40 * HOUR, "Release."),),
    }
    return run(name, notice(), **(given | more))


def _ordinary(sets: int) -> str:
    """A wave as most are: most rebooted by us, some left to Azure, few not affected, some that ask."""
    runs = [_planned(f"app-{number:03}-prod", number * 4 * HOUR) for number in range(sets - sets // 3 - 2)]
    runs += [
        run(
            f"batch-{number:03}-prod",
            notice(),
            state=RunState.LEFT_TO_AZURE,
            reason="Left to Azure: nobody declared a need.",
        )
        for number in range(sets // 3 - 1)
    ]
    runs += [
        run("idle-prod", state=RunState.NOT_IMPACTED, batches=()),
        misfit("orders-prod"),
        paused("db-prod"),
    ]
    told = with_channels(Delivery(TRACKING, "ops"), ("teams",))
    for number in range(30):
        told = steps.claim(told, "teams", {str(number): number}, (), NOW)
        told = steps.accepted(told, "teams", f"[Started] app-{number:03}-prod", NOW)
    said = wave(*runs, text="<p>We will reboot your machines, and this is what it means.</p>" * 20)
    seen = Overview(
        {"paused": 2, "scheduled": sets - sets // 3 - 2, "left_to_azure": sets // 3 - 1, "not_impacted": 1},
        2,
        NOW + timedelta(days=4),
    )
    ordered = sorted(runs, key=lambda one: not one.needs_person)
    pages = -(-sets // 50)
    asking = tuple(Place(SUBSCRIPTION, "shop", name) for name in ("db-prod", "orders-prod"))
    report = page.Report(
        TRACKING,
        (said,),
        tuple(ordered[:50]),
        seen,
        (told,),
        asking=asking,
        part=page.Part(1, pages, 1, sets),
    )
    return page.wave_page(report, SIGNED, NOW)


def _confirming_wave(action: str, **more: Any) -> str:
    runs = tuple(_planned(f"app-{number:03}") for number in range(3))
    asked = WaveRequest(
        CommandRequest(CommandKind(action), "nobody", raised=more.pop("raised", {})), Which.LATE, **more
    )
    late = tuple(one.target.name for one in runs)
    seen = Outlook(SUBSCRIPTION, Limits(), 9, NOW, late, (("scale-sets", 9),))
    link = Link((TRACKING,), "ops", NOW + timedelta(days=3), action, seen.checksum)
    return page.confirm_wave_page(link, wave_confirmation(asked, seen, runs), Form(), SIGNED, NOW)


def _choosing() -> str:
    """A wave that does not fit, as somebody sees it who may choose for it."""
    runs = tuple(_planned(f"app-{number:03}") for number in range(3))
    late = Outlook(
        SUBSCRIPTION,
        Limits(),
        9,
        NOW,
        tuple(one.target.name for one in runs),
        (("scale-sets", 9),),
        any_time=True,
    )
    report = page.Report(TRACKING, (wave(*runs),), runs, Overview({"scheduled": 3}), (), outlooks=(late,))
    return page.wave_page(report, SIGNED, NOW)


def _empty_wave() -> str:
    return page.wave_page(page.Report(TRACKING, (wave(),), (), Overview(), ()), ADDRESSES, NOW)


def _overview() -> str:
    rows = [contract.overview_row(TRACKING, "Planned", (), Overview({"paused": 1}, 1, NOW))]
    return page.waves_page(rows, ADDRESSES, NOW)


def _checks() -> tuple[Check, ...]:
    many = tuple(map(str, range(200)))
    return tuple(
        Check(
            f"a-check-with-a-name-{number}",
            tuple(Outcome)[number % 5],
            "Because. " * 30,
            many,
            ("activity log",),
        )
        for number in range(40)
    )


def _huge() -> str:
    batches = tuple(batch(number, *(f"{LONG}{one}" for one in range(50))) for number in range(1, 120))
    line = Entry(NOW, "breakwater", "batch started", "Because. " * 20)
    one = run(
        "huge", batches=batches, checks=_checks(), history=(line,) * 400, capacity=CAPACITY, serving=600
    )
    return page.run_page(TRACKING, one, ADDRESSES, NOW)


def _many() -> Run:
    return run("huge", batches=tuple(batch(number, f"{LONG}{number}") for number in range(1, 120)))


def _confirming(one: Run, action: str, form: Form | None = None) -> str:
    command = Command("link-1", CommandKind(action), "nobody", "", NOW, one.people.checksum)
    place = place_of(TRACKING, one.target)
    link = Link(place, "ops", NOW + timedelta(days=3), action, one.people.checksum)
    return page.confirm_page(link, one, confirmation(one, command, NOW), form or Form(), ADDRESSES, NOW)


def _one(made: Any) -> Any:
    return lambda: page.run_page(TRACKING, made, ADDRESSES, NOW)


PAGES = {
    "wave": _wave_page,
    "large-wave": lambda: _part(1),
    "further-page": lambda: _part(7),
    "one-state": lambda: _part(2, RunState.SCHEDULED),
    "empty-wave": _empty_wave,
    "paused": _one(repairing("db-prod")),
    "misfit": _one(misfit("db-prod")),
    "approval": _one(run("db-prod", notice(), state=RunState.AWAITING_APPROVAL, start_by=NOW)),
    "short": _one(short_of_time("db-prod")),
    "followed": _one(followed("db-prod")),
    "huge": _huge,
    "waves": _overview,
    "no-waves": lambda: page.waves_page([], ADDRESSES, NOW),
    "missing": lambda: page.missing_page("No announcement of a wave X is on record.", ADDRESSES, NOW),
    "mail": _mail,
    "ordinary": lambda: _ordinary(12),
    "ordinary-of-200": lambda: _ordinary(200),
    "choosing": _choosing,
    "planned": lambda: page.run_page(TRACKING, _planned("web-prod"), SIGNED, NOW, (wave(),)),
    "under-way": lambda: page.run_page(
        TRACKING, _planned("web-prod", begun=True, state=RunState.RUNNING), SIGNED, NOW, (wave(),)
    ),
    "down": lambda: page.run_page(TRACKING, paused("db-prod"), SIGNED, NOW, (wave(),)),
    "not-affected": lambda: page.run_page(
        TRACKING, run("idle", state=RunState.NOT_IMPACTED), SIGNED, NOW, (wave(),)
    ),
    "asks-for-late": lambda: _confirming_wave("skip"),
    "asks-for-windows": lambda: _confirming_wave("raise", raised={"windows": "any time"}),
    "asks-for-limits": lambda: _confirming_wave("raise", limits={"scale-sets": 9}),
    "asks": lambda: _confirming(run("db-prod", notice(), state=RunState.AWAITING_APPROVAL), "approve"),
    "asks again": lambda: _confirming(
        paused("db-prod"), "resume", Form(comment="Because.", problem="Say who you are: `actor` is missing.")
    ),
    "asks to sign in": lambda: _confirming(run("db-prod", notice()), "hold", Form(sign_in="Sign in first.")),
    "asks about many": lambda: _confirming(_many(), "skip", Form(signed_in="ana@example.org")),
    "says": lambda: page.said_page(
        "This link has expired",
        ("It could be used until then.", "Nothing was done."),
        NOW,
        address="https://breakwater.example/x",
        words="Back to db-prod",
    ),
}


def _open(browser: Browser, name: str, scheme: Any, size: str) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
    tab = context.new_page()
    headers = {**SECURITY, "Content-Type": "text/html; charset=utf-8"}
    refused: list[str] = []
    context.route("**/*", lambda route: route.abort())
    context.route(
        "https://breakwater.example/", lambda route: route.fulfill(body=PAGES[name](), headers=headers)
    )
    tab.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda asked: refused.append(asked.url) if asked.url.count("/") > 3 else None)
    tab.goto("https://breakwater.example/")
    assert refused == [], "a page loads nothing and breaks no rule of its own"
    return tab


@pytest.mark.parametrize(("scheme", "size"), [("light", "phone"), ("dark", "desk")])
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_accessible_and_fit_the_screen(browser, name, scheme, size):
    tab = _open(browser, name, scheme, size)
    # Landmarks are a page's business; a mail is shown inside somebody else's.
    rules = {"landmark-one-main": {"enabled": name != "mail"}, "region": {"enabled": name != "mail"}}

    tab.evaluate(axe())
    found = tab.evaluate(AXE, rules)
    wider = tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    assert violations(found) == []
    assert len(found["passes"]) > 5
    assert wider <= 0
    tab.context.close()


def test_a_page_nobody_can_read_would_be_found(browser):
    tab = browser.new_page()
    tab.set_content(
        '<html lang="en"><title>x</title><p style="color:#aaa;background:#fff">Grey</p><img src="x">'
    )
    tab.evaluate(axe())

    found = {one["id"] for one in tab.evaluate("axe.run()")["violations"]}
    assert {"color-contrast", "image-alt"} <= found
    tab.close()


def test_the_dark_page_and_the_dark_mail_are_dark(browser):
    for name in ("wave", "mail"):
        tab = _open(browser, name, "dark", "desk")
        colour = tab.evaluate("getComputedStyle(document.body).backgroundColor")
        channels = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
        assert max(channels) < 64, colour
        tab.context.close()


def test_the_page_prints_as_a_tagged_document(browser):
    tab = _open(browser, "wave", "light", "desk")
    printed = tab.pdf(tagged=True, outline=True)

    assert printed.startswith(b"%PDF-")
    assert len(printed) > 10_000
    tab.context.close()


def test_what_to_type_unfolds_with_the_keyboard_alone(browser):
    tab = _open(browser, "misfit", "light", "desk")
    folded = tab.locator(".choices details").first
    shown = folded.locator("pre")

    assert not shown.is_visible()
    folded.locator("summary").press("Enter")
    assert "db-prod/raise" in shown.inner_text()
    tab.context.close()


def test_many_questions_are_folded_and_unfold_with_the_keyboard_alone(browser):
    tab = _open(browser, "large-wave", "light", "phone")
    asked = tab.locator(".asks").first

    assert asked.locator("h3 a").is_visible()
    assert not asked.locator(".choices").is_visible()
    asked.locator("summary").first.press("Enter")
    assert asked.locator(".choices").is_visible()
    height = tab.locator("#sets").bounding_box()
    assert height is not None
    assert height["y"] < 40 * SIZES["phone"][1]
    tab.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_a_run_asks_is_seen_first(browser, size):
    tab = _open(browser, "misfit", "light", size)
    first = tab.locator(".choices li").first.bounding_box()

    assert first is not None
    assert first["y"] < SIZES[size][1], "the first choice is on the first screen"
    tab.context.close()


def test_a_keyboard_reaches_what_is_typed(browser):
    tab = _open(browser, "wave", "light", "phone")
    reached = tab.evaluate(
        "[...document.querySelectorAll('pre')].every(part => part.tabIndex === 0 && part.ariaLabel)"
    )

    assert reached
    tab.context.close()


@pytest.mark.parametrize(("name", "screens"), [("ordinary", 4), ("ordinary-of-200", 6)])
def test_a_wave_is_no_longer_than_some_screens(browser, name, screens):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_content(PAGES[name]())

    assert tab.evaluate("document.documentElement.scrollHeight") <= screens * 800
    tab.close()


WITH_TABLES = ("ordinary", "ordinary-of-200", "under-way", "followed", "waves", "asks-for-late", "asks")


@pytest.mark.parametrize("name", WITH_TABLES)
def test_on_a_phone_every_column_is_there_with_its_name_and_nothing_scrolls_sideways(browser, name):
    tab = _open(browser, name, "light", "phone")
    tab.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    lost = tab.evaluate(
        """() => [...document.querySelectorAll('td, tbody th')].filter(cell => {
            const box = cell.getBoundingClientRect();
            return box.width < 60 || box.left < 0 || box.right > innerWidth || cell.scrollWidth > cell.clientWidth;
        }).map(cell => cell.outerHTML.slice(0, 100))"""
    )
    unnamed = tab.evaluate(
        """() => [...document.querySelectorAll('tbody tr')].filter(row => {
            const heads = [...row.closest('table').querySelectorAll('thead th')].map(head => head.innerText.trim());
            const cells = [...row.querySelectorAll('td[data-label]')].map(cell => cell.dataset.label);
            return row.querySelector('td[colspan]') === null && cells.length !== heads.length - 1;
        }).length"""
    )
    sideways = tab.evaluate(
        "[...document.querySelectorAll('*')].filter(part => part.scrollWidth > part.clientWidth + 1"
        " && ['auto', 'scroll'].includes(getComputedStyle(part).overflowX)).length"
    )

    assert (lost, unnamed, sideways) == ([], 0, 0)
    tab.context.close()


DRAWN = ("ordinary", "under-way", "planned", "down", "followed", "choosing", "huge")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DRAWN)
def test_what_is_written_in_a_drawing_lies_inside_and_no_two_labels_meet(browser, name, size):
    tab = _open(browser, name, "light", size)
    found = tab.evaluate(
        """() => [...document.querySelectorAll('.plot > svg')].filter(svg => svg.checkVisibility()).map(svg => {
            const view = svg.viewBox.baseVal;
            const labels = [...svg.querySelectorAll('text')].map(text => [text.getBBox(), text.textContent]);
            const outside = labels.filter(([box]) => box.x < -1 || box.x + box.width > view.width + 1
                || box.y < -1 || box.y + box.height > view.height + 1).map(([_, text]) => text);
            const meet = labels.flatMap(([one, text], place) => labels.slice(place + 1).filter(([other]) =>
                one.x < other.x + other.width && other.x < one.x + one.width
                && one.y + 3 < other.y + other.height - 3 && other.y + 3 < one.y + one.height - 3
            ).map(([_, also]) => `${text} / ${also}`));
            return [svg.getAttribute('role'), svg.ariaLabel.length > 10, outside, meet];
        })"""
    )

    assert found
    for role, named, outside, meet in found:
        assert (role, named, outside, meet) == ("img", True, [], [])
    tab.context.close()


def test_the_first_tab_leads_behind_everything_that_comes_before_the_content(browser):
    tab = _open(browser, "planned", "light", "desk")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert tab.locator(".skip").bounding_box()["x"] >= 0
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "main"
    tab.context.close()


def test_checks_that_block_stand_open_and_those_that_passed_unfold(browser):
    tab = _open(browser, "planned", "light", "desk")

    assert tab.get_by_role("rowheader", name="a-check-with-a-name-1", exact=True).is_visible()
    passed = tab.locator("th", has_text="a-check-with-a-name-0")
    assert not passed.is_visible()
    tab.get_by_text("passed or not declared").press("Enter")
    assert passed.is_visible()
    tab.context.close()


def test_the_properties_of_an_instance_have_azures_names(browser):
    tab = _open(browser, "planned", "light", "phone")
    tab.get_by_text("What Azure shows of each instance's maintenance").press("Enter")
    shown = dict(
        zip(*(tab.locator(f".names {part}").all_inner_texts() for part in ("dt", "dd")), strict=True)
    )

    assert shown["isCustomerInitiatedMaintenanceAllowed"] == "true"
    assert shown["preMaintenanceWindowEndTime"] == "Sat 28 Nov 2026 12:00 UTC, 13:00 CET"
    assert shown["lastOperationResultCode"] == "None"
    assert len(shown) == 7
    tab.context.close()


def test_on_paper_nothing_stays_folded_and_no_button_is_printed(browser):
    tab = _open(browser, "ordinary", "light", "desk")
    tab.emulate_media(media="print")

    assert tab.evaluate(
        "[...document.querySelectorAll('details *')].every(part => part.closest('.buttons, form, svg') || part.checkVisibility() || getComputedStyle(part).display === 'none')"
    )
    assert tab.get_by_text("a-check-with-a-name-0").first.is_visible()
    assert not tab.locator(".buttons, .skip").first.is_visible()
    tab.context.close()


def test_without_script_everything_is_there_and_unfolds(browser):
    context = browser.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_content(PAGES["planned"]())
    tab.get_by_text("passed or not declared").press("Enter")

    assert tab.locator("th", has_text="a-check-with-a-name-0").is_visible()
    assert tab.locator(".plot > svg").first.is_visible()
    context.close()
