"""`python -m tests.golden.pictures FOLDER`: what people see, as pictures: every golden card, mail and page.

Cards as the official renderer draws them, on a phone, light and dark; mail on a phone, light and dark; pages on
a phone, light, and on a desk, dark. index.html shows them all. With names behind FOLDER only what begins so.
"""

import html
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.chromium import chromium
from tests.golden.drawn import PHONE, SHADES, draw, golden
from tests.golden.files import FOLDER, PAGES_FOLDER

DESK = 1280
LONGEST = 6000
"""Pixels of a picture: the rest of a page that goes on and on is not worth them."""


def of_cards(browser: Browser, into: Path, chosen: tuple[str, ...]) -> Iterator[Path]:
    cards = {name: card for name, card in golden().items() if name.startswith(chosen)}
    tab = browser.new_page(viewport={"width": PHONE, "height": 740})
    for shade in SHADES:
        for name, said in draw(tab, cards, shade).items():
            assert not said, (name, said)
            picture = into / f"card.{name}.{shade}.png"
            tab.locator(f"[id='{name}.{shade}']").screenshot(path=picture)
            yield picture
    tab.close()


def of_files(
    browser: Browser, files: list[Path], kind: str, looks: dict[Any, int], into: Path
) -> Iterator[Path]:
    """Each of the HTML files in each of the looks: light or dark, so many pixels wide."""
    for shade, width in looks.items():
        tab = browser.new_page(viewport={"width": width, "height": 740}, color_scheme=shade)
        for path in files:
            tab.set_content(path.read_text(encoding="utf-8"))
            high = min(LONGEST, tab.evaluate("document.documentElement.scrollHeight"))
            picture = into / f"{kind}.{path.stem}.{shade}.png"
            tab.screenshot(
                path=picture, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": high}
            )
            yield picture
        tab.close()


def pictures(into: Path, chosen: tuple[str, ...]) -> list[Path]:
    """Written to the folder, with a page that shows them side by side."""
    into.mkdir(parents=True, exist_ok=True)
    mails, pages = (
        sorted(path for path in folder.glob("*.html") if path.name.startswith(chosen))
        for folder in (FOLDER, PAGES_FOLDER)
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium())
        made = [
            *of_cards(browser, into, chosen),
            *of_files(browser, mails, "mail", {"light": PHONE, "dark": PHONE}, into),
            *of_files(browser, pages, "page", {"light": PHONE, "dark": DESK}, into),
        ]
        browser.close()
    shown = "".join(
        f"<figure><figcaption>{html.escape(path.stem)}</figcaption><img src='{html.escape(path.name)}' alt=''></figure>"
        for path in sorted(made)
    )
    style = (
        "body { background: #888; display: flex; flex-wrap: wrap; align-items: start; font: 12px sans-serif }"
    )
    (into / "index.html").write_text(
        f"<!doctype html><title>Golden</title><style>{style}</style>{shown}", "utf-8"
    )
    return made


if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit("Say where to: python -m tests.golden.pictures FOLDER [NAME ...]")
    folder, *names = sys.argv[1:]
    print(f"{len(pictures(Path(folder), tuple(names) or ('',)))} pictures: {folder}/index.html")  # noqa: T201
