"""The queue of one subscription: its runs' lines as they are written, and places laid only when asked for."""

from bisect import bisect_left, insort
from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush

from planner.places import laying
from planner.places.line import EVER, Line, of_run
from planner.places.neighbours import MOST_NAMED, Neighbour, Neighbours, beside, in_the_way, neighbour
from planner.places.turn import Laid, turn
from planner.policy.limits import Claim, over
from planner.policy.model import Limits
from planner.record.run import Run
from planner.record.states import ACTIVE
from planner.record.waits import Turn


class Queue:
    """What the product reads from the listing of a subscription's records; `laid` counts layouts."""

    def __init__(self, limits: Limits) -> None:
        self.layouts = 0
        self._limits = limits
        self._runs: dict[str, Run] = {}
        self._keys: list[str] = []
        self._lines: dict[str, Line] = {}
        self._claims: dict[str, Claim] = {}
        self._asleep: dict[str, datetime] = {}
        self._neighbours: dict[str, Neighbour] = {}
        self._stale: set[str] = set()
        self._acting: list[tuple[datetime, str]] = []
        self._opened: frozenset[str] | None = None
        self._laid: Laid | None = None
        self._known: Mapping[str, Line] = {}
        self._differ: set[str] = set()

    def written(self, key: str, run: Run) -> None:
        """A run's record has been written."""
        before = self._runs.get(key)
        self._runs[key] = run
        self._stale.add(key)
        if before is None or (before.state in ACTIVE, before.begun) != (run.state in ACTIVE, run.begun):
            self._opened = None
        if run.claims and run.state in ACTIVE:
            self._claims[key] = Claim(key, run.target.location, run.terms.counts_in)
        else:
            self._claims.pop(key, None)
        line = of_run(key, run) if run.state in ACTIVE else None
        if line is not None and line.acts_at is None:
            self._asleep[key] = run.due
        else:
            self._asleep.pop(key, None)
        self._put(key, line)

    def turn(self, key: str, now: datetime) -> Turn:
        """The turn of a run that is being polled."""
        mine = laying.polled(of_run(key, self._runs[key]))
        return turn(key, self._places(now, mine), now)

    def places(self, now: datetime) -> Laid:
        """The places as they are now."""
        return self._places(now, None)

    def forbidden(self, key: str) -> str:
        """Why the limits forbid this run a start now; empty when they do not, or it is in flight already."""
        run = self._runs[key]
        if run.claims:
            return ""
        return over(self._claims.values(), Claim(key, run.target.location, run.terms.counts_in), self._limits)

    def beside(self, key: str) -> Neighbours:
        """What the other runs show this one."""
        for each in self._stale:
            self._neighbours[each] = neighbour(each, self._runs[each])
        self._stale.clear()
        return beside(key, self._runs[key], self._neighbours.values())

    def in_the_way(self, limit: str, around: Neighbours, mine: Turn) -> str:
        """Why a run waits for the limits, in a sentence."""
        named = [self._runs[key] for key in around.paused[:MOST_NAMED]] if limit else []
        return in_the_way(limit, named, len(around.paused) - len(named), mine)

    def to_wake(self, now: datetime) -> list[str]:
        """The runs whose turn has come."""
        return laying.to_wake(self.places(now), self._asleep, now) if self._asleep else []

    def _put(self, key: str, line: Line | None) -> None:
        at = bisect_left(self._keys, key)
        there = at < len(self._keys) and self._keys[at] == key
        if line is None:
            if there:
                del self._keys[at], self._lines[key]
                self._differ.add(key)
            return
        if not there:
            insort(self._keys, key)
        self._lines[key] = line
        if line.acts_at is not None:
            heappush(self._acting, (line.acts_at, key))
        self._compare(key, line)

    def _compare(self, key: str, line: Line, now: datetime = EVER) -> None:
        """Note whether the line still is what the places were made from."""
        known = self._known.get(key)
        if known is not None and laying.stays(known, line, now):
            self._differ.discard(key)
        else:
            self._differ.add(key)

    def _places(self, now: datetime, mine: Line | None) -> Laid:
        while self._acting and self._acting[0][0] <= now:
            _, key = heappop(self._acting)
            line = self._lines.get(key)
            if line is not None and (passed := laying.as_of(line, now)) is not line:
                self._lines[key] = passed
                self._compare(key, passed, now)
        if self._opened is None:
            self._opened = laying.opened(
                (run.target.location, run.waves, run.state, run.begun) for run in self._runs.values()
            )
        listed = [self._lines[mine.key]] if mine is not None else []
        if mine is not None and laying.with_polled(listed, mine) is not listed:
            lines = {**self._lines, mine.key: mine}
            ordered = tuple(lines[key] for key in self._keys)
            kept = self._laid and laying.still(self._laid, ordered, self._limits, self._opened, now)
            return kept or self._lay(ordered, now)
        kept = self._kept(now)
        return kept or self._lay(tuple(self._lines[key] for key in self._keys), now)

    def _kept(self, now: datetime) -> Laid | None:
        """The places of the last time, as far as they still hold; None where they do not."""
        if self._laid is None or self._opened is None:
            return None
        if not laying.current(self._laid, self._limits, self._opened, now):
            return None
        if not self._differ:
            return self._laid
        moved = [self._lines.get(key) for key in self._differ]
        if not all(moved):
            return None
        kept = laying.gone_as_laid(self._laid, filter(None, moved), now)
        if kept is not None:
            self._keep(kept)
        return kept

    def _lay(self, lines: tuple[Line, ...], now: datetime) -> Laid:
        assert self._opened is not None
        self.layouts += 1
        laid = laying.lay(lines, self._limits, self._opened, (), now, self._laid)
        self._keep(laid)
        return laid

    def _keep(self, laid: Laid) -> None:
        self._laid, self._known = laid, laid.by_key
        self._differ = {
            line.key for line in laid.lines if not laying.stays(line, self._lines[line.key], laid.at)
        }
