"""Every golden card as the official renderer draws it on a phone: whole, readable, with each of its buttons."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.golden.drawn import PHONE, SHADES, draw, golden

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

CARDS = golden()
DRAWN = [(name, shade) for name in CARDS for shade in SHADES]
HOSTILE = [name for name in CARDS if "hostile" in name]
BROKEN = {
    "type": "AdaptiveCard", "version": "1.4",
    "body": [
        {"type": "TextBlock", "text": "x" * 100, "color": "Warning"},
        {"type": "Table", "columns": [], "rows": []},
    ],
    "actions": [
        {"type": "Action.OpenUrl", "title": f"A button {number}", "url": "https://breakwater.example"}
        for number in range(7)
    ],
}  # fmt: skip

CUT = """name => {
    const frame = document.getElementById(name), {left, right} = frame.getBoundingClientRect();
    const outside = part => {
        const box = part.getBoundingClientRect();
        return box.left < left || box.right > right || part.scrollWidth > part.clientWidth + 1;
    };
    return [...frame.querySelectorAll('div, p, span, button')]
        .filter(part => getComputedStyle(part).display !== 'inline' && outside(part))
        .map(part => part.innerText.slice(0, 80));
}"""

FAINT = """name => {
    const channels = colour => colour.match(/[\\d.]+/g).map(Number);
    const light = ([red, green, blue]) => [[red, .2126], [green, .7152], [blue, .0722]].map(([value, weight]) => {
        const part = value / 255;
        return weight * (part <= .04045 ? part / 12.92 : ((part + .055) / 1.055) ** 2.4);
    }).reduce((one, other) => one + other);
    const frame = document.getElementById(name);
    const paper = channels(getComputedStyle(frame.querySelector('.ac-adaptiveCard')).backgroundColor);
    return [...frame.querySelectorAll('.ac-textBlock, .ac-textRun')].filter(part => {
        const [red, green, blue, alpha = 1] = channels(getComputedStyle(part).color);
        const shown = [red, green, blue].map((value, place) => alpha * value + (1 - alpha) * paper[place]);
        const [dark, bright] = [light(shown), light(paper)].sort((one, other) => one - other);
        return (bright + .05) / (dark + .05) < 3;
    }).map(part => part.innerText.slice(0, 80));
}"""


@pytest.fixture(scope="module")
def drawn(browser: Browser) -> Iterator[tuple[Page, dict[tuple[str, str], list[str]]]]:
    """All cards on one tab, and what the renderer complains about."""
    tab = browser.new_page(viewport={"width": PHONE, "height": 740})
    tab.route("**/*", lambda route: route.abort())
    said = {(name, shade): found for shade in SHADES for name, found in draw(tab, CARDS, shade).items()}
    said |= {("broken", shade): draw(tab, {"broken": BROKEN}, shade)["broken"] for shade in SHADES}
    yield tab, said
    tab.close()


def buttons(part: Any) -> list[str]:
    """The titles of a card's buttons, in the order in which they are drawn."""
    if isinstance(part, list):
        return [title for one in part for title in buttons(one)]
    if not isinstance(part, dict):
        return []
    if part.get("type") == "Action.OpenUrl":
        return [part["title"]]
    return [title for key in ("body", "items", "actions") for title in buttons(part.get(key))]


def texts(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if part.get("type") in {"TextBlock", "TextRun"}:
            yield part["text"]
        for fact in part.get("facts", ()):
            yield from (fact["title"], fact["value"])
        for key in ("body", "items", "inlines"):
            yield from texts(part.get(key))
    elif isinstance(part, list):
        for one in part:
            yield from texts(one)


def shown(tab: Page, name: str) -> str:
    return " ".join(tab.locator(f"[id='{name}']").inner_text().split())


@pytest.mark.parametrize(("name", "shade"), DRAWN)
def test_the_renderer_understands_the_whole_card(drawn, name, shade):
    assert drawn[1][name, shade] == []


@pytest.mark.parametrize(("name", "shade"), DRAWN)
def test_a_card_is_cut_nowhere_and_every_text_stands_out(drawn, name, shade):
    assert drawn[0].evaluate(CUT, f"{name}.{shade}") == []
    assert drawn[0].evaluate(FAINT, f"{name}.{shade}") == []


@pytest.mark.parametrize("name", CARDS)
def test_every_button_is_there(drawn, name):
    found = drawn[0].locator(f"[id='{name}.light'] button")

    assert found.all_inner_texts() == buttons(CARDS[name])
    assert all(button.is_visible() for button in found.all())


@pytest.mark.parametrize("name", CARDS)
def test_every_text_is_shown_letter_by_letter_the_title_first(drawn, name):
    whole = shown(drawn[0], f"{name}.light")
    wanted = [" ".join(text.split()) for text in texts(CARDS[name])]

    assert whole.startswith(wanted[0])
    assert [text for text in wanted if text not in whole] == []


@pytest.mark.parametrize("name", [name for name in CARDS if name not in HOSTILE])
def test_nothing_is_seen_of_how_a_text_was_marked_up(drawn, name):
    whole = shown(drawn[0], f"{name}.light")

    assert not {"*", "\\", "](", "__"} & {sign for sign in ("*", "\\", "](", "__") if sign in whole}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_comes_from_outside_marks_nothing_up(drawn, name):
    marked = drawn[0].locator(f"[id='{name}.light']").locator("a, strong, em, script, img, code, h1")

    assert marked.count() == 0


def test_a_card_that_is_cut_or_faint_or_not_understood_would_be_found(drawn):
    tab, said = drawn

    assert any("Table" in one for one in said["broken", "light"])
    assert any("6" in one for one in said["broken", "light"])
    assert len(tab.evaluate(CUT, "broken.light")) > 1
    assert tab.evaluate(FAINT, "broken.light") == ["x" * 80]
