"""How waits grow: each twice the one before, up to a longest one."""

from datetime import timedelta

ENOUGH = 20
"""Doublings after which every first wait is past its longest; many more would overflow a timedelta."""

FIRST_LOOKS, MOST_DOUBLINGS = 5, 6
"""What Azure put off or refused waits five look-agains, then 10, 20 and so on, 320 at most."""


def doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    """The wait after `times` doublings of `first`, at most `most`."""
    return min(first * (1 << min(times, ENOUGH)), most)


def back_off(look_again: timedelta, retries: int) -> timedelta:
    """How long an instance waits for its next start when Azure has put it off `retries` times before."""
    first = look_again * FIRST_LOOKS
    return doubled(first, retries, first * 2**MOST_DOUBLINGS)
