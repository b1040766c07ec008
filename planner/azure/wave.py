"""Waves and their announcements: which one counts, and whether a wave is still open."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from planner.azure.fleet import ScaleSet
from planner.azure.usage import LOOK_BACK, NOT_READ_YET, Evidence, Habits, Source


class Stage(StrEnum):
    """The stages of a planned maintenance (Service Health event properties; Azure's spelling)."""

    ACTIVE = "Active"
    PLANNED = "Planned"
    IN_PROGRESS = "InProgress"
    CANCELED = "Canceled"
    RESCHEDULED = "Rescheduled"
    RESOLVED = "Resolved"
    COMPLETE = "Complete"


OVER = frozenset({Stage.CANCELED, Stage.COMPLETE, Stage.RESOLVED})


@dataclass(frozen=True, slots=True)
class Announcement:
    """One alert about a wave. `alert` names the stored body it was read from.

    `regions` are normalised (lower case, no spaces); none means every region. Times are aware UTC.
    """

    tracking_id: str
    subscription: str
    communication_id: str
    stage: Stage
    alert: str
    event_time: datetime
    submitted_at: datetime
    received_at: datetime
    title: str = ""
    text: str = ""
    level: str = "Informational"
    services: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    impact_start: datetime | None = None
    impact_end: datetime | None = None
    found_by_search: bool = False

    @property
    def emergency(self) -> bool:
        """Level Warning means emergency maintenance (Service Health notification properties)."""
        return self.level.lower() in {"warning", "error", "critical"}

    @property
    def order(self) -> tuple[datetime, datetime, datetime]:
        return (self.event_time, self.submitted_at, self.received_at)

    def covers(self, location: str) -> bool:
        return not self.regions or normal_region(location) in self.regions


def normal_region(name: str) -> str:
    """`East US 2` and `eastus2` are one region."""
    return "".join(name.split()).lower()


@dataclass(frozen=True, slots=True)
class Member:
    """A scale set of the roster, with what an order between scale sets needs."""

    scale_set: ScaleSet
    tier: str = ""
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Wave:
    """One wave in one subscription. `announcements` are in order, the last one counts.

    `discovered` names the alerts whose discovery is complete: roster written and every message sent.
    `evidence` is what the extra look-ups showed, None before they were made; `unlooked` are the members that
    joined after them. `to_plan` are the members whose plan the evidence changes, until a plan is asked for.
    `unlisted` are the members that the last listing did not have. All three are keys of scale sets.
    `list_again` is when its scale sets are listed next; None means now.
    """

    tracking_id: str
    subscription: str
    announcements: tuple[Announcement, ...] = ()
    roster: tuple[Member, ...] = ()
    discovered: tuple[str, ...] = ()
    generation: int = 0
    v: int = 1
    evidence: Evidence | None = None
    unlooked: tuple[str, ...] = ()
    to_plan: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    list_again: datetime | None = None

    @property
    def current(self) -> Announcement:
        """The announcement that counts; raises IndexError before the first one."""
        return self.announcements[-1]

    @property
    def stage(self) -> Stage:
        return self.current.stage

    @property
    def open(self) -> bool:
        return self.stage not in OVER

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the roster's scale sets."""
        return tuple(member.scale_set.key for member in self.roster)

    @property
    def wants_look_ups(self) -> bool:
        """Whether look-ups are still to be made, or a member is still to be planned by what they showed."""
        return self.open and bool(self.roster) and bool(not self.evidence or self.unlooked or self.to_plan)

    def knows(self, alert: str) -> bool:
        """Whether an alert is on record here, its discovery complete or not."""
        return alert in self.discovered or alert in {each.alert for each in self.announcements}

    def member(self, key: str) -> Member | None:
        wanted = key.lower()
        return next((member for member in self.roster if member.scale_set.key == wanted), None)

    def looked_up(self, key: str) -> bool:
        """Whether the extra look-ups covered this scale set."""
        return self.evidence is not None and key not in self.unlooked

    def awaits(self, key: str) -> bool:
        """Whether a member's look-ups are still being made; once a wave is over, none are."""
        return self.open and not self.looked_up(key) and self.member(key) is not None

    def informed(self, scale_set: ScaleSet) -> ScaleSet:
        """The scale set with what this wave's look-ups showed of it."""
        if self.evidence is None or not self.looked_up(scale_set.key):
            return scale_set
        return replace(scale_set, habits=self.evidence.of(scale_set.key), unread=dict(self.evidence.unread))


def cancelled(waves: Sequence[Wave]) -> bool:
    """A cancelled wave stops a run only if no other open wave covers the set."""
    return not any(wave.open for wave in waves) and any(wave.stage is Stage.CANCELED for wave in waves)


def with_evidence(wave: Wave, evidence: Evidence, polled: Collection[str]) -> Wave:
    """The wave with what look-ups showed of the members `polled` (keys), and whose plans that changes.

    Nothing found changes no plan: it was made as if nothing were to be found.
    """

    def known(key: str) -> tuple[Habits, Mapping[Source, str]]:
        if wave.evidence is None or not wave.looked_up(key):
            return Habits(), {}
        return wave.evidence.of(key), wave.evidence.unread

    changed = [key for key in polled if known(key) != (evidence.of(key), evidence.unread)]
    return replace(
        wave,
        evidence=evidence,
        unlooked=tuple(key for key in wave.keys if key not in set(polled)),
        to_plan=tuple(dict.fromkeys((*wave.to_plan, *changed))),
    )


def informed(scale_set: ScaleSet, waves: Sequence[Wave]) -> ScaleSet:
    """The scale set with what the newest look-ups of its waves showed of it.

    While they are still being made, every source counts as unread: not read yet is not "no".
    """
    looked = [
        (wave.evidence.at, place, wave)
        for place, wave in enumerate(waves)
        if wave.evidence is not None and wave.looked_up(scale_set.key)
    ]
    if looked:
        return max(looked)[2].informed(scale_set)
    if awaited(scale_set.key, waves):
        return replace(scale_set, habits=None, unread=dict.fromkeys(Source, NOT_READ_YET))
    return scale_set


def awaited(key: str, waves: Sequence[Wave]) -> str:
    """What has to be read before anything of this scale set may start; empty when nothing has."""
    if any(wave.looked_up(key) for wave in waves) or not any(wave.awaits(key) for wave in waves):
        return ""
    return f"what Azure shows of its last {LOOK_BACK.days} days, which is still being read"


def with_announcement(wave: Wave, new: Announcement) -> Wave:
    """The wave with `new` in its place; the latest counts.

    Order is event time, submission, arrival; the same communication twice changes nothing, an older one
    is kept and changes nothing.
    """
    if any(
        old.alert == new.alert or old.communication_id == new.communication_id != ""
        for old in wave.announcements
    ):
        return wave
    return replace(wave, announcements=tuple(sorted((*wave.announcements, new), key=attrgetter("order"))))
