"""Lists as Azure pages them, assembled from JSON text kept per item.

A page of a large set is read again and again while few of its instances change, so each item's text is kept
until the item changes; a page is then a join.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode
from weakref import WeakKeyDictionary

ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class Versioned(Protocol):
    version: int


class Texts[T: Versioned]:
    """JSON text per item, written again when the item's version moved."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[T, tuple[int, str]] = WeakKeyDictionary()

    def of(self, item: T, write: Callable[[T], dict[str, Any]], *, fresh: bool = False) -> str:
        """The item's text; `fresh` bypasses what is kept."""
        kept = self._kept.get(item)
        if not fresh and kept is not None and kept[0] == item.version:
            return kept[1]
        text = ENCODE(write(item))
        if not fresh:
            self._kept[item] = (item.version, text)
        return text


def page[T](
    items: Sequence[T], size: int, address: str, query: dict[str, str], text: Callable[[T], str]
) -> bytes:
    """One page, from where `$skiptoken` says, with nextLink when there are more.

    Raises ValueError when the token is none of ours.
    """
    start = int(query.get("$skiptoken", "0"))
    if start < 0:
        raise ValueError(f"no page starts at {start}")
    body = ",".join(map(text, items[start : start + size]))
    if start + size >= len(items):
        return f'{{"value":[{body}]}}'.encode()
    link = json.dumps(f"{address}?{urlencode({**query, '$skiptoken': str(start + size)}, safe='$')}")
    return f'{{"value":[{body}],"nextLink":{link}}}'.encode()
