"""What a rehearsal came to: every run's record, who was told, what was down when, what was missed."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from planner.places.outlook import Outlook
from planner.policy.model import Policy
from planner.record.notice import Choice, Notice
from planner.record.run import Run
from planner.rehearsal.log import Moment, Turned
from planner.rehearsal.telling import Message, messages


@dataclass(frozen=True, slots=True)
class Told:
    """A notice at the moment it is written, and the name of who hears of it; empty where nobody does."""

    at: datetime
    scale_set: str
    notice: Notice
    receiver: str


@dataclass(frozen=True, slots=True)
class Miss:
    """Instances of a scale set that are not maintained when its windows have closed.

    `why` is a sentence, `choices` are what would have made the plan fit, as people were offered it last.
    """

    scale_set: str
    instances: tuple[str, ...]
    why: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Outage:
    """An instance that did not serve, as it truly was; `until` is None where it still does not.

    `by_azure`: Azure took it, in its scheduled window.
    """

    instance: str
    since: datetime
    until: datetime | None
    by_azure: bool = False


@dataclass(frozen=True, slots=True)
class Played:
    """One scale set of `size` instances: `run` is its record in the end, `earlier` ended before it.

    `first` is the record of day 0, with the times of its place in the queue; `outages` are in order.
    """

    scale_set: str
    run: Run
    first: Run
    earlier: tuple[Run, ...]
    outages: tuple[Outage, ...]
    size: int
    told: tuple[Told, ...]
    misses: tuple[Miss, ...] = ()

    @property
    def forecast(self) -> datetime | None:
        """When day 0 expected its end."""
        return self.first.times.forecast_end

    @property
    def capacity(self) -> tuple[tuple[datetime, int], ...]:
        """How many instances are down from each moment on at which that changes."""
        changes: Counter[datetime] = Counter()
        for outage in self.outages:
            changes[outage.since] += 1
            if outage.until is not None:
                changes[outage.until] -= 1
        moments = [at for at in sorted(changes) if changes[at]]
        return tuple(zip(moments, accumulate(changes[at] for at in moments), strict=True))

    @property
    def most_down(self) -> int:
        return max((down for _, down in self.capacity), default=0)


@dataclass(frozen=True, slots=True)
class Story:
    """The rehearsal of a fleet: by scale set in the order of their keys; times are aware UTC.

    `outlooks` say how the queues looked on day 0, a subscription each. `counts` has what the rehearsal took:
    `polls`, `skipped` (polls that could not change anything), `layouts`. `messages` are what receivers get:
    they are made of each subscription's `log` once all are together, which has none of its own.
    """

    start: datetime
    until: datetime
    played: tuple[Played, ...]
    outlooks: tuple[Outlook, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    log: tuple[Moment | Turned, ...] = field(default=(), repr=False)
    messages: tuple[Message, ...] = ()

    @property
    def told(self) -> tuple[Told, ...]:
        """All notices in the order of their times."""
        return tuple(sorted((told for each in self.played for told in each.told), key=_when))

    @property
    def misses(self) -> tuple[Miss, ...]:
        return tuple(miss for each in self.played for miss in each.misses)

    @property
    def states(self) -> Mapping[str, int]:
        """How many runs ended, or stand, in which state."""
        return Counter(each.run.state.value for each in self.played)


def _when(told: Told) -> tuple[datetime, str, int]:
    return told.at, told.scale_set, told.notice.number


def together(stories: "tuple[Story, ...]", policy: Policy) -> Story:
    """The stories of several subscriptions as one, with the messages; raises ValueError without any."""
    if not stories:
        raise ValueError("there is no story to put together: the fleet is empty")
    counts: Counter[str] = Counter()
    for story in stories:
        counts.update(story.counts)
    until = max(story.until for story in stories)
    log = tuple(entry for story in stories for entry in story.log)
    return Story(
        min(story.start for story in stories),
        until,
        tuple(sorted((each for story in stories for each in story.played), key=lambda each: each.scale_set)),
        tuple(outlook for story in stories for outlook in story.outlooks),
        counts,
        messages=messages(log, policy, until),
    )
