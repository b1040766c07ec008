"""How waits grow and part: each twice the one before up to a longest one, and no two for the same moment."""

import hashlib
from datetime import timedelta

ENOUGH = 20
"""Doublings after which every first wait is past its longest; many more would overflow a timedelta."""


def doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    """The wait after `times` doublings of `first`, at most `most`."""
    return min(first * (1 << min(times, ENOUGH)), most)


def spread(wait: timedelta, *seed: object) -> timedelta:
    """The wait made longer by up to a quarter, differently for each seed and the same for the same one.

    Who waits for the same thing would otherwise come back for it in the same instant.
    """
    share = hashlib.sha256("/".join(map(str, seed)).encode()).digest()[0]
    return wait + wait * (share / 1024)
