"""Who goes when: the runs of a subscription laid into its limits, a place for each.

The order is by latest start, then tier, then name, one region after another; where that misses dates, orders
that miss fewer are looked for.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, permutations, product

from planner.places.table import Holder, Place, Seeker, Subscription, laid
from planner.policy.model import Limits

EXACT = 5
"""Runs of which every order is tried."""

MOST_ORDERS, MOST_REGIONS, SHARE = 64, 4, 16
"""Orders tried for more runs than that, regions of which every sequence is, and how many give way at once."""

MANY, PATIENCE = 200, 8
"""Of so many runs and more: after how many orders in a row that keep no more dates no other is tried."""


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
    subscription = Subscription(tuple(holders), limits, now, frozenset(opened))
    best: tuple[int, dict[str, Place]] | None = None
    for candidate in islice(_orders(order, regions, subscription), most):
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
    order: Sequence[Seeker], regions: Sequence[str], subscription: Subscription
) -> Iterator[dict[str, Place]]:
    several = {*regions, *(holder.region for holder in subscription.holders)}
    scarce = subscription.limits.regions < len(several)
    sequences = list(permutations(regions)) if scarce and len(regions) <= MOST_REGIONS else [tuple(regions)]
    ways = list(product((True, False) if scarce else (False,), sequences))
    if len(order) <= EXACT:
        tries = product(ways, permutations(order))
        yield from (laid(tried, sequence, subscription, keeps=keeps) for (keeps, sequence), tried in tries)
        return
    best: tuple[int, bool, Sequence[str]] | None = None
    for keeps, sequence in ways:
        found = laid(order, sequence, subscription, keeps=keeps)
        yield found
        late = sum(place.late for place in found.values())
        if best is None or late < best[0]:
            best = late, keeps, sequence
    if best is not None:
        yield from _deferring(order, best[2], subscription, keeps=best[1])


def _deferring(
    order: Sequence[Seeker],
    regions: Sequence[str],
    subscription: Subscription,
    *,
    keeps: bool,
) -> Iterator[dict[str, Place]]:
    """Orders in which ever more of those that take longest go last, so that the others meet their dates.

    The rule of Moore and Hodgson: up to the first that is late, the longest is the one to give up.
    """
    first, last = list(order), list[Seeker]()
    fewest, since = len(order) + 1, 0
    for tried in range(MOST_ORDERS):
        found = laid([*first, *last], regions, subscription, keeps=keeps)
        yield found
        late = [seeker for seeker in first if found[seeker.key].late]
        missed = sum(place.late for place in found.values())
        if missed < fewest:
            fewest, since = missed, tried
        if not late or (len(order) >= MANY and tried - since >= PATIENCE):
            return
        until = found[late[0].key].start
        before = [late[0], *(seeker for seeker in first if _before(found[seeker.key], until))]
        before.sort(key=lambda seeker: _length(found[seeker.key]), reverse=True)
        # Of very many late ones several at once: each order costs a pass over all of them.
        given_up = before[: max(1, len(late) // SHARE)]
        last += given_up
        gone = {seeker.key for seeker in given_up}
        first = [seeker for seeker in first if seeker.key not in gone]


def _before(place: Place, until: datetime | None) -> bool:
    return place.start is not None and (until is None or place.start < until)


def _length(place: Place) -> timedelta:
    return place.end - place.start if place.start is not None and place.end is not None else timedelta.max
