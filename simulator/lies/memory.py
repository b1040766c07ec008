"""What a liar keeps in mind so that its lies stay those Azure tells: short, and not from every side at once."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any, Literal

POLL = timedelta(seconds=50)
"""A little less than the shortest time between two looks of the product."""

REMEMBERED = timedelta(hours=2)
"""Longer than a paused run waits between two looks."""

LONGEST_LAG = timedelta(minutes=2)
SHORTEST_LAG = timedelta(seconds=10)

How = Literal["look", "direct"]


@dataclass(slots=True)
class Absences:
    """Which things were said to be gone although they are there, how and when.

    Two looks at least one poll apart and one direct read never agree on it, in whatever order they come, and
    direct reads of one thing do not say it twice in a row. That is all the product may rely on. `pace` is that
    of the liar, where polls are a second apart instead of a minute.
    """

    pace: float = 1.0
    told: dict[str, list[tuple[datetime, How]]] = field(default_factory=dict)
    shown: dict[str, datetime] = field(default_factory=dict)

    def may(self, thing: str, how: How, now: datetime) -> bool:
        """Whether this lie leaves a way to the truth; ask `note` to have it told."""
        told = self._in_mind(thing, now)
        looks = [at for at, each in told if each == "look"]
        if any(each == "direct" for _, each in told):
            return how == "look" and all(now - at < POLL * self.pace for at in looks)
        return how == "look" or not looks or max(looks) - min(looks) < POLL * self.pace

    def _in_mind(self, thing: str, now: datetime) -> list[tuple[datetime, How]]:
        """What a reader may still hold against the thing: until it was shown, and for a while after that."""
        shown = self.shown.get(thing)
        return [
            one
            for one in self.told.get(thing, ())
            if now - one[0] < REMEMBERED * self.pace or shown is None or shown <= one[0]
        ]

    def note(self, thing: str, how: How, now: datetime) -> None:
        self.told[thing] = [*self._in_mind(thing, now), (now, how)]

    def show(self, thing: str, now: datetime) -> None:
        """The truth was told of a thing lied about before."""
        if thing in self.told:
            self.shown[thing] = now


@dataclass(slots=True)
class Lag:
    """Earlier views: once caught, a thing is shown as it was then, for at most `LONGEST_LAG`."""

    pace: float = 1.0
    kept: dict[str, tuple[datetime, Any]] = field(default_factory=dict)

    def shown(self, thing: str, body: Any, now: datetime, share: float, dice: Random) -> Any:
        """The body, or that of an earlier moment; what is kept is not changed by anybody."""
        known = self.kept.get(thing)
        if known is not None and now < known[0]:
            return known[1]
        self.kept.pop(thing, None)
        if dice.random() < share:
            span = dice.uniform(SHORTEST_LAG.total_seconds(), LONGEST_LAG.total_seconds())
            self.kept[thing] = (now + timedelta(seconds=span) * self.pace, body)
        return body
