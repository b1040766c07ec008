"""Azure's bare JSON: addresses made safe, bodies read, and what has another form altogether is trouble."""

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from azure.core.rest import AsyncHttpResponse
from pydantic_core import from_json

from handlers.cloud.errors import Unreachable
from handlers.cloud.trouble import short


def safe(path: str) -> str:
    """A path from outside as part of an address."""
    return quote(path, safe="/()")


def body(response: AsyncHttpResponse) -> dict[str, Any]:
    """The JSON object of an answer, empty when there is none."""
    content = response.content
    if not content:
        return {}
    try:
        found = from_json(content)
    except ValueError as error:
        raise Unreachable("Azure answered something that is not JSON.") from error
    return found if isinstance(found, dict) else {}


def read[Shape](shape: Callable[[dict[str, Any]], Shape], raw: dict[str, Any]) -> Shape:
    """Azure's JSON as a value; what has another form altogether is trouble, not a value with holes."""
    try:
        return shape(raw)
    except (AttributeError, TypeError, ValueError) as error:
        raise Unreachable(f"Azure showed something in a form nobody knows: {short(error)}") from error
