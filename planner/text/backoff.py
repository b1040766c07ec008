"""How waits grow and part: each twice the one before up to a longest one, and no two for the same moment."""

import hashlib
from datetime import timedelta

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=10)
"""Whoever meets trouble comes back after half a minute, then after twice as long each time."""

TOLD_AFTER = timedelta(minutes=30)
"""Trouble that has lasted so long is told to people."""

DAILY = timedelta(days=1)
"""A run that waits is polled at least once a day."""

ENOUGH = 20
"""Doublings after which every first wait is past its longest; many more would overflow a timedelta."""

FIRST_POLLS, MOST_DOUBLINGS = 5, 6
"""What Azure put off or refused waits five poll intervals, then 10, 20 and so on, 320 at most."""


def doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    """The wait after `times` doublings of `first`, at most `most`."""
    return min(first * (1 << min(times, ENOUGH)), most)


def after_trouble(times: int) -> timedelta:
    """How long to wait after having met trouble `times` times before."""
    return doubled(FIRST_WAIT, times, LONGEST_WAIT)


def back_off(poll_interval: timedelta, retries: int) -> timedelta:
    """How long an instance waits for its next start when Azure has put it off `retries` times before."""
    first = poll_interval * FIRST_POLLS
    return doubled(first, retries, first * 2**MOST_DOUBLINGS)


def spread(wait: timedelta, *seed: object) -> timedelta:
    """The wait made longer by up to a quarter, differently for each seed and the same for the same one.

    Who waits for the same thing would otherwise come back for it in the same instant.
    """
    share = hashlib.sha256("/".join(map(str, seed)).encode()).digest()[0]
    return wait + wait * (share / 1024)


LONGEST_THROTTLED = timedelta(minutes=10)
"""Who has been refused for long waits this long, whatever the answers of the moment ask for."""


def throttled_wait(asked: timedelta, lasted: timedelta, *seed: object) -> timedelta:
    """How long to leave Azure alone after 429: as long as it asks, and as long again as it has lasted.

    Azure's Retry-After says when the next request may be answered, not when all who wait can be: those who
    come back each time it is over keep the subscription throttled.
    """
    return spread(max(asked, min(lasted, LONGEST_THROTTLED)), *seed)
