"""The terminal's clock: one place, so that a test can set it."""

from datetime import UTC, datetime


def now() -> datetime:
    """Now, aware UTC."""
    return datetime.now(UTC)
