"""How repeated waits grow, each twice the one before up to a longest one, and how they are spread."""

import hashlib
from datetime import timedelta

FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=10)
"""After trouble the first retry waits half a minute, each further one twice as long."""

TOLD_AFTER = timedelta(minutes=30)
"""People are told of trouble that has lasted this long."""

FAILURES_UNTOLD = 6
"""So many failures come before the one that is told: with the wait after that one they make half an hour."""

DAILY = timedelta(days=1)
"""A run that waits is polled at least once a day."""

ENOUGH = 20
"""Doublings after which any first wait has passed its longest; many more would overflow a timedelta."""

FIRST_POLLS, MOST_DOUBLINGS = 5, 6
"""What Azure put off or refused is tried again after 5 poll intervals, then 10, 20 and so on, 320 at most."""


def doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    """The wait after `times` doublings of `first`, at most `most`."""
    return min(first * (1 << min(times, ENOUGH)), most)


def after_trouble(times: int) -> timedelta:
    """How long to wait when there has been trouble `times` times before."""
    return doubled(FIRST_WAIT, times, LONGEST_WAIT)


def back_off(poll_interval: timedelta, retries: int) -> timedelta:
    """How long an instance waits for its next start when Azure has put it off `retries` times before."""
    first = poll_interval * FIRST_POLLS
    return doubled(first, retries, first * 2**MOST_DOUBLINGS)


def spread(wait: timedelta, *seed: object) -> timedelta:
    """The wait made longer by up to a quarter, by the seed: all who wait would else come back at once."""
    share = hashlib.sha256("/".join(map(str, seed)).encode()).digest()[0]
    return wait + wait * (share / 1024)


def throttled_wait(asked: timedelta, lasted: timedelta, *seed: object) -> timedelta:
    """How long to leave Azure alone after 429: as long as it asks, and at least as long as it has lasted.

    Azure's Retry-After says when the next request may be answered, not when everyone's can be: if all come
    back whenever it is over, the subscription stays throttled. Never raised above `LONGEST_WAIT` for that.
    """
    return spread(max(asked, min(lasted, LONGEST_WAIT)), *seed)
