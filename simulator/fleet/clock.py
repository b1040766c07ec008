"""Time for a fleet: a clock tests can move by hand, and a timeline of what is going to happen.

Nothing here sleeps. A fleet asks its clock what time it is whenever it is read or acted upon, and lets
everything due happen at its own exact moment, so a test that jumps a week sees the same events, at the same
times, as a demo that waited through it.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

Clock = Callable[[], datetime]


class VirtualClock:
    """A clock that moves only when told. Times are aware UTC."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> datetime:
        """Move on by a span; a negative one is refused, a fleet cannot unlive what happened."""
        return self.to(self.now + by)

    def to(self, moment: datetime) -> datetime:
        if moment < self.now:
            raise ValueError(f"the clock shows {self.now} and cannot go back to {moment}")
        self.now = moment
        return self.now


@dataclass(slots=True)
class Timeline:
    """What is going to happen, in order of time and then of having been planned."""

    now: datetime
    _due: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _count: int = 0
    _living: bool = False

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Plan an action; a moment already past happens at the next `run_to`, at the time shown then."""
        self._count += 1
        heapq.heappush(self._due, (moment, self._count, action))

    def next_at(self) -> datetime | None:
        return self._due[0][0] if self._due else None

    def run_to(self, moment: datetime) -> None:
        """Let everything due until `moment` happen, each at its own time.

        Called from within an action it does nothing: that action's moment is now.
        """
        if self._living:
            return
        due, self._living = self._due, True
        try:
            while due and due[0][0] <= moment:
                when, _, action = heapq.heappop(due)
                self.now = max(self.now, when)
                action()
            self.now = max(self.now, moment)
        finally:
            self._living = False
