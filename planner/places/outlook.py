"""How a subscription's queue comes out: who has a place in time, and what would make room for the others."""

from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from planner.places.layout import Place, places
from planner.places.line import Line, holders, seekers
from planner.places.turn import Laid
from planner.policy.model import Limits
from planner.text.phrases import many, say, some

NAMED = 5
"""Scale sets without a place that a sentence names."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The runs of a wave in one subscription that have not begun; times are aware UTC.

    `in_time` have a place before their latest start, the last of them `ends`; `late` names those that have
    none. `enough` is the smallest `limits.scale-sets` under which all have one (None: none is), `any_time`
    whether they would without their windows.
    """

    subscription: str
    limits: Limits
    in_time: int = 0
    ends: datetime | None = None
    late: tuple[str, ...] = ()
    enough: int | None = None
    any_time: bool = False

    @property
    def sentence(self) -> str:
        """For people; empty where nothing waits."""
        if not self.in_time and not self.late:
            return ""
        if not self.late:
            who = "the last " if self.in_time > 1 else ""
            last = f", {who}done by {say(self.ends)}" if self.ends is not None else ""
            return f"{many(self.in_time, 'scale set')} {_have(self.in_time)} a place in time{last}."
        rest = f"; {self.in_time} {_have(self.in_time)} one" if self.in_time else ""
        ways = [f"`scale-sets: {self.enough}` in the policy file"] if self.enough is not None else []
        ways += ["wider windows"] if self.any_time else []
        room = f" To make room: {' or '.join(ways)}." if ways else ""
        return (
            f"{many(len(self.late), 'scale set')} {_have(len(self.late))} no place before the deadline under "
            f"`limits.scale-sets: {self.limits.scale_sets}` and `limits.regions: {self.limits.regions}` "
            f"({some(self.late, most=NAMED)}){rest}.{room} What is not started in time is left to Azure."
        )


def _have(number: int) -> str:
    return "has" if number == 1 else "have"


def outlook(subscription: str, laid: Laid, keys: Collection[str]) -> Outlook:
    """The outlook of the runs with these keys among all that the places were made for."""
    names = {line.key: line.name for line in laid.lines}
    mine = {key: place for key, place in laid.places.items() if key in keys}
    late = tuple(sorted(names[key] for key, place in mine.items() if place.late))
    ends = [place.end for place in mine.values() if place.end is not None and not place.late]
    found = Outlook(subscription, laid.limits, len(mine) - len(late), max(ends, default=None), late)
    if not late:
        return found

    def fits(scale_sets: int) -> bool:
        return not _late(laid.lines, replace(laid.limits, scale_sets=scale_sets), laid.at, keys)

    first, most = laid.limits.scale_sets + 1, len(laid.lines) + 1
    enough = bisect_left(range(most), True, lo=min(first, most), key=fits)
    always = tuple(replace(line, course=replace(line.course, windows=())) for line in laid.lines)
    any_time = always != laid.lines and not _late(always, laid.limits, laid.at, keys)
    return replace(found, enough=enough if enough < most else None, any_time=any_time)


def _late(lines: Collection[Line], limits: Limits, now: datetime, keys: Collection[str]) -> bool:
    """Whether one of `keys` is late when the runs go in their plain order: enough to say that all fit."""
    laid: Mapping[str, Place] = places(seekers(lines), holders(lines, now), limits, now, most=1)
    return any(place.late for key, place in laid.items() if key in keys)
