"""How a run ends, whoever rebooted its instances."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.text.phrases import long, lower, many, say, shortened

MISSED = "The self-service window closed before it was done"
CANCELLED = "Azure cancelled what was left"
DONE = "Done"
"""How a run ended, before its counts."""

LONGEST = 400
"""Characters of one reason: Azure's words are in it."""

ORDER_NAMED = 20
"""Instances that are named in the order in which Azure rebooted them."""


def ended(how: str, counts: str) -> str:
    return f"{how}: {counts}."


def all_healthy(instances: int) -> str:
    every = {1: "The instance", 2: "Both instances"}.get(instances, f"All {instances} instances")
    return f"{every} rebooted and healthy."


def unhealthy_since(ids: Sequence[str]) -> str:
    return f"Rebooted and unhealthy since: instance{'s' if len(ids) > 1 else ''} {', '.join(ids)}."


def rest_by_azure(left: int, between: tuple[datetime, datetime] | None, *, beside_others: bool) -> str:
    """What was not started, beside others that were or alone."""
    which = ("the other" if left == 1 else "the others") if beside_others else ("it" if left == 1 else "them")
    when = f"between {say(between[0])} and {say(between[1])}" if between else "at a time it chooses"
    return f"Azure reboots {which} {when}."


def skipped(instance: str, why: str) -> str:
    return f"Instance {instance}: {shortened(lower(why), LONGEST)}"


def more_skipped(number: int) -> str:
    return f"{many(number, 'more instance')} skipped."


STILL_OPEN = "it is over and its wave is open"
"""Why an ended run is planned again."""

WAVE_OVER = "wave over"
"""The event of a history."""

OVER = "The wave is over."
CALLED_OFF = "The wave was cancelled."


def left_to_azure(counts: str) -> str:
    return f"Left to Azure: {counts}."


def done_by_azure(counts: str, story: str = "") -> str:
    """`story` is when and in what order, a sentence, here and below; empty where no poll saw it."""
    return f"Azure is done with it: {counts}. {story}".strip()


def called_off(counts: str, story: str) -> str:
    return f"The wave was cancelled: {counts}. {story}".strip()


def azures_order(
    names: Sequence[str], first: datetime, last: datetime, shortest: timedelta, longest: timedelta
) -> str:
    """When, in what order and for how long, of the instances that polls saw go down."""
    order = ", ".join(names[:ORDER_NAMED]) + (" and others" if len(names) > ORDER_NAMED else "")
    order = f", in the order {order}; each" if len(names) > 1 else "; it"
    least, most = long(shortest), long(longest)
    return (
        f"Azure rebooted {many(len(names), 'instance')} between {say(first)} and {say(last)}{order} was down "
        f"for {least if least == most else f'{least} to {most}'}."
    )


FOLLOWED = "followed to its end"
"""The event of a history."""

UNTOUCHED = (
    "The run is over and Breakwater does nothing more here: what is unhealthy stays so until somebody "
    "looks at it."
)


def unhealthy_afterwards(ids: Sequence[str]) -> str:
    return f"Unhealthy afterwards: {'instance' if len(ids) == 1 else 'instances'} {', '.join(ids)}."
