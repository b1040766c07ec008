"""What a record keeps of standing still: for what it waits, how long, what was told, whom it holds up."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from planner.record.cause import Cause

NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Waited:
    """One cause since the last start, met first at `since`; `spent` in which it alone was in the way."""

    cause: Cause
    since: datetime
    spent: timedelta = NOTHING
    told: bool = False


@dataclass(frozen=True, slots=True)
class Stalled:
    """A run that may start by its times and does not.

    `cause` and `what` are of the last poll that met one, at `seen` (UTC). `active`: the latest poll met it,
    too; false while times, a stop or a missing approval stand before it. `passed`: an opening has closed
    meanwhile. `waited` has every cause since the last start, in the order in which they were met.
    """

    cause: Cause
    what: str
    seen: datetime
    active: bool = True
    passed: bool = False
    waited: tuple[Waited, ...] = field(default_factory=tuple)

    @property
    def since(self) -> datetime:
        """Since when nothing could start, whatever the cause was then."""
        return min((waited.since for waited in self.waited), default=self.seen)

    @property
    def spent(self) -> timedelta:
        """How long it could have started by its times."""
        return sum((waited.spent for waited in self.waited), NOTHING)

    @property
    def told(self) -> bool:
        return any(waited.told for waited in self.waited)

    def of(self, cause: Cause) -> Waited | None:
        return next((waited for waited in self.waited if waited.cause is cause), None)


@dataclass(frozen=True, slots=True)
class Reminders:
    """What was told, or counts as told, of a run that stands still before its latest start `by`.

    `number` is the last notice that asked for something, `half` when half of the slack is gone that there was
    then, `mark` the last of the hours before `by` that has passed (None: the first is still to come). `by_at`
    is when `by` was worked out.
    """

    number: int
    half: datetime | None
    mark: int | None
    by: datetime | None
    by_at: datetime


@dataclass(frozen=True, slots=True)
class Alarm:
    """What pages by the notice `number`, since when (aware UTC): what is down by our doing, or a deadline.

    `deadline` is the one that passes unless somebody chooses soon; then nothing is down.
    `instances` are those that are down now, `back` those that have served on two polls since, `seen_up` those
    on the last one alone. `taken_by` is who has acknowledged it, and when: then it pages nobody any more,
    until something else does.
    """

    number: int
    instances: tuple[str, ...]
    since: datetime
    back: tuple[str, ...] = ()
    seen_up: tuple[str, ...] = ()
    taken_by: str = ""
    taken_at: datetime | None = None
    deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """When a run's turn comes in the queue of its subscription (aware UTC, None: no place gets free for it).

    `waits` is why not now, empty when the turn has come; `passes` names those it goes ahead of then, and why.
    """

    start: datetime | None = None
    waits: str = ""
    passes: str = ""


@dataclass(frozen=True, slots=True)
class HeldUp:
    """Scale sets of the subscription that wait for a limit: how many, of which regions.

    `until` is when the first of them has to start to be done in time, as far as they say so.
    """

    sets: int = 0
    regions: tuple[str, ...] = ()
    until: datetime | None = None
