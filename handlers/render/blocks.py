"""Text on a card, shown as it is.

Teams reads markdown in text blocks and facts, and some of its clients show the backslash of an escape
(msteams-docs#5793). So nothing is escaped: text that would mark something up stands in a rich text block,
where Adaptive Cards read no markdown (schema 1.2 on, "TextRun").
"""

from collections.abc import Iterable
from typing import Any

from handlers.render.outside_text import bare, for_card, marks_up

_OF_THE_BLOCK = {"spacing", "separator"}
"""Properties of a rich text block; every other one is its text's."""


def block(text: str, **properties: Any) -> dict[str, Any]:
    """The text as an element of a card: a text block, or a rich one where markdown would change it."""
    if not marks_up(text):
        return {"type": "TextBlock", "wrap": True, **properties, "text": for_card(text)}
    run = {name: value for name, value in properties.items() if name not in _OF_THE_BLOCK}
    return {
        "type": "RichTextBlock",
        **{name: value for name, value in properties.items() if name in _OF_THE_BLOCK},
        "inlines": [{"type": "TextRun", **run, "text": bare(text)}],
    }


def fact_set(facts: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Terms and values: a fact set, or lines of their own where markdown would change one."""
    pairs = tuple(facts)
    if not any(marks_up(value) for _, value in pairs):
        shown = [{"title": term, "value": for_card(value)} for term, value in pairs]
        return {"type": "FactSet", "facts": shown}
    lines = [block(f"{term}: {value}", spacing="Small") for term, value in pairs]
    return {"type": "Container", "items": lines}


def open_urls(buttons: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """A button for each label and address."""
    return [{"type": "Action.OpenUrl", "title": label, "url": address} for label, address in buttons]
