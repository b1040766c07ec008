"""One order of runs laid into the limits of their subscription, moment by moment.

A list schedule: whenever something ends or may begin, the first in the order that can start does.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush

from planner.policy.model import Limits

ANSWERED = timedelta(minutes=1)
"""A run that waits for a person is laid as if the answer came within a minute."""

KEPT = timedelta(days=1)
"""A region that was begun with keeps its place while its next run may start within that time."""


@dataclass(frozen=True, slots=True)
class Seeker:
    """A run that has not begun; times are aware UTC.

    `earliest` is when its lead time has passed and its self-service window is open, `latest` its latest
    start that meets the deadline (None: no start does). `after` are the keys of the runs that go first,
    `counts_in` names the limits by match it counts in.
    `opens` gives the first moment from another one on at which it may start (None: none is left), `ends` when
    a start then ends. `ready`: it could start by itself; others may go before one that waits for a person.
    """

    key: str
    name: str
    region: str
    earliest: datetime
    latest: datetime | None
    opens: Callable[[datetime], datetime | None]
    ends: Callable[[datetime], datetime | None]
    tier: str = ""
    after: tuple[str, ...] = ()
    counts_in: tuple[str, ...] = ()
    ready: bool = True


@dataclass(frozen=True, slots=True)
class Holder:
    """A run in flight: it counts against the limits until `ends` (None: until a person acts)."""

    key: str
    region: str
    ends: datetime | None
    counts_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """When a run should start and end, aware UTC; None where no place gets free for it.

    `late`: it misses its latest start.
    """

    start: datetime | None = None
    end: datetime | None = None
    late: bool = True


@dataclass(frozen=True, slots=True)
class Subscription:
    """What runs are laid into: what is in flight at `now` (aware UTC), the limits, the regions begun with."""

    holders: tuple[Holder, ...]
    limits: Limits
    now: datetime
    opened: frozenset[str] = frozenset()


def laid(
    order: Sequence[Seeker], regions: Sequence[str], subscription: Subscription, *, keeps: bool
) -> dict[str, Place]:
    """The places that this order gives, by key; regions with nothing in flight are opened in this sequence.

    `keeps`: a region stays open until its last run, as long as the next may start within a day; without it
    whatever is in flight at the moment decides, and a few seconds which region goes on.
    """
    return _Table(order, regions, subscription, keeps=keeps).filled()


type _Kind = tuple[str, tuple[str, ...]]
"""Region and limits by match: runs of one kind find room at the same moments."""

_NONE = Place()


class _Table:
    """The subscription while runs are laid into it, moment by moment; each goes by its turn in the order."""

    def __init__(
        self, order: Sequence[Seeker], regions: Sequence[str], subscription: Subscription, *, keeps: bool
    ) -> None:
        self._limits, self._now = subscription.limits, subscription.now
        self._most, holders = subscription.limits.named, subscription.holders
        self._region_turn = {region: turn for turn, region in enumerate(regions)}
        self._keeps = keeps
        self._begun = {*subscription.opened, *(holder.region for holder in holders)}
        self._seekers = order
        self._kinds: list[_Kind] = [(seeker.region, seeker.counts_in) for seeker in order]
        self._laid = {seeker.key: _NONE for seeker in order}
        self._in_flight = Counter(holder.region for holder in holders)
        self._flying = len(holders)
        self._busy = set(self._in_flight)
        self._counted = Counter(name for holder in holders for name in holder.counts_in)
        known_ends = ((holder.ends, holder.key, (holder.region, holder.counts_in)) for holder in holders)
        self._ends = [(ends, key, kind) for ends, key, kind in known_ends if ends is not None]
        heapify(self._ends)
        self._open: dict[_Kind, list[int]] = {kind: [] for kind in self._kinds}
        self._waiting = 0
        self._later: list[tuple[datetime, int]] = []
        self._coming: defaultdict[str, list[datetime]] = defaultdict(list)
        self._behind: defaultdict[str, list[int]] = defaultdict(list)
        self._waits: dict[int, int] = {}
        known = {*self._laid, *(holder.key for holder in holders)}
        for turn, seeker in enumerate(order):
            first = known.intersection(seeker.after) if seeker.after else ()
            for key in first:
                self._behind[key].append(turn)
            if first:
                self._waits[turn] = len(first)
            else:
                self._may_begin(turn, max(self._now, seeker.earliest))

    def filled(self) -> dict[str, Place]:
        at = self._now
        while True:
            self._fill(at)
            # In life no two runs end in the same second: one leaves its place while the other is in flight.
            while self._ends and self._ends[0][0] <= at:
                self._end(at)
                self._fill(at)
            following = [heap[0][0] for heap in (self._ends, self._later) if heap]
            if not following:
                return self._laid
            at = min(following)

    def _fill(self, at: datetime) -> None:
        while self._later and self._later[0][0] <= at:
            _, turn = heappop(self._later)
            heappush(self._open[self._kinds[turn]], turn)
            self._waiting += 1
        while (next_turn := self._next(at)) is not None:
            self._take(next_turn, at)

    def _end(self, at: datetime) -> None:
        _, key, (region, counts_in) = heappop(self._ends)
        self._in_flight[region] -= 1
        if not self._in_flight[region]:
            self._busy.discard(region)
        self._flying -= 1
        for name in counts_in:
            self._counted[name] -= 1
        for turn in self._behind.get(key, ()):
            self._waits[turn] -= 1
            if not self._waits[turn]:
                self._may_begin(turn, max(at, self._seekers[turn].earliest))

    def _may_begin(self, turn: int, at: datetime) -> None:
        seeker = self._seekers[turn]
        self._wait(turn, seeker.opens(at if seeker.ready else max(at, self._now + ANSWERED)))

    def _wait(self, turn: int, opens: datetime | None) -> None:
        if opens is None:
            return
        heappush(self._later, (opens, turn))
        seeker = self._seekers[turn]
        if seeker.ready and self._keeps:
            heappush(self._coming[seeker.region], opens)

    def _next(self, at: datetime) -> int | None:
        """Whose turn it is at this moment."""
        if not self._waiting or self._flying >= self._limits.scale_sets:
            return None
        usable = self._usable(at)
        turns = (
            open_ones[0]
            for kind, open_ones in self._open.items()
            if open_ones and kind[0] in usable and self._room(kind)
        )
        return min(turns, default=None)

    def _usable(self, at: datetime) -> Collection[str]:
        """The regions that runs may start in at this moment."""
        if len(self._busy) >= self._limits.regions:
            return self._busy
        flying = self._busy | self._kept(at) if self._keeps else self._busy
        room = self._limits.regions - len(flying)
        if room <= 0:
            return flying
        waiting = {kind[0] for kind, turns in self._open.items() if turns and self._room(kind)}
        return flying.union(sorted(waiting - flying, key=self._before)[:room])

    def _kept(self, at: datetime) -> set[str]:
        """The regions that nothing flies in at this moment, and that keep their place all the same."""
        idle = (each for each in self._begun - self._busy if self._comes_soon(each, at))
        return set(sorted(idle, key=self._before)[: self._limits.regions - len(self._busy)])

    def _comes_soon(self, region: str, at: datetime) -> bool:
        coming = self._coming[region]
        while coming and coming[0] <= at:
            heappop(coming)
        return bool(coming) and coming[0] - at <= KEPT

    def _before(self, region: str) -> tuple[bool, int]:
        return self._keeps and region not in self._begun, self._region_turn[region]

    def _room(self, kind: _Kind) -> bool:
        """Whether the limits of its region and by match leave room for one more of this kind."""
        region, counts_in = kind
        per_region = self._limits.per_region
        if per_region is not None and self._in_flight[region] >= per_region:
            return False
        return not counts_in or all(
            self._counted[name] < self._most[name] for name in counts_in if name in self._most
        )

    def _take(self, turn: int, at: datetime) -> None:
        seeker, kind = self._seekers[turn], self._kinds[turn]
        heappop(self._open[kind])
        self._waiting -= 1
        opens = seeker.opens(at)
        if opens != at:
            # Its window has closed while it waited.
            self._wait(turn, opens)
            return
        end = seeker.ends(at)
        if end is None:
            return
        late = seeker.latest is None or at > seeker.latest
        self._laid[seeker.key] = Place(at, end, late)
        self._in_flight[seeker.region] += 1
        self._busy.add(seeker.region)
        self._flying += 1
        self._begun.add(seeker.region)
        for name in seeker.counts_in:
            self._counted[name] += 1
        heappush(self._ends, (end, seeker.key, kind))
