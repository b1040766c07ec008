"""The queue of one subscription: its runs' lines as they are written, and places laid only when asked for."""

from bisect import bisect_left, insort
from collections.abc import Mapping
from datetime import datetime
from heapq import heappop, heappush

from planner.places import laying
from planner.places.line import Line, of_run
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
        self._neighbours: dict[str, Neighbour] = {}
        self._acting: list[tuple[datetime, str]] = []
        self._opened: frozenset[str] | None = None
        self._laid: Laid | None = None
        self._known: Mapping[str, Line] = {}
        self._differ: set[str] = set()

    def written(self, key: str, run: Run) -> None:
        """A run's record has been written."""
        before = self._runs.get(key)
        self._runs[key] = run
        self._neighbours.pop(key, None)
        if before is None or (before.state in ACTIVE, before.begun) != (run.state in ACTIVE, run.begun):
            self._opened = None
        if run.claims and run.state in ACTIVE:
            self._claims[key] = Claim(key, run.target.location, run.terms.counts_in)
        else:
            self._claims.pop(key, None)
        self._put(key, of_run(key, run) if run.state in ACTIVE else None)

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
        for each, run in self._runs.items():
            if each not in self._neighbours:
                self._neighbours[each] = neighbour(each, run)
        return beside(self._runs[key], self._neighbours.values())

    def in_the_way(self, limit: str, around: Neighbours, mine: Turn) -> str:
        """Why a run waits for the limits, in a sentence."""
        named = [self._runs[key] for key in around.paused[:MOST_NAMED]] if limit else []
        return in_the_way(limit, named, len(around.paused) - len(named), mine)

    def to_wake(self, now: datetime) -> list[str]:
        """The runs whose turn has come."""
        asleep = {key: self._runs[key].due for key, line in self._lines.items() if self._sleeps(key, line)}
        return laying.to_wake(self.places(now), asleep, now) if asleep else []

    def _sleeps(self, key: str, line: Line) -> bool:
        return line.acts_at is None and not line.held_back and of_run(key, self._runs[key]).acts_at is None

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

    def _compare(self, key: str, line: Line) -> None:
        """Note whether the line still is what the places were made from."""
        known = self._known.get(key)
        if known is not None and laying.stays(known, line):
            self._differ.discard(key)
        else:
            self._differ.add(key)

    def _places(self, now: datetime, mine: Line | None) -> Laid:
        while self._acting and self._acting[0][0] <= now:
            _, key = heappop(self._acting)
            line = self._lines.get(key)
            if line is not None and (passed := laying.as_of(line, now)) is not line:
                self._lines[key] = passed
                self._compare(key, passed)
        if self._opened is None:
            self._opened = laying.opened(
                (run.target.location, run.waves, run.state, run.begun) for run in self._runs.values()
            )
        listed = [self._lines[mine.key]] if mine is not None else []
        if mine is not None and laying.with_polled(listed, mine) is not listed:
            lines = {**self._lines, mine.key: mine}
            ordered = tuple(lines[key] for key in self._keys)
            if self._laid is None or not laying.holds(self._laid, ordered, self._limits, self._opened, now):
                self._lay(ordered, now)
            assert self._laid is not None
            return self._laid
        laid = self._laid
        if (
            laid is None
            or self._differ
            or not laying.holds(laid, laid.lines, self._limits, self._opened, now)
        ):
            self._lay(tuple(self._lines[key] for key in self._keys), now)
        assert self._laid is not None
        return self._laid

    def _lay(self, lines: tuple[Line, ...], now: datetime) -> None:
        assert self._opened is not None
        self.layouts += 1
        self._laid = laying.lay(lines, self._limits, self._opened, (), now)
        self._known = {line.key: line for line in lines}
        self._differ = {line.key for line in lines if not laying.stays(line, self._lines[line.key])}
