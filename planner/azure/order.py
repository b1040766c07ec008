"""The order between scale sets: who goes first, by the roster's tiers and `after`."""

from collections.abc import Sequence
from dataclasses import replace

from planner.azure.wave import Member


def predecessors(
    roster: Sequence[Member], key: str, after: tuple[str, ...] | None = None
) -> tuple[tuple[Member, ...], str]:
    """The members that go before the scale set `key`, and what is wrong with the order, if anything.

    `after` is what the scale set names now; without it, what it named when it was discovered.

    A name in `after` is a scale set's name or a tier. A name nobody has, and a circle, are problems for a
    person: the sentence spells them out.
    """
    if after is not None:
        roster = [
            replace(member, after=after) if member.scale_set.key == key.lower() else member
            for member in roster
        ]
    by_key = {member.scale_set.key: member for member in roster}
    me = by_key.get(key.lower())
    if me is None or not me.after:
        return (), ""
    first = _named(roster, me)
    unknown = [name for name in me.after if not _having(roster, name)]
    if unknown:
        return first, (
            f"It goes after {', '.join(unknown)}, and no scale set or tier of the wave has that name. "
            "Correct `after`, or resume to go ahead all the same."
        )
    circle = _circle(roster, me)
    if circle:
        return first, f"The order goes in a circle: {' after '.join(circle)}. Correct `after` of one of them."
    return first, ""


def _having(roster: Sequence[Member], name: str) -> list[Member]:
    wanted = name.lower()
    return [member for member in roster if wanted in {member.scale_set.name.lower(), member.tier.lower()}]


def _named(roster: Sequence[Member], me: Member) -> tuple[Member, ...]:
    found = {one.scale_set.key: one for name in me.after for one in _having(roster, name)}
    found.pop(me.scale_set.key, None)
    return tuple(found[key] for key in sorted(found))


def _circle(roster: Sequence[Member], me: Member) -> list[str]:
    """The names on a way from `me` through its predecessors back to `me`, empty if there is none."""
    if any(one is me for name in me.after for one in _having(roster, name)):
        return [me.scale_set.name, me.scale_set.name]
    came_from: dict[str, Member] = {}
    waiting = [me]
    while waiting:
        here = waiting.pop()
        for one in _named(roster, here):
            if one is me:
                path = [here]
                while path[0] is not me:
                    path.insert(0, came_from[path[0].scale_set.key])
                return [step.scale_set.name for step in (*path, me)]
            if one.scale_set.key not in came_from:
                came_from[one.scale_set.key] = here
                waiting.append(one)
    return []
