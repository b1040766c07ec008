"""Cards as the official Adaptive Cards renderer draws them, in the colours of Teams.

Teams' own clients are not to be had here: what the renderer cannot draw, they cannot either.
"""

import json
from collections.abc import Mapping
from typing import Any

from playwright.sync_api import Page

from tests.chromium import needs
from tests.golden.files import FOLDER
from tests.places import ROOT

MODULES = ROOT / "simulator" / "node" / "node_modules"
SCRIPTS = (
    MODULES / "markdown-it" / "dist" / "markdown-it.min.js",
    MODULES / "adaptivecards" / "dist" / "adaptivecards.min.js",
)
STYLES = MODULES / "adaptivecards" / "dist" / "adaptivecards.css"
PHONE = 360
"""Pixels a card has on a small phone."""

SHADES = {
    "light": {
        "default": ("#252424", "#bf252424"),
        "accent": ("#6264a7", "#8b8cc7"),
        "warning": ("#f8d22a", "#e5f8d22a"),
        "attention": ("#c4314b", "#e5c4314b"),
    },
    "dark": {
        "default": ("#ffffff", "#bfffffff"),
        "accent": ("#a6a7dc", "#8b8cc7"),
        "warning": ("#f8d22a", "#e5f8d22a"),
        "attention": ("#d74654", "#e5d74654"),
    },
}
"""As microsoft/AdaptiveCards publishes them of Teams (samples/HostConfig); of each colour the subtle one second."""

PAPER = {"light": "#ffffff", "dark": "#2d2c2c"}

SIZES = {"small": 12, "default": 14, "medium": 14, "large": 18, "extraLarge": 24}

DRAW = """([name, shade, json, config]) => {
    const context = new AdaptiveCards.SerializationContext(AdaptiveCards.Versions.v1_4);
    // Its pattern is global, so that it refuses the language of every second card.
    AdaptiveCards.CardElement.langProperty.regEx.lastIndex = 0;
    const card = new AdaptiveCards.AdaptiveCard();
    card.hostConfig = new AdaptiveCards.HostConfig(config);
    card.parse(json, context);
    const said = Array.from({length: context.eventCount}, (_, place) => context.getEventAt(place).message);
    const failures = card.validateProperties().validationEvents.map(event => event.message);
    const frame = document.createElement('section');
    frame.id = `${name}.${shade}`;
    frame.append(card.render());
    document.body.append(frame);
    return [...said, ...failures];
}"""


def config(shade: str) -> dict[str, Any]:
    """How Teams wants its cards drawn; `shade` is light or dark."""
    colours = {name: {"default": plain, "subtle": subtle} for name, (plain, subtle) in SHADES[shade].items()}
    style = {"backgroundColor": PAPER[shade], "foregroundColors": colours}
    fonts = {"default": "'Segoe UI', sans-serif", "monospace": "'Courier New', monospace"}
    weights = {"lighter": 200, "default": 400, "bolder": 600}
    return {
        "supportsInteractivity": True,
        "spacing": {
            "small": 8, "default": 12, "medium": 16, "large": 20, "extraLarge": 24, "padding": 16,
        },
        "separator": {"lineThickness": 1, "lineColor": "#eeeeee"},
        "fontTypes": {
            name: {"fontFamily": family, "fontSizes": SIZES, "fontWeights": weights}
            for name, family in fonts.items()
        },
        "containerStyles": {"default": style, "emphasis": style},
        "actions": {
            "maxActions": 6, "buttonSpacing": 8, "actionsOrientation": "Horizontal", "actionAlignment": "Left",
        },
        "factSet": {
            "title": {"weight": "Bolder", "wrap": True, "maxWidth": 120},
            "value": {"wrap": True},
            "spacing": 16,
        },
    }  # fmt: skip


def golden() -> dict[str, dict[str, Any]]:
    """Every golden card, by name."""
    return {
        path.name.removesuffix(".card.json"): json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(FOLDER.glob("*.card.json"))
    }


def draw(tab: Page, cards: Mapping[str, Mapping[str, Any]], shade: str) -> dict[str, list[str]]:
    """Put the cards below each other on the tab, each in a section; what the renderer complains about, by name."""
    if not all(script.exists() for script in SCRIPTS):
        needs("the renderer of cards", "make setup installs it")
    if not tab.evaluate("typeof AdaptiveCards !== 'undefined'"):
        tab.set_content(
            f"<!doctype html><style>body {{ margin: 0 }} section {{ width: {PHONE}px; margin: 0 0 24px }}</style>"
        )
        for script in SCRIPTS:
            tab.add_script_tag(path=script)
        tab.add_style_tag(path=STYLES)
    chosen = config(shade)
    return {name: tab.evaluate(DRAW, [name, shade, card, chosen]) for name, card in cards.items()}
