"""What a signed link's page says: what it is for, what came of it, and why nothing was done."""

from collections.abc import Sequence
from datetime import datetime

from planner.text.phrases import many, to_the_minute

NOTHING_DONE = "Nothing was done."
NEWER_LINK = "A newer message has a newer link."
AGAIN = "A link acts once. To say something more, take another one, or type the command."

SIGN_IN = (
    "Sign in first: this app lets nobody act who has not. Open the link again once you are signed in, and "
    "the button is here."
)
WHO_ARE_YOU = "Say who you are: the history keeps it."

NOT_VALID = "This link is not valid"
RECORD_UNREADABLE = "The record cannot be read"
TRY_AGAIN = "Try again in a minute"
NOT_THERE = "This link does not lead there"
NOWHERE = "This link leads nowhere"
ONLY_SHOWS = "This link only shows something"
EXPIRED = "This link has expired"
USED = "This link has been used"
NO_EFFECT = "This link has no effect now"
OTHER_PLAN = "This link is for another plan"
OTHER_WAVE_STATE = "This link is for another state of the wave"
NOT_ALL_DONE = "Not all of it is done"
"""Titles."""

STILL_GOOD_TO_OPEN = "The link stays good: open it once more."
STILL_GOOD_TO_SEND = "The link stays good: send it once more."
CANNOT_ACT = "It cannot be used to act."


def not_right_now(why: object) -> str:
    return f"This cannot be answered right now: {why}"


def for_alone(what: str) -> str:
    return f"It is for {what} alone."


def calendar_of(receiver: str) -> str:
    return f"the calendar of {receiver}"


def place(parts: Sequence[str], tracking_id: str) -> str:
    """What a link is for: parts of a wave, or of all waves where it names none."""
    waves = f"the wave {tracking_id}" if tracking_id else "the waves on record"
    return " of ".join((*parts, waves))


def ended(tracking_id: str, at: datetime) -> str:
    """A link that shows something, to a wave that is over or to all of them."""
    over = f"The wave {tracking_id} is over, and the" if tracking_id else "The"
    return f"{over} link ended at {to_the_minute(at)}."


def calendar_ended(at: datetime) -> str:
    return f"It ended at {to_the_minute(at)}. {NEWER_LINK}"


def could_be_used_until(at: datetime) -> str:
    return f"It could be used until {to_the_minute(at)}."


def no_run(name: str, tracking_id: str) -> str:
    return f"No run of {name} in the wave {tracking_id} is on record any more."


def plan_changed(name: str) -> str:
    return f"The plan of {name} has changed since the link was made: look at it as it is now."


def wave_changed(tracking_id: str) -> str:
    return (
        f"The wave {tracking_id} has changed since the link was made: other scale sets have "
        "no place in time, or other limits hold. Look at it as it is now."
    )


def done(action: str, name: str) -> str:
    return f"Done: {action} {name}"


def done_for_wave(action: str, tracking_id: str) -> str:
    return f"Done: {action} for {tracking_id}"


def in_the_history(actor: str, via: str) -> str:
    return f"The history has it: said by {actor}, by {via}."


def used_for(actor: str, what: str, at: datetime) -> str:
    return f"{actor} said {what} with it at {to_the_minute(at)}."


def used_by(actor: str, at: datetime) -> str:
    return f"{actor} used it at {to_the_minute(at)}."


def over_by_now(scale_sets: int) -> str:
    return f"{many(scale_sets, 'scale set')} of the wave {'is' if scale_sets == 1 else 'are'} over by now."


def reason(comment: str, via: str, *, signed_in: bool) -> str:
    """The reason for the history, with how it came."""
    how = f"by {via}; {'signed in' if signed_in else 'the name is as typed there'}"
    return f"{comment} ({how})" if comment else f"No reason given ({how})."


def back_to(name: str) -> str:
    return f"Back to {name}"
