"""The version of records and messages, and what is raised for a record that cannot be read."""

from typing import Final

from pydantic_core import from_json

VERSION: Final = 1
"""The newest version of records and messages that this code understands."""


class BadRecord(ValueError):
    """A stored document cannot be read; the text says which part."""


class NewerRecord(Exception):
    """A newer version of the app wrote the record; it is left alone until this version is replaced."""


def version_of(body: str | bytes) -> int:
    """The version that a JSON document or message states; 0 when it states none."""
    try:
        raw = from_json(body)
    except ValueError:
        return 0
    version = raw.get("v") if isinstance(raw, dict) else None
    return version if isinstance(version, int) else 0
