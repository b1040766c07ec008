"""The log in a terminal: an event with what it is about, which telemetry has as dimensions of their own."""

import logging

_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

LONGEST = 300
"""Characters of one detail; some hold text from outside."""


class Detailed(logging.Formatter):
    """The usual line, and after it every extra of the record as `name=value`, on the same line."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the standard library's name
        """The line without a traceback."""
        extras = {key: value for key, value in vars(record).items() if key not in _USUAL}
        details = " ".join(f"{key}={' '.join(str(value).split())[:LONGEST]}" for key, value in extras.items())
        line = super().formatMessage(record)
        return f"{line} ({details})" if details else line
