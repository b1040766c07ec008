"""What is said of the policy: where a value comes from, which of two counts, what has stopped everything."""

from collections.abc import Iterable

RAISED_FOR_RUN = "raised by a person for this run"
STOP_IN_FILE = "`stop: true` in the policy file"
STOPPED_BY_FILE = "Everything is stopped: the policy file says `stop: true`."


def everything_stopped(by: str) -> str:
    return f"Everything is stopped by {by}; nothing new starts."


SMALLER_COUNTS = "the smaller of the two counts"


def accepted_by_both(names: Iterable[str]) -> str:
    return f"accepted stays only what both name ({', '.join(names) or 'nothing'})"


def route(number: int) -> str:
    return f"route {number}"
