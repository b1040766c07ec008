"""The order between scale sets: who goes first, by the roster's tiers and `after`."""

from collections.abc import Sequence
from dataclasses import replace

from planner.azure.wave import Member
from planner.words import verdicts as words


def predecessors(
    roster: Sequence[Member], key: str, after: tuple[str, ...] | None = None
) -> tuple[tuple[Member, ...], str]:
    """The members that go before the scale set `key`, and what is wrong with the order, if anything.

    A name in `after` is a scale set's name or a tier; `after` is what the scale set names now, None for what
    it named when it was discovered. A name that nobody has, and a circle, need a person: the sentence says
    which.
    """
    wanted = key.lower()
    me = next((member for member in roster if member.scale_set.key == wanted), None)
    if me is None or not (me.after if after is None else after):
        return (), ""
    if after is not None:
        was, me = me, replace(me, after=after)
        roster = [me if member is was else member for member in roster]
    first = _before(roster, me)
    unknown = [name for name in me.after if not _having(roster, name)]
    if unknown:
        return first, words.nobody_of_that_name(unknown)
    circle = _circle(roster, me)
    if circle:
        return first, words.circular_order(circle)
    return first, ""


def _having(roster: Sequence[Member], name: str) -> list[Member]:
    wanted = name.lower()
    return [member for member in roster if wanted in {member.scale_set.name.lower(), member.tier.lower()}]


def _before(roster: Sequence[Member], me: Member) -> tuple[Member, ...]:
    found = {member.scale_set.key: member for name in me.after for member in _having(roster, name)}
    found.pop(me.scale_set.key, None)
    return tuple(found[key] for key in sorted(found))


def _circle(roster: Sequence[Member], me: Member) -> list[str]:
    """The names on a way from `me` through its predecessors back to `me`; empty if there is none."""
    if any(member is me for name in me.after for member in _having(roster, name)):
        return [me.scale_set.name, me.scale_set.name]
    seen: set[str] = set()
    paths = [[me]]
    while paths:
        path = paths.pop()
        for member in _before(roster, path[-1]):
            if member is me:
                return [step.scale_set.name for step in (*path, me)]
            if member.scale_set.key not in seen:
                seen.add(member.scale_set.key)
                paths.append([*path, member])
    return []
