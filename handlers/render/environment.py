"""The Jinja environments: one that escapes HTML, one that writes JSON, one for plain text."""

import json
from functools import cache
from typing import Any

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from handlers.render import azure_html, blocks, words


@cache
def html() -> Environment:
    """Pages and mail. Everything is escaped, whatever the template is called."""
    return _with_words(Environment(**_common(), autoescape=True))


@cache
def text() -> Environment:
    """Mail's plain part; text is shown as it is, cleaned."""
    return _with_words(Environment(**_common(), autoescape=False))  # noqa: S701 - plain text, no markup


@cache
def card() -> Environment:
    """Cards: every `{{ value }}` becomes one JSON literal, so no text can break out of its string."""
    return _with_words(Environment(**_common(), autoescape=False, finalize=_literal))  # noqa: S701 - JSON


def _common() -> dict[str, Any]:
    return {
        "loader": _loader(),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
    }


@cache
def _loader() -> BaseLoader:
    return PackageLoader("handlers.render", "templates")


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _with_words(environment: Environment) -> Environment:
    environment.filters |= {
        "when": words.when,
        "how_far": words.when_and_how_far,
        "span": words.span,
        "clean": words.clean,
        "line": words.one_line,
        "block": blocks.block,
        "fact_set": blocks.fact_set,
        "azure_html": lambda given: Markup(azure_html.safe(given)),  # noqa: S704 - nh3 made it safe
        "azure_text": azure_html.plain,
    }
    environment.globals["count"] = words.count
    return environment
