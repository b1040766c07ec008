"""A local Functions host around the real Python worker runtime: HTTP, queue and timer triggers.

What it does for what is asked is the real host's, row by row as `docs/platform.md` has it.
"""

from simulator.host.conversation import FunctionError, IndexingError
from simulator.host.process import HostProcess
from simulator.host.triggers import HttpCall, QueueItem, TimerStatus, TimerTick

__all__ = [
    "FunctionError",
    "HostProcess",
    "HttpCall",
    "IndexingError",
    "QueueItem",
    "TimerStatus",
    "TimerTick",
]
