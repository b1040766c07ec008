"""The Jinja environments: one that escapes HTML, one that writes JSON, one for plain text."""

import json
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from handlers.render import azure_html, blocks, outside_text
from planner.text import phrases


@cache
def html() -> Environment:
    """Pages and mail. Everything is escaped, whatever the template is called."""
    return _environment(autoescape=True)


@cache
def text() -> Environment:
    """Mail's plain part; text is shown as it is, cleaned."""
    return _environment(autoescape=False)


@cache
def card() -> Environment:
    """Cards: every `{{ value }}` becomes one JSON literal, so no text can break out of its string."""
    return _environment(autoescape=False, finalize=lambda value: json.dumps(value, ensure_ascii=False))


def _environment(*, autoescape: bool, **more: Any) -> Environment:
    made = Environment(
        loader=PackageLoader("handlers.render", "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=autoescape,  # noqa: S701 - off for plain text and JSON, which are no markup
        **more,
    )
    made.filters |= {
        "when": phrases.to_the_minute,
        "how_far": phrases.say_how_far,
        "clean": outside_text.clean,
        "line": outside_text.one_line,
        "brief": outside_text.brief,
        "capitalized": phrases.upper,
        "sentence": lambda text: phrases.upper(text.rstrip(".")) + ".",
        "block": blocks.block,
        "fact_set": blocks.fact_set,
        "open_urls": blocks.open_urls,
        "azure_html": lambda given: Markup(azure_html.safe(given)),  # noqa: S704 - nh3 made it safe
    }
    made.globals["many"] = phrases.many
    return made
