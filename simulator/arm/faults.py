"""What goes wrong between a client and Azure, changeable while the server runs.

Latency is in seconds of real time. Faults asked for by number are used up in the order they were asked for,
by the first calls of their kind (any call when no kind is given); kinds are those of `ArmServer.calls`.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True)
class Bucket:
    """A token bucket as ARM's: `capacity` calls at once, `refill` more per second of real time."""

    capacity: float
    refill: float
    tokens: float = -1.0
    seen: float = 0.0

    def wait(self) -> float:
        """Take a token, or say in how many seconds there will be one."""
        now = time.monotonic()
        if self.tokens < 0:
            self.tokens = self.capacity
        else:
            self.tokens = min(self.capacity, self.tokens + (now - self.seen) * self.refill)
        self.seen = now
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0
        return (1 - self.tokens) / self.refill


@dataclass(slots=True)
class Fault:
    """One kind of trouble for the next `times` calls of a kind."""

    what: Literal["throttle", "fail", "drop"]
    times: int
    kind: str | None
    status: int = 503
    retry_after: int | None = None


@dataclass(slots=True)
class Faults:
    """latency: seconds added to each call. malformed_dates, unknown_codes: names of instances whose view
    carries unreadable dates, or result and health codes nobody published. buckets: throttling by kind of
    call, `*` for all of them together. denied: permissions the caller does not have, by their published names.
    every: of a kind of call each so many is answered 429, with so many seconds of Retry-After.
    """

    latency: float = 0.0
    malformed_dates: set[str] = field(default_factory=set)
    unknown_codes: set[str] = field(default_factory=set)
    buckets: dict[str, Bucket] = field(default_factory=dict)
    waiting: list[Fault] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    every: dict[str, tuple[int, int]] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)

    def throttle(self, times: int = 1, *, retry_after: int | None = 5, kind: str | None = None) -> None:
        """429 for the next calls; without Retry-After when None."""
        self.waiting.append(Fault("throttle", times, kind, 429, retry_after))

    def fail(self, times: int = 1, *, status: int = 503, kind: str | None = None) -> None:
        """An error of Azure's own for the next calls; nothing was done."""
        self.waiting.append(Fault("fail", times, kind, status))

    def drop(self, times: int = 1, *, kind: str | None = None) -> None:
        """Close the connection without an answer; nothing was done (see `Behaviour.lost_answers`).

        aiohttp itself sends a GET once more when a connection it had kept open breaks.
        """
        self.waiting.append(Fault("drop", times, kind))

    def take(self, kind: str) -> Fault | None:
        """The trouble this call gets, used up by it."""
        for fault in self.waiting:
            if fault.kind in {None, kind}:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        self.counted[kind] += 1
        if kind in self.every and self.counted[kind] % self.every[kind][0] == 0:
            return Fault("throttle", 1, kind, 429, self.every[kind][1])
        for name in ("*", kind):
            bucket = self.buckets.get(name)
            if bucket is not None and (wait := bucket.wait()):
                return Fault("throttle", 1, kind, 429, max(1, round(wait + 0.5)))
        return None
