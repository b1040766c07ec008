"""How waits grow: each twice the one before, up to a longest one."""

from datetime import timedelta

ENOUGH = 20
"""Doublings after which every first wait is past its longest; many more would overflow a timedelta."""


def doubled(first: timedelta, times: int, most: timedelta) -> timedelta:
    """The wait after `times` doublings of `first`, at most `most`."""
    return min(first * (1 << min(times, ENOUGH)), most)
