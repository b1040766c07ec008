"""How a subscription's queue comes out: who has a place in time, and what would make room for the others."""

from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from planner.places.layout import places
from planner.places.line import holders, seekers
from planner.places.turn import Laid
from planner.policy.fingerprint import hashed
from planner.policy.limits import RaisedLimits, numbers, with_number
from planner.policy.model import Limits
from planner.record.copying import replace
from planner.text.phrases import many, say, some

NAMED = 5
"""Scale sets without a place that a sentence names."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """The runs of a wave in one subscription that have not begun; times are aware UTC.

    `in_time` have a place before their latest start, the last of them `ends`; `late` names those that have
    none, `late_keys` are their keys. `enough` is key of `limits` to the smallest number of it under which all
    have one, for each that does it alone, `any_time` whether they would without their windows. `raised` is
    what people have raised.
    """

    subscription: str
    limits: Limits
    in_time: int = 0
    ends: datetime | None = None
    late: tuple[str, ...] = ()
    enough: tuple[tuple[str, int], ...] = ()
    any_time: bool = False
    raised: tuple[RaisedLimits, ...] = ()
    late_keys: tuple[str, ...] = ()

    @property
    def checksum(self) -> str:
        """Names what a choice is offered for: who has no place, under which limits."""
        return hashed(self.subscription.lower(), list(self.late_keys), numbers(self.limits))

    @property
    def sentence(self) -> str:
        """For people; empty where nothing waits."""
        if not self.in_time and not self.late:
            return ""
        if not self.late:
            who = "the last " if self.in_time > 1 else ""
            last = f", {who}done by {say(self.ends)}" if self.ends is not None else ""
            fit = many(self.in_time, "scale set fits", "scale sets fit")
            return f"{fit} before the deadline{last}.{_who(self)}"
        rest = f"; {many(self.in_time, 'other fits', 'others fit')}" if self.in_time else ""
        ways = [f"`{key}: {number}`" for key, number in self.enough]
        ways += ["wider windows"] if self.any_time else []
        limits = ", ".join(f"`{key}: {number}`" for key, number in numbers(self.limits).items())
        room = f" To make room: {' or '.join(ways)}." if ways else ""
        return (
            f"{many(len(self.late), 'scale set does', 'scale sets do')} not fit before the deadline under "
            f"`limits` ({limits}): {some(self.late, most=NAMED)}{rest}.{room} "
            f"What does not start in time is left to Azure.{_who(self)}"
        )


def _who(seen: Outlook) -> str:
    said = (
        f" {each.actor} raised {', '.join(f'`{key}` to {number}' for key, number in each.numbers.items())}"
        f"{f': {each.comment}' if each.comment else '.'}"
        for each in seen.raised
    )
    return "".join(said)


def outlook(subscription: str, laid: Laid, keys: Collection[str]) -> Outlook:
    """The outlook of the runs with these keys among all that the places were made for."""
    names = {line.key: line.name for line in laid.lines}
    mine = {key: place for key, place in laid.places.items() if key in keys}
    late_keys = tuple(sorted(key for key, place in mine.items() if place.late))
    late = tuple(sorted(names[key] for key in late_keys))
    ends = [place.end for place in mine.values() if place.end is not None and not place.late]
    found = Outlook(
        subscription,
        laid.limits,
        len(mine) - len(late),
        max(ends, default=None),
        late,
        raised=laid.raised,
        late_keys=late_keys,
    )
    if not late:
        return found

    raised = ((key, _enough(key, laid, keys)) for key in numbers(laid.limits))
    enough = tuple((key, number) for key, number in raised if number is not None)
    always = tuple(replace(line, course=replace(line.course, windows=())) for line in laid.lines)
    any_time = always != laid.lines and not _late(replace(laid, lines=always), keys)
    return replace(found, enough=enough, any_time=any_time)


def _enough(key: str, laid: Laid, keys: Collection[str]) -> int | None:
    """The smallest number of this limit under which all have a place in time; None where none does it."""
    first, most = numbers(laid.limits)[key] + 1, len(laid.lines) + 1

    def fits(number: int) -> bool:
        return not _late(replace(laid, limits=with_number(laid.limits, key, number)), keys)

    if first >= most or not fits(most):
        return None
    return bisect_left(range(most), True, lo=first, key=fits)


def _late(laid: Laid, keys: Collection[str]) -> bool:
    """Whether one of `keys` is late when the runs go in their plain order: enough to say that all fit."""
    held = holders(laid.lines, laid.at)
    made = places(seekers(laid.lines), held, laid.limits, laid.at, opened=laid.opened, most=1)
    return any(place.late for key, place in made.items() if key in keys)
