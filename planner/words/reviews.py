"""What is said when a wave is over: what was down how long, what went wrong, and what to change."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from planner.text.phrases import long, many, say, short, some

THE_OTHERS = "The others"
OTHERS = "Others"
POLICY = "Policy"
"""Whom a line is about."""

AS_IT_IS = "as it is"
NOTHING_TO_CHANGE = "Nothing stands out that should change."
WRONG_THERE_TOO = "Something did not go as planned there, too: the wave's page has it."


def scale_sets(number: int) -> str:
    return many(number, "scale set")


def place(resource_group: str, location: str) -> str:
    return f"{resource_group}, {location}"


def none_down_longer(longest: timedelta) -> str:
    return f"No domain of them was down for longer than {short(longest)}."


def down_by_domain(times: Iterable[tuple[str, timedelta]]) -> str:
    return ", ".join(f"{domain}: {short(time)}" for domain, time in times) + "."


def down_in_all(domains: int, least: timedelta, most: timedelta, longest: str) -> str:
    """Of many domains: how long each, and which of them was down longest."""
    return f"{domains} domains, {short(least)} to {short(most)} each; longest {longest}."


def went_wrong(at: datetime, first: str, more: int, paused: timedelta) -> str:
    """The first notice about it, how many more came, and how long the run was paused in all."""
    after = f" And {many(more, 'more notice')} after that." if more else ""
    stood = f" Paused for {long(paused)} in all." if paused else ""
    return f"{say(at)}: {first.strip().rstrip('.')}.{after}{stood}"


MORE_TIME = "More time"
APPROVAL = "Approval"
RECOVERY = "Recovery"
ON_CALL = "On call"
RAISED = "Raised"
HELD = "Held"
LEFT_TO_AZURE = "Left to Azure"
"""What a piece of advice is about."""


def give_more_time(instances: int) -> str:
    return (
        f"The self-service window closed on {many(instances, 'instance')}. Wider `windows`, a shorter "
        "`soak`, a larger `max-unavailable` or higher `limits` give them time."
    )


def approve_sooner(waited: timedelta, missed: Sequence[str]) -> str:
    cost = f"; the window closed on {some(missed, most=5)}" if missed else ""
    return (
        f"The plan waited up to {long(waited)} for it{cost}. Agree on who approves, or set `mode: auto` "
        "where nobody needs to."
    )


def allow_longer(took: timedelta, recover_within: timedelta) -> str:
    return (
        f"Back after up to {long(took)}, later than `recover-within` ({long(recover_within)}). "
        "Raise it, or find out why it takes so long."
    )


def check_on_call(waited: timedelta) -> str:
    return (
        f"A page stood for {long(waited)} before somebody acknowledged it. Check who is on call, and "
        "`escalate-to`."
    )


def keep_raised(by_value: Iterable[tuple[tuple[str, str], int]]) -> str:
    """Key and value that people raised for runs, each with for how many scale sets."""
    said = (f"`{key} {value}` ({scale_sets(number)})" for (key, value), number in by_value)
    return f"People raised {some(said, most=5)}. What should hold next time belongs into the policy file."


def plan_for_holds(first: str) -> str:
    """`first` is why the first of them was held."""
    return (
        f"People held it, first because: {first.rstrip('.')}. What can be known before belongs "
        "into `freezes` or `windows`."
    )


def take_one_by_one(most: int, domains: int, scale_set: str) -> str:
    return (
        f"Azure had several domains down at once: {most} of {domains} of {scale_set}. Where that is too "
        "much, `self-service: always` takes them one by one."
    )
