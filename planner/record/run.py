"""A run: one scale set's passage through maintenance, with everything that explains it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain

from planner.azure.fleet import Interval, Orchestration, ScaleSet
from planner.azure.refusal import Refusal
from planner.policy.resolve import Freeze, HealthRule
from planner.policy.weekly import WindowSets
from planner.record.check import Check
from planner.record.notice import Choice, Notice
from planner.record.states import IN_FLIGHT, TO_START, BatchState, InstanceState, RunState
from planner.record.waits import HeldUp, Reminders, Stalled


class Verdict(StrEnum):
    """What `decide` answers for a scale set."""

    NOT_IMPACTED = "not_impacted"
    LEAVE_TO_AZURE = "leave_to_azure"
    SELF_SERVICE = "self_service"


@dataclass(frozen=True, slots=True)
class Before:
    """What was recorded of an instance's status before its start: proof is a change against it."""

    allowed: bool
    result: str
    self_service: Interval | None
    reported_health: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look showed and a second one, at least a poll later, has to confirm; one answer is no proof.

    `what` is the claim: `status` (its maintenance status is gone), `stopped`, `protected`, `not offered`,
    `completed` (its result code changed although nobody here started it). `since` is the first look's time,
    `alone` that of the first look in which only a direct read showed it.
    """

    what: str
    since: datetime
    alone: datetime | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """One instance's way through the plan.

    `intent_at` is when its start was written, before it was sent; `answered` whether Azure's answer is on
    record; `quiet_looks` how many looks since have seen nothing of it; `operation` the address to read the
    operation at; `since` from when `recover-within` counts;
    `proof_at` when the maintenance itself was proven; `healthy_looks` how many looks in a row saw it running
    and healthy since. `window` and `code` are its self-service window and result code when it was planned;
    `window` the one it still shows where others have maintained it. `down_at` and `up_at` are when looks
    first saw it down, and serving again, while it was left to Azure. `approved`: a person has approved it as
    part of a plan. `gone` is set on a settled instance whose return would need a new plan: its status was
    seen gone, or what excused it can pass. `begun`: Azure took a start of it, whatever became of it.
    `sighting` is what the last look showed and has to be confirmed. `asks`: it may be started again only when
    a person approves, because nothing explains why Azure offers maintenance that is done.

    `retries` counts how often Azure has put it off, `retry_at` is the time before which it is not started
    again: no look and no plan takes it away, only the next intent. `refusal` is what Azure's refusal of the
    last start means and `refused` its code and words.
    """

    id: str
    zone: str = ""
    state: InstanceState = InstanceState.PENDING
    reason: str = ""
    before: Before | None = None
    intent_at: datetime | None = None
    attempts: int = 0
    retries: int = 0
    retry_at: datetime | None = None
    refusal: Refusal | None = None
    refused: str = ""
    answered: bool = False
    operation: str = ""
    seen_down: bool = False
    quiet_looks: int = 0
    proof_at: datetime | None = None
    proof: str = ""
    healthy_looks: int = 0
    since: datetime | None = None
    finished_at: datetime | None = None
    window: Interval | None = None
    code: str = ""
    down_at: datetime | None = None
    up_at: datetime | None = None
    approved: bool = False
    gone: bool = False
    begun: bool = False
    sighting: Sighting | None = None
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances that go down together; `not_before` is the earliest time the schedule gives it.

    `held_until` keeps a batch back beyond the schedule: a lead time of its own. `retry`: Azure has put it
    off, and it is tried again by itself.
    """

    number: int
    domain: str
    instances: tuple[Passage, ...]
    state: BatchState = BatchState.PENDING
    not_before: datetime | None = None
    held_until: datetime | None = None
    retry: bool = False
    started_at: datetime | None = None
    verified_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def waits_until(self) -> datetime | None:
        """Before when nothing of it is started: a lead time of its own, the back-off of its instances.

        Of a batch under way each instance waits by itself.
        """
        if self.state is not BatchState.PENDING:
            return self.held_until
        waits = [one.retry_at for one in self.instances if one.state in TO_START]
        return max((one for one in (self.held_until, *waits) if one is not None), default=None)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a run's history; times aware UTC, the actor is `breakwater`, `azure` or a person.

    `id` is the word's that the line records, empty for everything else: each accepted word has one line.
    """

    at: datetime
    actor: str
    event: str
    reason: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Azure or storage could not be reached: since when, how often, the last words, whether told."""

    since: datetime
    count: int
    error: str
    told: bool = False


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

    `since` is when that began, `seen_suspended` whether a look has seen it, `resuming_since` from when on
    they are being resumed, `asked_at` when Azure was last asked, `tries` how often it was asked to resume,
    `error` what it said against the last call and `denied` whether that is final: our role lacks the right.
    """

    since: datetime
    seen_suspended: bool = False
    resuming_since: datetime | None = None
    asked_at: datetime | None = None
    tries: int = 0
    error: str = ""
    denied: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """The record of a run; replaced whole at each write.

    Times: `due` is when it should be looked at next, `deadline` the earlier of the self-service end less a
    margin and `complete-by`, `slack` what is left between the forecast end and the deadline, `start_by` the
    latest first start that meets it, `lead_over` when the lead time has passed, `others_until` when the scale
    sets it waits for are expected to be over, `expected` how long a batch takes from start to verification.

    Policy: `rules` is the fingerprint it was planned by, `policy` the digest of the file, `lead` what
    `lead_over` was made with (None in records that don't say), `raised` what a person has raised for this
    run (key to value as written), `windows` and `freezes` what the times were made with.

    People: `holding` is why a person holds it, `beneath` what it is paused for apart from that, `waived` the
    predecessors a person has let pass, `events` the ids of their words applied, `replan` why a new plan is
    asked for, `misfit` why the plan does not fit and the run waits for a person before its first start,
    `choices` what would make it fit.

    Notices: `numbered` is the last number of the run before it, so that in one wave none is told by a number
    that stands for another.

    `finished` are instances that earlier runs finished and whose status lingers: not to be started again.
    `refusals` are the causes of Azure's refusals that were told.
    `trouble` is set while Azure cannot be read, `unplanned` while it cannot be read for a new plan, `unsent`
    while no start can be sent in time, `in_vain` counts the plans in a row that changed nothing because what
    was started has to be watched first.

    What Azure does not show: `missing` are instances that listings leave out, since the look that first did,
    `not_found` those of them that direct reads answer 404 for, since the first of these in a row;
    `absent_since` when the scale set itself was first not there; `unread` is set while something of it cannot
    be read. All of them last until Azure shows it again or a second look and a direct read agree.

    `members` are all instances that looks have seen of the scale set and that are not certainly gone,
    `reporting` those of them whose application has reported health.

    Capacity: `served` are the instances that served when the plan was made and that nobody is known to have
    stopped since: each that does not serve counts against `max-unavailable`. `left_down` are those among them
    that an earlier run's maintenance has left not serving, or that were ill later. `stops` says
    who stopped what, by the activity log. `log_read_at` is when that was last asked.

    `recheck` is when an ended run is looked at again while a wave of its is open. `reading` is how long the
    last look at Azure took, nothing for the usual few seconds.

    `reports`: its instances report application health. `serving` and `capacity` say what each batch takes
    away of what serves; `again` why instances are
    scheduled for the second time; `repairs` is set while automatic repairs are suspended by this run.

    Standing still: `stalled` is set from the first look that could have started something by its times and
    did not, until something starts; it is told after `stalled_after`. `reminders` is what was told of a run
    that stands still, `holds_up` who waits for a limit while it is paused, `lets_pass` whether a person has
    let them pass: then it counts against no limit until it starts something again.
    """

    target: Target
    waves: tuple[str, ...]
    state: RunState
    reason: str
    verdict: Verdict
    due: datetime
    planned_at: datetime
    generation: int = 0
    mode: str = "auto"
    receiver: str = ""
    checks: tuple[Check, ...] = ()
    batches: tuple[Batch, ...] = ()
    after: tuple[str, ...] = ()
    soak: timedelta = timedelta(minutes=30)
    recover_within: timedelta = timedelta(minutes=60)
    health: HealthRule = HealthRule.IF_REPORTED
    rules: str = ""
    policy: str = ""
    lead: timedelta | None = None
    raised: Mapping[str, str] = field(default_factory=dict)
    windows: WindowSets = ()
    freezes: tuple[Freeze, ...] = ()
    expected: timedelta = timedelta(minutes=10)
    self_service: Interval | None = None
    scheduled: Interval | None = None
    lead_over: datetime | None = None
    deadline: datetime | None = None
    forecast_end: datetime | None = None
    slack: timedelta | None = None
    start_by: datetime | None = None
    others_until: datetime | None = None
    finished: tuple[Passage, ...] = ()
    reports: bool = False
    serving: int = 0
    capacity: str = ""
    again: str = ""
    replan: str = ""
    in_vain: int = 0
    misfit: str = ""
    choices: tuple[Choice, ...] = ()
    repairs: Repairs | None = None
    checksum: str = ""
    approved: str = ""
    holding: str = ""
    beneath: str = ""
    waived: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    numbered: int = 0
    notices: tuple[Notice, ...] = ()
    history: tuple[Entry, ...] = ()
    trouble: Trouble | None = None
    unsent: Trouble | None = None
    unread: Trouble | None = None
    missing: Mapping[str, datetime] = field(default_factory=dict)
    not_found: Mapping[str, datetime] = field(default_factory=dict)
    absent_since: datetime | None = None
    served: tuple[str, ...] = ()
    left_down: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    reporting: tuple[str, ...] = ()
    stops: Mapping[str, str] = field(default_factory=dict)
    log_read_at: datetime | None = None
    recheck: datetime | None = None
    refusals: tuple[str, ...] = ()
    unplanned: Trouble | None = None
    looks: int = 0
    ended_at: datetime | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    stalled_after: timedelta = timedelta(hours=4)
    stalled: Stalled | None = None
    reminders: Reminders | None = None
    holds_up: HeldUp | None = None
    lets_pass: bool = False
    reading: timedelta = timedelta(0)
    v: int = 1

    @property
    def passages(self) -> tuple[Passage, ...]:
        return tuple(chain.from_iterable(batch.instances for batch in self.batches))

    @property
    def held(self) -> str:
        """Why it is held, and what it is paused for apart from that; empty when nobody holds it."""
        if not self.holding or not self.beneath:
            return self.holding
        return f"{self.holding.rstrip('.')}. Apart from the hold: {self.beneath}"

    @property
    def last_notice(self) -> int:
        return self.notices[-1].number if self.notices else self.numbered

    @property
    def claims(self) -> bool:
        """Whether it counts against the limits: it has begun, and nobody has let the others pass."""
        return any(batch.started_at is not None for batch in self.batches) and not self.lets_pass

    @property
    def waits(self) -> Stalled | None:
        """What keeps it back although it may start by its times, by the last look that met it."""
        held = self.stalled
        going = self.state in {RunState.SCHEDULED, RunState.RUNNING}
        return held if going and held is not None and (held.active or held.passed or held.told) else None

    @property
    def flying(self) -> bool:
        """Whether an instance is on its way between its start and its verification."""
        return any(one.state in IN_FLIGHT for one in self.passages)

    @property
    def needs_person(self) -> bool:
        return self.state in {RunState.PAUSED, RunState.AWAITING_APPROVAL}
