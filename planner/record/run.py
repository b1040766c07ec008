"""A run: one scale set's way through maintenance, with everything that explains it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from planner.azure.fleet import Interval, Orchestration, ScaleSet
from planner.policy.model import Freeze, HealthRule, Mode
from planner.policy.weekly import WindowSets
from planner.record.batch import Batch
from planner.record.check import Check
from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.notice import Choice, Notice
from planner.record.shown import Shown
from planner.record.states import ACTIVE, ENDED, InstanceState, RunState
from planner.record.waits import Alarm, HeldUp, Reminders, Stalled
from planner.text.backoff import TOLD_AFTER
from planner.words import commands, history


class Verdict(StrEnum):
    """What `decide` answers for a scale set."""

    NOT_IMPACTED = "not_impacted"
    LEAVE_TO_AZURE = "leave_to_azure"
    SELF_SERVICE = "self_service"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a run's history; times aware UTC, the actor is `breakwater`, `azure` or a person.

    `id` is that of the command it records, else empty: each accepted command has one line. `instances` are
    those it is about, none where it is about the run.
    """

    at: datetime
    actor: str
    event: str
    reason: str
    id: str = ""
    instances: tuple[str, ...] = ()

    @property
    def what(self) -> str:
        """The event with the instances it is about."""
        return history.of_instances(self.instances, self.event) if self.instances else self.event


@dataclass(frozen=True, slots=True)
class Trouble:
    """Azure or storage could not be reached: since when, how often, the last words, whether told."""

    since: datetime
    count: int
    error: str
    told: bool = False

    def to_tell(self, now: datetime) -> bool:
        """Whether it has lasted so long that people should hear of it, and nobody has."""
        return not self.told and now - self.since >= TOLD_AFTER


def again(before: Trouble | None, error: str, now: datetime) -> Trouble:
    """The trouble after one more failure."""
    before = before or Trouble(now, 0, "")
    return replace(before, count=before.count + 1, error=error)


@dataclass(frozen=True, slots=True)
class Target:
    """The scale set of a run."""

    id: str
    subscription: str
    resource_group: str
    name: str
    location: str
    orchestration: Orchestration
    capacity: int = 0

    @property
    def scale_set(self) -> ScaleSet:
        """As much of it as a listing of its instances and a start need."""
        return ScaleSet(
            self.id, self.subscription, self.resource_group, self.name, self.location, self.orchestration
        )


@dataclass(frozen=True, slots=True)
class Repairs:
    """Automatic repairs that this run suspends, from before its first call to Azure until they run again.

    `seen_suspended`: a poll saw them suspended. `resuming_since`: since when they are being resumed.
    `asked_at` is the last call, `tries` counts those to resume. `error` is Azure's answer to the last call;
    `denied`: it is final, since our role lacks the right or a lock is in the way.
    """

    since: datetime
    seen_suspended: bool = False
    resuming_since: datetime | None = None
    asked_at: datetime | None = None
    tries: int = 0
    error: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """The policy that a run was planned by.

    `fingerprint` changes when the policy does for this scale set; `policy` is the digest of the file. `lead`,
    `windows` and `freezes` are what the run's times were made with. `raised` is what a person has raised for
    this run: policy key to value as written. `counts_in` names the limits by match it counts in.
    """

    mode: Mode = Mode.AUTO
    receiver: str = ""
    tier: str = ""
    after: tuple[str, ...] = ()
    soak: timedelta = timedelta(minutes=30)
    recover_within: timedelta = timedelta(minutes=60)
    stalled_after: timedelta = timedelta(hours=4)
    health: HealthRule = HealthRule.IF_REPORTED
    fingerprint: str = ""
    policy: str = ""
    lead: timedelta | None = None
    raised: Mapping[str, str] = field(default_factory=dict)
    windows: WindowSets = ()
    freezes: tuple[Freeze, ...] = ()
    counts_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """When a run may, should and is expected to act; all aware UTC.

    `deadline` is the earlier of `complete-by` and the end of self-service less a margin; `slack` is what is
    left between the forecast end and it; `start_by` is the latest first start that meets it. `lead_over` is
    when the lead time has passed, `others_until` when the scale sets that go first are expected to be done.
    `expected` is how long a batch takes from its start to its verification.
    """

    self_service: Interval | None = None
    scheduled: Interval | None = None
    lead_over: datetime | None = None
    deadline: datetime | None = None
    expected: timedelta = timedelta(minutes=10)
    forecast_end: datetime | None = None
    slack: timedelta | None = None
    start_by: datetime | None = None
    others_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class People:
    """What people have commanded, and what they are asked.

    `checksum` is the plan's, `approved` that of the plan a person approved. `holding` is why a person holds
    the run, `beneath` what it is paused for apart from that. `waived` names the predecessors that a person no
    longer waits for; `order_waived`, `deadline_waived`: a person let the run go although its order has a
    problem, or its plan does not meet the deadline. `events` are the ids of the commands applied. `misfit` is
    why the plan does not fit, so that the run waits for a person before its first start; `choices` would make
    it fit. `lets_pass`: a person has let others go first, so the run counts against no limit until it starts
    something again.
    """

    checksum: str = ""
    approved: str = ""
    holding: str = ""
    beneath: str = ""
    waived: tuple[str, ...] = ()
    order_waived: bool = False
    deadline_waived: bool = False
    events: tuple[str, ...] = ()
    misfit: str = ""
    choices: tuple[Choice, ...] = ()
    lets_pass: bool = False

    @property
    def held(self) -> str:
        """Why it is held, and what it is paused for apart from that; empty when nobody holds it."""
        if not self.holding or not self.beneath:
            return self.holding
        return commands.held_and_more(self.holding, self.beneath)


@dataclass(frozen=True, slots=True)
class Story:
    """What has happened to a run, and what people were told.

    `numbered` is the last notice number of the run before it: numbers go on, so that none is used twice in a
    wave. `refusals` are the causes of Azure's refusals that were told. `again` is why instances are scheduled
    for the second time.
    """

    history: tuple[Entry, ...] = ()
    notices: tuple[Notice, ...] = ()
    numbered: int = 0
    refusals: tuple[str, ...] = ()
    again: str = ""

    @property
    def last_notice(self) -> int:
        return self.notices[-1].number if self.notices else self.numbered


@dataclass(frozen=True, slots=True)
class Gaps:
    """What Azure or storage does not show or take.

    `missing` are the instances that listings leave out, by id since when; `not_found` those of them that
    direct reads answer 404 for, since the first of these in a row. `absent_since` is when the scale set
    itself was first not found. These last until Azure shows them again, or a second poll with a direct read
    agrees. `unread`: something of the scale set cannot be read. `trouble`: Azure cannot be read at all.
    `unplanned`: it cannot be read for a new plan. `unsent`: no start can be sent in time.
    """

    missing: Mapping[str, datetime] = field(default_factory=dict)
    not_found: Mapping[str, datetime] = field(default_factory=dict)
    absent_since: datetime | None = None
    unread: Trouble | None = None
    trouble: Trouble | None = None
    unsent: Trouble | None = None
    unplanned: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Fleet:
    """The instances of the scale set, and which of them serve.

    `members` are all that polls have seen and that are not known to be gone, `reporting` those whose
    application has reported health; `reports`: any does. `served` are those that served when the plan was
    made and that nobody is known to have stopped since: each that does not serve counts against
    `max-unavailable`. `left_down` are those of them that an earlier run's maintenance left down, or that fell
    ill later. `stops` says who stopped what, by the activity log, last read at `log_read_at`. `serving` (a
    number) and `capacity` (a sentence) say what each batch takes away. `shown` is what the last poll or plan
    that read the instances saw of their maintenance, at `shown_at` (aware UTC).
    """

    members: tuple[str, ...] = ()
    reporting: tuple[str, ...] = ()
    reports: bool = False
    served: tuple[str, ...] = ()
    left_down: tuple[str, ...] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    log_read_at: datetime | None = None
    serving: int = 0
    capacity: str = ""
    shown: tuple[Shown, ...] = ()
    shown_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A run that stands still.

    `stalled` is set from the first poll that could have started something by its times and did not, until the
    next start; it is told after `Terms.stalled_after`. `reminders` is what was told. `holds_up` is who waits
    for a limit while the run is paused. `alarm` is what pages.
    """

    stalled: Stalled | None = None
    reminders: Reminders | None = None
    holds_up: HeldUp | None = None
    alarm: Alarm | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """The record of a run; replaced whole at each write. Times are aware UTC.

    `due` is its next poll, `recheck` that of an ended run while a wave of it is open. `replan` is why a new
    plan is asked for; `fruitless_plans` counts those in a row that changed nothing because what was started
    has to be watched first. `finished` are instances that earlier runs finished and whose status lingers: not
    to be started again. `repairs` is set while this run has automatic repairs suspended. `reading` is how
    long the last poll of Azure took, zero for the usual few seconds. `planned_for` has the generation of each
    wave's record that the last plan went by: what was announced until then is in it.
    """

    target: Target
    waves: tuple[str, ...]
    state: RunState
    reason: str
    verdict: Verdict
    due: datetime
    planned_at: datetime
    generation: int = 0
    checks: tuple[Check, ...] = ()
    batches: tuple[Batch, ...] = ()
    finished: tuple[InstanceProgress, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    terms: Terms = field(default_factory=Terms)
    times: Times = field(default_factory=Times)
    people: People = field(default_factory=People)
    story: Story = field(default_factory=Story)
    gaps: Gaps = field(default_factory=Gaps)
    fleet: Fleet = field(default_factory=Fleet)
    standing: Standing = field(default_factory=Standing)
    repairs: Repairs | None = None
    replan: str = ""
    fruitless_plans: int = 0
    polls: int = 0
    reading: timedelta = timedelta(0)
    planned_for: Mapping[str, int] = field(default_factory=dict)
    recheck: datetime | None = None
    ended_at: datetime | None = None
    v: int = 1

    @property
    def instances(self) -> tuple[InstanceProgress, ...]:
        return tuple(chain.from_iterable(batch.instances for batch in self.batches))

    @property
    def alive(self) -> bool:
        """Whether another plan joins it; once it has ended, a plan begins a new run."""
        return self.state not in ENDED and self.ended_at is None

    @property
    def claims(self) -> bool:
        """Whether it counts against the limits: it has begun, and nobody has let the others pass."""
        return self.begun and not self.people.lets_pass

    @property
    def waits(self) -> Stalled | None:
        """What keeps it back although it may start by its times, by the last poll that met it."""
        held = self.standing.stalled
        going = self.state in {RunState.SCHEDULED, RunState.RUNNING}
        return held if going and held is not None and (held.active or held.passed or held.told) else None

    @property
    def failed_by_us(self) -> tuple[InstanceProgress, ...]:
        """The instances of a paused run that we have started and that have failed."""
        if self.state is not RunState.PAUSED:
            return ()
        return tuple(each for each in self.instances if each.state is InstanceState.FAILED and each.begun)

    @property
    def ringing(self) -> Alarm | None:
        """What pages until somebody acknowledges it; None once it is over or somebody has."""
        alarm = self.alarmed
        return alarm if alarm is not None and not alarm.taken_by else None

    @property
    def alarmed(self) -> Alarm | None:
        """What is down by our doing and not back, or short of time, acknowledged or not."""
        alarm = self.standing.alarm
        if alarm is not None and alarm.deadline is not None:
            return alarm if self.state in ACTIVE and alarm.deadline == self.times.deadline else None
        down = alarm is not None and any(each.id in alarm.instances for each in self.failed_by_us)
        return alarm if down else None

    @property
    def waiting(self) -> bool:
        """Whether something of it is still to be started."""
        return any(batch.waiting for batch in self.batches)

    @property
    def in_flight(self) -> bool:
        """Whether an instance is between its start and its verification."""
        return any(batch.in_flight for batch in self.batches)

    @property
    def settled(self) -> bool:
        """Whether every instance is over."""
        return all(batch.settled for batch in self.batches)

    @property
    def begun(self) -> bool:
        """Whether something of it was ever started, by us or by Azure."""
        return any(batch.started_at is not None for batch in self.batches)

    @property
    def needs_person(self) -> bool:
        return self.state in {RunState.PAUSED, RunState.AWAITING_APPROVAL}
