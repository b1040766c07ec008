"""A local Functions host around the real Python worker runtime: HTTP, queue and timer triggers."""

from simulator.host.process import HostProcess
from simulator.host.triggers import HttpCall, QueueItem, TimerTick
from simulator.host.worker import FunctionError, IndexingError, invoke, load_app

__all__ = [
    "FunctionError",
    "HostProcess",
    "HttpCall",
    "IndexingError",
    "QueueItem",
    "TimerTick",
    "invoke",
    "load_app",
]
