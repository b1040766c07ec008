"""What a receiver is told of its own choices and channels, and why a page comes again."""

from collections.abc import Iterable
from datetime import datetime

from planner.text.phrases import to_the_minute
from planner.words.commands import acknowledged_by

ALL_BUT_PAGES = "anything but pages"


def kinds(names: Iterable[str]) -> str:
    return f"notices of the kind {', '.join(names)}"


def nobody_else_hears(receiver: str, what: str) -> str:
    """`what` it has chosen not to hear, one of the above."""
    return (
        f"the receiver `{receiver}` has chosen not to hear {what}, and nobody else would hear it: "
        "what asks for an answer is told to it all the same"
    )


def somebody_else_hears(receiver: str, what: str, other: str) -> str:
    return (
        f"the receiver `{receiver}` has chosen not to hear {what}: "
        f"what asks for an answer is told to `{other}`"
    )


def unknown_receiver(source: str, name: str, nearest: str) -> str:
    """`nearest` asks whether another name was meant, or is empty."""
    return f"{source}: the policy declares no receiver `{name}`{nearest}; somebody else is told"


def pages_again(since: datetime, *, of_time: bool) -> str:
    """`of_time`: it is about a deadline; nothing is down."""
    return f"Nobody has acknowledged it since {to_the_minute(since)}. {_until(of_time=of_time)}"


def escalated(receiver: str, since: datetime, *, of_time: bool) -> str:
    told = f"{receiver} has not acknowledged it since {to_the_minute(since)}, so it comes to you as well."
    return f"{told} {_until(of_time=of_time)}"


def _until(*, of_time: bool) -> str:
    over = "it serves again, or the run goes on"
    if of_time:
        over = "the plan fits again, or nothing can be started any more"
    return f"It comes again until somebody acknowledges it, {over}."


def pages_no_longer(why: str) -> str:
    return f"It no longer pages: {why.rstrip('.')}."


def pages_no_longer_since_taken(actor: str) -> str:
    return pages_no_longer(acknowledged_by(actor))


def given_up(trouble: str, *, broken: bool) -> str:
    """A message that no longer goes out; `broken`: somebody has to fix the channel."""
    return f"Given up after {'7 days' if broken else '24 hours'}. {trouble}"


def told_by_the_next(trouble: str) -> str:
    return f"Not delivered for 24 hours; the next message tells it. {trouble}"
