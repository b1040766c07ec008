"""What a rehearsal lets go wrong, and how much of it each instance and each question to people gets.

Everything is drawn from the seed and a name, never from the order of events: whatever else changes, the same
instance has the same fate.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time between `least` and `most`, every length as likely as the others."""

    least: timedelta
    most: timedelta

    def at(self, share: float) -> timedelta:
        """The length at this share of the way, in whole seconds."""
        least, most = self.least.total_seconds(), self.most.total_seconds()
        return timedelta(seconds=round(least + (most - least) * share))


@dataclass(frozen=True, slots=True)
class Throttling:
    """Azure answers 429: from `after` the beginning on, for `lasts`, asking to wait `wait`."""

    after: timedelta
    lasts: timedelta
    wait: timedelta = MINUTE


@dataclass(frozen=True, slots=True)
class Moved:
    """Every wave is announced anew `after` the beginning, with its windows `by` later."""

    after: timedelta
    by: timedelta


@dataclass(frozen=True, slots=True)
class Trouble:
    """How instances reboot, how people answer, and what Azure does in between; shares are from 0 to 1.

    `reboot` is how long an instance is down, `boot` how long it then takes to be healthy. `lost` is the share
    of instances that do not come back until somebody repairs them, `lost_ones` are some of them by scale set
    (ARM id, any case) and instance id. `slow` is the share that takes `slow_by` times as long.

    `approves`, `resumes` and `unanswered`: when somebody approves a plan, when somebody repairs what is down
    and resumes a paused run (None: never), and the share of these questions that nobody ever answers.
    `acknowledges` is how long a page waits until somebody takes it (None: nobody does).

    `throttled` (starts), `unread` (reads), `moved` and `cancelled` (after the beginning) are what Azure does.
    """

    reboot: Span = Span(3 * MINUTE, 8 * MINUTE)
    boot: Span = Span(MINUTE, MINUTE)
    lost: float = 0.0
    lost_ones: frozenset[tuple[str, str]] = frozenset()
    slow: float = 0.0
    slow_by: float = 3.0
    approves: Span | None = Span(2 * HOUR, 16 * HOUR)
    resumes: Span | None = Span(2 * HOUR, 16 * HOUR)
    unanswered: float = 0.0
    acknowledges: Span | None = Span(5 * MINUTE, 25 * MINUTE)
    throttled: tuple[Throttling, ...] = ()
    unread: tuple[Throttling, ...] = ()
    moved: tuple[Moved, ...] = ()
    cancelled: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Fate:
    """What maintenance does to one instance; `lost`: it does not serve again by itself."""

    reboot: timedelta
    boot: timedelta
    lost: bool


def fate(trouble: Trouble, seed: int, scale_set: str, instance: str) -> Fate:
    """The fate of an instance; `scale_set` is its key."""
    lost, slow, reboot, boot = drawn(seed, scale_set, instance)
    span = trouble.reboot
    if slow < trouble.slow:
        span = Span(span.least * trouble.slow_by, span.most * trouble.slow_by)
    return Fate(
        span.at(reboot),
        trouble.boot.at(boot),
        lost < trouble.lost or (scale_set, instance) in _named(trouble),
    )


def answer(trouble: Trouble, span: Span | None, seed: int, scale_set: str, number: int) -> timedelta | None:
    """How long the answer to a scale set's question takes, by its number; None where none comes."""
    never, share, _, _ = drawn(seed, scale_set, f"question {number}")
    return None if span is None or never < trouble.unanswered else span.at(share)


def acknowledged(trouble: Trouble, seed: int, scale_set: str, number: int) -> timedelta | None:
    """How long the page of a scale set by this notice waits until somebody takes it; None: nobody does."""
    _, share, _, _ = drawn(seed, scale_set, f"page {number}")
    return trouble.acknowledges.at(share) if trouble.acknowledges is not None else None


def drawn(seed: int, *what: str) -> tuple[float, float, float, float]:
    """Four numbers from 0 to 1, the same for the same seed and names on every machine."""
    digest = hashlib.sha256("\n".join((str(seed), *what)).encode()).digest()
    numbers = [int.from_bytes(digest[at : at + 8]) / 2**64 for at in range(0, 32, 8)]
    return numbers[0], numbers[1], numbers[2], numbers[3]


def _named(trouble: Trouble) -> frozenset[tuple[str, str]]:
    return trouble.lost_ones and frozenset((key.lower(), one) for key, one in trouble.lost_ones)
