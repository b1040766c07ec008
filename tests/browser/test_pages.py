"""Pages and mail in a real Chromium: readable in light and dark, on a phone, on paper, for everybody."""

from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from handlers.pages.answer import SECURITY
from tests.chromium import AXE, axe, violations
from tests.golden.built import BUILT
from tests.golden.files import FOLDER, PAGES_FOLDER, kept, names

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SIZES = {"desk": (1280, 900), "phone": (360, 740)}
RECORDED = sorted(name.removesuffix(".html") for name in names(PAGES_FOLDER))
MAILS = ("announced-with-a-question", "everything-went-wrong", "paused-hostile", "finished")
PAGES = (*RECORDED, *BUILT, *MAILS)
LONG = frozenset(
    {
        "wave",
        "wave-finished",
        "wave-everything-went-wrong",
        "wave-huge",
        "wave-of-200",
        "one-state",
        "every-state",
    }
)
"""Pages with nothing in them that shorter ones have not: judged in one look alone, it takes seconds."""

LOOKS = [
    (name, *look)
    for name in PAGES
    for look in (("light", "phone"), ("dark", "desk"))[: 1 if name in LONG else 2]
]


def _text(name: str) -> str:
    """What is looked at: a page or a mail of a recorded wave, or one that was built."""
    if name in BUILT:
        return BUILT[name]()
    folder = FOLDER if name in MAILS else PAGES_FOLDER
    return kept(folder, f"{name}.html")


def _open(browser: Browser, name: str, scheme: Any, size: str) -> Page:
    width, height = SIZES[size]
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height})
    tab = context.new_page()
    headers = {**SECURITY, "Content-Type": "text/html; charset=utf-8"}
    refused: list[str] = []
    context.route("**/*", lambda route: route.abort())
    context.route(
        "https://breakwater.example/", lambda route: route.fulfill(body=_text(name), headers=headers)
    )
    tab.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
    tab.on("request", lambda asked: refused.append(asked.url) if asked.url.count("/") > 3 else None)
    tab.goto("https://breakwater.example/")
    assert refused == [], "a page loads nothing and breaks no rule of its own"
    return tab


@pytest.mark.parametrize(("name", "scheme", "size"), LOOKS)
def test_pages_are_accessible_and_fit_the_screen(browser, name, scheme, size):
    tab = _open(browser, name, scheme, size)
    # Landmarks are a page's business; a mail is shown inside somebody else's.
    rules = {rule: {"enabled": name not in MAILS} for rule in ("landmark-one-main", "region")}

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
    for name in ("wave", MAILS[0]):
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
    tab = _open(browser, "run-does-not-fit", "light", "desk")
    folded = tab.locator(".choices details").first
    shown = folded.locator("pre")

    assert not shown.is_visible()
    folded.locator("summary").press("Enter")
    assert "web-prod/raise" in shown.inner_text()
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
    tab = _open(browser, "run-does-not-fit", "light", size)
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


@pytest.mark.parametrize(("name", "screens"), [("wave", 4), ("wave-of-200", 6)])
def test_a_wave_is_no_longer_than_some_screens(browser, name, screens):
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_content(_text(name))

    assert tab.evaluate("document.documentElement.scrollHeight") <= screens * 800
    tab.close()


WITH_TABLES = (
    "wave",
    "wave-of-200",
    "run-under-way",
    "run-done-by-azure",
    "waves",
    "asks-for-late",
    "confirm",
)


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


DRAWN = ("wave", "run-under-way", "planned", "run-paused", "run-done-by-azure", "wave-held-up", "huge")


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
    tab = _open(browser, "planned", "light", "desk")
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
    tab.set_content(_text("planned"))
    tab.get_by_text("passed or not declared").press("Enter")

    assert tab.locator("th", has_text="a-check-with-a-name-0").is_visible()
    assert tab.locator(".plot > svg").first.is_visible()
    context.close()
