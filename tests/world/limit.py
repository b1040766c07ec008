"""A world that hangs must not hang those who wait for it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

AGAIN = 1.0
"""Seconds: what is raised inside the event loop's own code is swallowed there, so it is raised again."""


class TookTooLong(BaseException):
    """No Exception: the hosts of a world catch those."""


@contextmanager
def limited(seconds: float | None) -> Iterator[None]:
    """Raise TookTooLong in what is done within, once it has computed for so long; None is without a limit.

    Counts the process's own seconds, so that a busy machine is no finding. Works in the main thread only.
    """
    if seconds is None:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise TookTooLong

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
