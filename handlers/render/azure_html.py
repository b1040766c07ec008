"""What Azure said in an announcement: HTML from outside, reduced to what is safe to show."""

import html
import re

import nh3

from handlers.render.outside_text import clean

_ALLOWED = {"p", "br", "ul", "ol", "li", "b", "strong", "em", "i"}
_BREAK = re.compile(r"(?i)<\s*(?:br|/p|/li|/div|/tr|/h[1-6])\s*/?\s*>")
_DROPPED = {"script", "style", "title", "template", "svg", "math"}
LIMIT = 20_000
"""Characters of an announcement that are shown; Azure's own are a few thousand."""


def safe(text: str) -> str:
    """HTML without attributes, links or anything active; every tag is closed."""
    return nh3.clean(clean(text, LIMIT), tags=_ALLOWED, attributes={}, clean_content_tags=_DROPPED)


def plain(text: str) -> str:
    """The text alone, line by line."""
    broken = _BREAK.sub("\n", clean(text, LIMIT))
    text = html.unescape(nh3.clean(broken, tags=set(), attributes={}, clean_content_tags=_DROPPED))
    lines = (" ".join(line.split()) for line in text.splitlines())
    return clean("\n".join(line for line in lines if line), LIMIT)
