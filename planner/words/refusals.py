"""What is said when Azure refuses a start: what it said, what comes next, and how a lock is removed."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from planner.text.phrases import say, shortened

NAMED = 5
"""Instances that a sentence names; of more it says how many."""

MOST_WORDS = 300
"""Characters of Azure's message that are kept with each instance; the history has all of it."""


def said_by_azure(code: str, message: str) -> str:
    """Azure's code and message, to stand in a sentence and in the record of each instance."""
    said = shortened(message.strip(), MOST_WORDS).rstrip(".")
    return ": ".join(filter(None, (code, said)))


def wait_asked_for(wait: timedelta) -> str:
    """429: when the next request may be made."""
    return f"Azure asks to wait {wait.total_seconds():.0f} s before the next request."


def refused(ids: Sequence[str], code: str, message: str, then: str) -> str:
    """A sentence with the instances, Azure's code and message; `then` is the next one."""
    why = f": {message.strip().rstrip('.')}" if message else ""
    return f"Azure refused to start {_instances(ids)} ({code}){why}. {then}"


def _instances(ids: Sequence[str]) -> str:
    if len(ids) == 1:
        return f"instance {ids[0]}"
    if len(ids) <= NAMED:
        return f"instances {', '.join(ids)}"
    return f"{len(ids)} instances ({', '.join(ids[:NAMED])} and others)"


def maybe_by_azure(number: int, again: datetime | None) -> str:
    """Not eligible, says Azure; when it is tried again otherwise, as far as that is known."""
    it = "it" if number == 1 else "them"
    return (
        f"Azure reboots {it} in its own window if the next poll shows the same; "
        f"otherwise Breakwater tries again{_when(again)}."
    )


def tried_again(again: datetime | None) -> str:
    return f"Breakwater tries again{_when(again)}, then less and less often."


def _when(again: datetime | None) -> str:
    return f" at {say(again)}" if again is not None else " later"


NOTHING_BEFORE_RESUME = "Nothing more starts until somebody resumes."


def watched(number: int) -> str:
    they_are = "It is" if number == 1 else "They are"
    return f"{they_are} watched, and started again only if nothing comes of it."


def left_to_azure(said: str) -> str:
    """`said` is Azure's code and message here and below."""
    return f"{_refused_it(said)}. Azure reboots it in its own window."


def needs_lock_removed(said: str) -> str:
    return f"{_refused_it(said)}; a lock has to be removed."


def again_after(said: str, at: datetime) -> str:
    return f"{_refused_it(said)}; to be started again after {say(at)}."


def _refused_it(said: str) -> str:
    return f"Azure refused it ({said})"


def starting(scale_set: str) -> str:
    """What a lock keeps Azure from."""
    return f"starting maintenance of {scale_set}"


def then_resume(sentence: str) -> str:
    return f"{sentence} Then resume."


def remove_lock(name: str, place: str, keeps_from: str, *, show: str, remove: str) -> str:
    """The ask, then the commands that `show` and `remove` the lock; its name may be unknown (empty)."""
    which = f"the lock {name}" if name else "the lock"
    find = "" if name else f"`{show}` shows its name, "
    return (
        f"Remove {which} on {place}: it keeps Azure from {keeps_from} (ScopeLocked). "
        f"{find}`{remove}` removes it."
    )


def on_any_of(scale_set: str, resource_group: str) -> str:
    """Where a lock is that Azure did not name the place of."""
    return f"{scale_set}, its resource group {resource_group} or its subscription"


def on_resource_group(name: str) -> str:
    return f"resource group {name}"


def on_subscription(subscription: str) -> str:
    return f"subscription {subscription}"
