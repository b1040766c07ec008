"""Whether a plan fits its deadline, what would make it fit, and what it takes away meanwhile."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from planner.text.phrases import long, many, say, some

MOST_NAMED = 6
"""Domains that a choice names; of more it says `and others`."""


def no_time(why: str, deadline: datetime | None) -> str:
    by = f"; it must be done by {say(deadline)}" if deadline is not None else ""
    return f"The plan does not fit: {why}{by}."


NO_TIME_FOR_LAST = "windows and freezes leave its last batches no time"


def too_long(ends: datetime, deadline: datetime, slack: timedelta) -> str:
    """`slack` is by how much, less than nothing."""
    return (
        f"The plan does not fit: it needs until {say(ends)} and must be done by "
        f"{say(deadline)}, {long(slack)} earlier."
    )


def go_ahead(window_ends: datetime | None) -> str:
    until = f" by {say(window_ends)}" if window_ends is not None else " in time"
    return f"Go ahead as planned, and leave to Azure what has not started{until}."


def then_ends(at: datetime, slack: timedelta, deadline: datetime) -> str:
    """How a changed plan fits, to stand in a choice."""
    return f"it then ends {say(at)}, {long(slack)} before {say(deadline)}"


def no_lead(lead_over: datetime, ends: str) -> str:
    return f"No lead time: start without waiting until {say(lead_over)}; {ends}."


def shorter_soak(soak: timedelta, instead_of: timedelta, ends: str) -> str:
    return f"Shorter pauses: with a soak of {long(soak)} instead of {long(instead_of)} {ends}."


def larger_batches(size: int, instead_of: int, ends: str) -> str:
    return f"Larger batches: with {size} instances down at once instead of {instead_of} {ends}."


def wider_windows(hours: int, windows: str, ends: str) -> str:
    return f"Wider windows: with {many(hours, 'hour')} more each ({windows}) {ends}."


def later_date(by: datetime, window_ends: datetime) -> str:
    return f"A later date: it is done by {say(by)}; the self-service window ends {say(window_ends)}."


def leave(
    domains: Sequence[str], instances: int, azures: tuple[datetime, datetime] | None, *, rest: bool
) -> str:
    """These domains are left to Azure, in its window if it is known; `rest`: something else is not."""
    where = "; ".join(domains[:MOST_NAMED]) + (" and others" if len(domains) > MOST_NAMED else "")
    azure = f", which reboots them between {say(azures[0])} and {say(azures[1])}" if azures else ""
    return (
        f"{'Fewer instances: leave' if rest else 'Nothing by us: leave'} {where} "
        f"({many(instances, 'instance')}) to Azure{azure}{'; the rest fits' if rest else ''}."
    )


def time_is_short(problem: str, reason: str) -> str:
    return f"Time is short. {problem} {reason}"


def little_left(slack: timedelta, deadline: datetime) -> str:
    return (
        f"Little time is left: {long(slack)} to spare until {say(deadline)}. If one "
        "domain takes longer than the others did, not all of it fits."
    )


def starts_soon(start: datetime, domain: str, instances: int, over: datetime | None) -> str:
    ends = f" All of it should be over by {say(over)}." if over else ""
    return f"Starts {say(start)} with {domain} ({many(instances, 'instance')}).{ends}"


def takes_away(most: int, healthy: int) -> str:
    """What the largest batch takes away from so many healthy instances."""
    return (
        f"At most {most} of {healthy} healthy instances {'is' if most == 1 else 'are'} down at a time "
        f"({round(100 * most / healthy)} %); {many(most, 'more instance')} would make up for it."
    )


def may_scale_in(autoscale: str) -> str:
    return (
        f"The autoscale setting {autoscale} may remove instances meanwhile: raise its minimum "
        "until the run is over."
    )


def left_behind(ids: Collection[str]) -> str:
    """What an earlier run left down."""
    which, has = ("Instance", "has") if len(ids) == 1 else ("Instances", "have")
    return f"{which} {some(ids, most=10)} {has} been unhealthy since an earlier reboot by Breakwater."
