"""Plays a wave over a fleet in virtual time, by the planner's own rules; nothing is read, started or told."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from planner.azure.wave import Wave
from planner.policy.model import Policy
from planner.rehearsal.clock import Rehearsal
from planner.rehearsal.ending import story_of
from planner.rehearsal.part import Snapshot
from planner.rehearsal.story import Story, together
from planner.rehearsal.trouble import Trouble
from planner.rehearsal.world import World

AFTERWARDS = timedelta(days=1)
"""How long is played after the last window has closed, where nobody says until when."""


def play(
    fleet: Sequence[Snapshot],
    waves: Sequence[Wave],
    policy: Policy,
    trouble: Trouble,
    seed: int,
    start: datetime,
    *,
    until: datetime | None = None,
    each_poll: bool = False,
) -> Story:
    """The whole story from `start` on (aware UTC), the same for the same arguments in whatever order.

    `fleet` is as Azure shows it at `start`, each scale set with the instances of one listing; `waves` are
    what has been announced, one a subscription and tracking id. Waves without look-ups count as looked up,
    with the habits that the scale sets have. `until` is where it ends, by default a day after the last window
    has closed, Azure's scheduled ones too. `each_poll` plays
    polls that cannot change anything as well: it takes far longer and tells the same story. Raises
    ValueError for an empty fleet.
    """
    return together(
        tuple(
            play_subscription(part, mine, policy, trouble, seed, start, until=until, each_poll=each_poll)
            for part, mine in by_subscription(fleet, waves)
        ),
        policy,
    )


def by_subscription(
    fleet: Sequence[Snapshot], waves: Sequence[Wave]
) -> Iterator[tuple[list[Snapshot], list[Wave]]]:
    """What can be played on its own, each with its waves: no subscription has to do with another."""
    parts: dict[str, list[Snapshot]] = {}
    for each in fleet:
        parts.setdefault(each.scale_set.subscription.lower(), []).append(each)
    for subscription in sorted(parts):
        mine = [wave for wave in waves if wave.subscription.lower() == subscription]
        yield parts[subscription], sorted(mine, key=lambda wave: wave.tracking_id)


def play_subscription(
    fleet: Sequence[Snapshot],
    waves: Sequence[Wave],
    policy: Policy,
    trouble: Trouble,
    seed: int,
    start: datetime,
    *,
    until: datetime | None = None,
    each_poll: bool = False,
) -> Story:
    """The story of one subscription; `play` puts several together."""
    world = World(fleet, waves, policy, trouble, seed, start)
    last = world.last_closing() or start
    later = sum((moved.by for moved in trouble.moved), timedelta(0))
    end = until or max(last, last + later) + AFTERWARDS
    rehearsal = Rehearsal(world, trouble, seed, start, each_poll=each_poll)
    first, outlooks = rehearsal.begin()
    rehearsal.until(end)
    return story_of(rehearsal, first, outlooks, start, end)
