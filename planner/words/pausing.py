"""What a paused run says: what failed, what is asked, what cannot be read."""

from datetime import datetime

from planner.text.phrases import many, say


def failed(first: str, why: str, others: int) -> str:
    """The first instance that failed, why, and how many more did."""
    more = f" {many(others, 'more instance')} failed, too." if others else ""
    return f"Instance {first}: {why}{more}"


def approve(instances: int, scale_set: str, why: str) -> str:
    return f"Approve rebooting {many(instances, 'instance')} of {scale_set}. {why}"


NOTHING_ELSE = "Nothing else holds it up any more."
FITS_NOW = "The plan fits now."


def azure_unreadable(since: datetime, why: str) -> str:
    return f"Azure cannot be read since {say(since)}: {why}"


def unreadable(since: datetime, why: str) -> str:
    """Some of it cannot be read; `why` is a sentence."""
    return f"Cannot be read since {say(since)}: {why} Nothing starts until it can."


SCALE_SET_NOT_SHOWN = "Azure does not show the scale set; a second poll has to confirm that it is gone."

ITS_START_GOES_OUT = "its start is on its way"
REBOOTING = "rebooting when last seen"
NOT_HEALTHY_TWICE = "not yet seen healthy twice"
UNHEALTHY = "unhealthy when last seen"
"""How an instance stands by the run's own record."""


def serving(up: int, instances: int) -> str:
    return f"{up} of {instances} instances are running and healthy"
