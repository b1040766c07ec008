"""Who goes when: the runs of a subscription laid into its limits, a place for each.

A list schedule: whenever something ends or may begin, the first in the order that can start does. The order
is by latest start, then tier, then name; where that misses dates, orders that miss fewer are looked for.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from itertools import islice, permutations, product

from planner.policy.model import Limits

ANSWERED = timedelta(minutes=1)
"""A run that waits for a person is laid as if the answer came within a minute."""

EXACT = 5
"""Runs of which every order is tried."""

MOST_ORDERS, MOST_REGIONS, SHARE = 64, 4, 16
"""Orders tried for more runs than that, regions of which every sequence is, and how many give way at once."""

MANY, PATIENCE = 200, 8
"""Of so many runs and more: after how many orders in a row that keep no more dates no other is tried."""


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


def places(
    seekers: Iterable[Seeker],
    holders: Iterable[Holder],
    limits: Limits,
    now: datetime,
    *,
    opened: Collection[str] = (),
    most: int | None = None,
) -> Mapping[str, Place]:
    """A place for each seeker, by key, in the order of the queue; `most` limits how many orders are tried.

    `opened` are the regions that have been begun with: they go on first, and who was told a time keeps it.
    """
    order = in_order(seekers)
    regions = tuple(
        dict.fromkeys(seeker.region for seeker in sorted(order, key=lambda each: each.region not in opened))
    )
    held = tuple(holders)
    best: tuple[int, dict[str, Place]] | None = None
    for candidate in islice(_orders(order, regions, held, limits, now), most):
        late = sum(place.late for place in candidate.values())
        if best is None or late < best[0]:
            best = late, candidate
        if not late:
            break
    return best[1] if best is not None else {}


def in_order(seekers: Iterable[Seeker]) -> list[Seeker]:
    """Who has to start first comes first, then by tier, then by name."""
    return sorted(seekers, key=_turn)


def _turn(seeker: Seeker) -> tuple[bool, datetime, str, str, str]:
    latest = seeker.latest or seeker.earliest
    return seeker.latest is None, latest, seeker.tier, seeker.name.lower(), seeker.key


def _orders(
    order: Sequence[Seeker],
    regions: Sequence[str],
    holders: Sequence[Holder],
    limits: Limits,
    now: datetime,
) -> Iterator[dict[str, Place]]:
    every = len(regions) <= MOST_REGIONS and limits.regions < len(regions)
    sequences = list(permutations(regions)) if every else [tuple(regions)]
    if len(order) <= EXACT:
        pairs = product(sequences, permutations(order))
        yield from (_laid(tried, sequence, holders, limits, now) for sequence, tried in pairs)
        return
    best: tuple[int, Sequence[str]] | None = None
    for sequence in sequences:
        laid = _laid(order, sequence, holders, limits, now)
        yield laid
        late = sum(place.late for place in laid.values())
        if best is None or late < best[0]:
            best = late, sequence
    if best is not None:
        yield from _deferring(order, best[1], holders, limits, now)


def _deferring(
    order: Sequence[Seeker],
    regions: Sequence[str],
    holders: Sequence[Holder],
    limits: Limits,
    now: datetime,
) -> Iterator[dict[str, Place]]:
    """Orders in which ever more of those that take longest go last, so that the others meet their dates.

    The rule of Moore and Hodgson: up to the first that is late, the longest is the one to give up.
    """
    first, last = list(order), list[Seeker]()
    fewest, since = len(order) + 1, 0
    for tried in range(MOST_ORDERS):
        laid = _laid([*first, *last], regions, holders, limits, now)
        yield laid
        late = [seeker for seeker in first if laid[seeker.key].late]
        missed = sum(place.late for place in laid.values())
        if missed < fewest:
            fewest, since = missed, tried
        if not late or (len(order) >= MANY and tried - since >= PATIENCE):
            return
        until = laid[late[0].key].start
        before = [late[0], *(seeker for seeker in first if _before(laid[seeker.key], until))]
        before.sort(key=lambda seeker: _length(laid[seeker.key]), reverse=True)
        # Of very many late ones several at once: each order costs a pass over all of them.
        given_up = before[: max(1, len(late) // SHARE)]
        last += given_up
        gone = {seeker.key for seeker in given_up}
        first = [seeker for seeker in first if seeker.key not in gone]


def _before(place: Place, until: datetime | None) -> bool:
    return place.start is not None and (until is None or place.start < until)


def _length(place: Place) -> timedelta:
    return place.end - place.start if place.start is not None and place.end is not None else timedelta.max


def _laid(
    order: Sequence[Seeker],
    regions: Sequence[str],
    holders: Sequence[Holder],
    limits: Limits,
    now: datetime,
) -> dict[str, Place]:
    """The places that this order gives; regions with nothing in flight are opened in this sequence."""
    table = _Table(order, regions, holders, limits, now)
    return table.filled()


type _Kind = tuple[str, tuple[str, ...]]
"""Region and limits by match: runs of one kind find room at the same moments."""


def _kind(seeker: Seeker) -> _Kind:
    return seeker.region, seeker.counts_in


class _Table:
    """The subscription while runs are laid into it, moment by moment."""

    def __init__(
        self,
        order: Sequence[Seeker],
        regions: Sequence[str],
        holders: Sequence[Holder],
        limits: Limits,
        now: datetime,
    ) -> None:
        self._limits, self._now = limits, now
        self._region_turn = {region: turn for turn, region in enumerate(regions)}
        self._seekers = dict(enumerate(order))
        self._laid = {seeker.key: Place(late=True) for seeker in order}
        self._most = limits.named
        self._in_flight = Counter(holder.region for holder in holders)
        self._counted = Counter(name for holder in holders for name in holder.counts_in)
        known_ends = ((holder.ends, holder.key, (holder.region, holder.counts_in)) for holder in holders)
        self._ends = [(ends, key, kind) for ends, key, kind in known_ends if ends is not None]
        heapify(self._ends)
        self._open: defaultdict[_Kind, list[int]] = defaultdict(list)
        self._later: list[tuple[datetime, int]] = []
        known = {*self._laid, *(holder.key for holder in holders)}
        self._behind: defaultdict[str, list[int]] = defaultdict(list)
        self._waits = {turn: len(known & {*seeker.after}) for turn, seeker in self._seekers.items()}
        for turn, seeker in self._seekers.items():
            for key in known & {*seeker.after}:
                self._behind[key].append(turn)
            if not self._waits[turn]:
                self._may_begin(turn, max(now, seeker.earliest))

    def filled(self) -> dict[str, Place]:
        at = self._now
        while True:
            self._ended(at)
            while self._later and self._later[0][0] <= at:
                _, opened = heappop(self._later)
                heappush(self._open[_kind(self._seekers[opened])], opened)
            while (turn := self._next()) is not None:
                self._take(turn, at)
            following = [heap[0][0] for heap in (self._ends, self._later) if heap]
            if not following:
                return self._laid
            at = min(following)

    def _may_begin(self, turn: int, at: datetime) -> None:
        seeker = self._seekers[turn]
        opens = seeker.opens(at if seeker.ready else max(at, self._now + ANSWERED))
        if opens is not None:
            heappush(self._later, (opens, turn))

    def _ended(self, at: datetime) -> None:
        while self._ends and self._ends[0][0] <= at:
            _, key, (region, counts_in) = heappop(self._ends)
            self._in_flight[region] -= 1
            self._counted.subtract(counts_in)
            for turn in self._behind[key]:
                self._waits[turn] -= 1
                if not self._waits[turn]:
                    self._may_begin(turn, max(at, self._seekers[turn].earliest))

    def _next(self) -> int | None:
        """Whose turn it is at this moment."""
        if self._in_flight.total() >= self._limits.scale_sets:
            return None
        flying = {region for region, number in self._in_flight.items() if number}
        waiting = [kind for kind, turns in self._open.items() if turns and self._room(kind)]
        unopened = sorted({region for region, _ in waiting} - flying, key=self._region_turn.__getitem__)
        usable = flying.union(unopened[: max(0, self._limits.regions - len(flying))])
        return min((self._open[kind][0] for kind in waiting if kind[0] in usable), default=None)

    def _room(self, kind: "_Kind") -> bool:
        """Whether the limits of its region and by match leave room for one more of this kind."""
        region, counts_in = kind
        per_region = self._limits.per_region
        if per_region is not None and self._in_flight[region] >= per_region:
            return False
        return all(self._counted[name] < self._most[name] for name in counts_in if name in self._most)

    def _take(self, turn: int, at: datetime) -> None:
        seeker = self._seekers[turn]
        heappop(self._open[_kind(seeker)])
        opens = seeker.opens(at)
        if opens != at:
            # Its window has closed while it waited.
            if opens is not None:
                heappush(self._later, (opens, turn))
            return
        end = seeker.ends(at)
        if end is None:
            return
        late = seeker.latest is None or at > seeker.latest
        self._laid[seeker.key] = Place(at, end, late)
        self._in_flight[seeker.region] += 1
        self._counted.update(seeker.counts_in)
        heappush(self._ends, (end, seeker.key, _kind(seeker)))
