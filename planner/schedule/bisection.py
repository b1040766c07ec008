"""How far something may go: the last number that is still good."""

from collections.abc import Callable


def largest(good: Callable[[int], bool], most: int) -> int:
    """The largest number up to `most` that is good, zero being good and everything above a bad one bad."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if good(middle):
            low = middle
        else:
            high = middle - 1
    return low
