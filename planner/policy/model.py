"""The values of the policy: what the file says as a whole, and what holds for one scale set."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase

from planner.azure.fleet import Interval, ScaleSet
from planner.azure.wave import normal_region
from planner.policy.durations import Share
from planner.policy.pace import AT_ONCE, FEW, Pace
from planner.policy.weekly import WindowSets


class SelfService(StrEnum):
    """Whether maintenance may be started by us, from tight to loose."""

    NEVER = "never"
    WHEN_NEEDED = "when-needed"
    ALWAYS = "always"


class Mode(StrEnum):
    """How far a plan is carried out without a person, from tight to loose."""

    OBSERVE = "observe"
    APPROVE = "approve"
    AUTO = "auto"


class HealthRule(StrEnum):
    """What application health must say before and after a start, from tight to loose."""

    REQUIRED = "required"
    IF_REPORTED = "if-reported"
    IGNORE = "ignore"


class CheckName(StrEnum):
    """The checks of a decision, in the order in which people read them."""

    IMPACTED = "impacted"
    OFFERED = "offered"
    NEED = "need"
    AZURE_DOMAINS = "azure-domains"
    POLICY = "policy"
    SCALE_SET_READABLE = "scale-set-readable"
    SERVICE_FABRIC = "service-fabric"
    MANAGED = "managed"
    SHORT_LIVED = "short-lived"
    LOCAL_STATE = "local-state"
    SCHEDULED_EVENTS = "scheduled-events"
    OFTEN_STOPPED = "often-stopped"
    OFTEN_RESIZED = "often-resized"
    STATUS_READABLE = "status-readable"
    PROTECTION = "protection"
    AUTOMATIC_REPAIRS = "automatic-repairs"
    ZONE_REBALANCING = "zone-rebalancing"
    ORDER = "order"
    OPERATION_IN_FLIGHT = "operation-in-flight"
    PROVISIONING_FAILED = "provisioning-failed"
    INSTANCES_READABLE = "instances-readable"
    OTHERS_HEALTHY = "others-healthy"


@dataclass(frozen=True, slots=True)
class Match:
    """Which scale sets something is about: every field that is given must match one of its globs.

    Case is ignored, and spaces in locations. `tags` maps a tag's name to globs for its value.
    """

    subscription: tuple[str, ...] = ()
    resource_group: tuple[str, ...] = ()
    name: tuple[str, ...] = ()
    location: tuple[str, ...] = ()
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, scale_set: ScaleSet) -> bool:
        tags = {name.lower(): value for name, value in scale_set.tags.items()}
        return (
            _matches(self.subscription, scale_set.subscription)
            and _matches(self.resource_group, scale_set.resource_group)
            and _matches(self.name, scale_set.name)
            and _matches(tuple(map(normal_region, self.location)), normal_region(scale_set.location))
            and all(
                name.lower() in tags and _matches(globs, tags[name.lower()])
                for name, globs in self.tags.items()
            )
        )


def _matches(globs: tuple[str, ...], value: str) -> bool:
    return not globs or any(fnmatchcase(value.lower(), glob.lower()) for glob in globs)


@dataclass(frozen=True, slots=True)
class Freeze(Interval):
    """A time in which nothing new starts in the scale sets it is about."""

    reason: str
    match: Match = Match()


@dataclass(frozen=True, slots=True)
class MatchLimit:
    """How many of the scale sets that match may be in flight at once in one subscription."""

    name: str
    match: Match
    scale_sets: int


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of one subscription may be in flight at once; all of it counts.

    `per_region` is for the scale sets of any one region (None: no limit of its own), `by_match` for those
    that match, by name.
    """

    regions: int = 1
    scale_sets: int = 5
    per_region: int | None = None
    by_match: tuple[MatchLimit, ...] = ()

    @property
    def named(self) -> Mapping[str, int]:
        """The limits by match: name to scale sets at once."""
        return {limit.name: limit.scale_sets for limit in self.by_match}


@dataclass(frozen=True, slots=True)
class Receiver:
    """Who is told, where, of what and how often. Addresses of webhooks are secrets: they are not printed.

    `least` is the urgency from which on it hears (`know`, `act`, `page`), `kinds` of what (None: of all).
    `know` and `act` are how often it is told what informs, and what asks. A page that nobody acknowledges
    comes again every `repeat_every`, and goes to `escalate_to` as well after `escalate_after`.
    """

    name: str
    teams: str = field(default="", repr=False)
    email: tuple[str, ...] = ()
    webhook: str = field(default="", repr=False)
    least: str = "know"
    kinds: frozenset[str] | None = None
    know: Pace = FEW
    act: Pace = AT_ONCE
    repeat_every: timedelta = timedelta(minutes=15)
    escalate_to: str = ""
    escalate_after: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Route:
    """Notices about the scale sets that match go to this receiver, by name."""

    match: Match
    receiver: str


@dataclass(frozen=True, slots=True)
class Rule:
    """Values for the scale sets that match, as they were written; the first rule that matches counts.

    `tags_may_loosen` are the keys a tag may loosen here; None leaves that to the defaults.
    """

    name: str
    match: Match
    values: Mapping[str, str] = field(default_factory=dict)
    tags_may_loosen: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy file. Values are kept as they were written, so that file and tags are read alike.

    `problem` says why the file as a whole could not be read: then nothing may start. `stopped_by` names
    what has stopped everything, for the sentence people read.
    """

    defaults: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    tags_may_loosen: frozenset[str] = frozenset()
    stop: bool = False
    stopped_by: str = "`stop: true` in the policy file"
    freezes: tuple[Freeze, ...] = ()
    limits: Limits = Limits()
    receivers: tuple[Receiver, ...] = ()
    routes: tuple[Route, ...] = ()
    problem: str = ""

    @property
    def why_stopped(self) -> str:
        """Why nothing new may start anywhere, by this file; empty when it may."""
        return "Everything is stopped: the policy file says `stop: true`." if self.stop else self.problem

    def receiver(self, name: str) -> Receiver | None:
        return next((receiver for receiver in self.receivers if receiver.name.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for one scale set; the defaults here are what is built in.

    `windows`: every set must be open. `max_unavailable`: the smallest share counts; while `default_share`
    is true the built-in limit counts as well: the domain (one instance in a Flexible set), at most a fifth
    of the running instances, at least one. `declared` are the counter-indications somebody declared,
    `accept` the checks whose counter-indication is accepted. `owner` names a receiver, empty without any.

    `counts_in` names the limits by match it counts in. `stop` says why everything is stopped. `problems` are
    values nobody can follow: they block. `notes` are tags that were understood and don't count: they don't
    block. `sources` says where each key comes from.
    """

    self_service: SelfService = SelfService.WHEN_NEEDED
    mode: Mode = Mode.AUTO
    lead: timedelta = timedelta(hours=24)
    windows: WindowSets = ()
    complete_by: datetime | None = None
    tier: str = ""
    after: tuple[str, ...] = ()
    soak: timedelta = timedelta(minutes=30)
    max_unavailable: tuple[Share, ...] = ()
    default_share: bool = True
    health: HealthRule = HealthRule.IF_REPORTED
    recover_within: timedelta = timedelta(minutes=60)
    stalled_after: timedelta = timedelta(hours=4)
    declared: tuple[str, ...] = ()
    accept: tuple[str, ...] = ()
    owner: str = ""
    freezes: tuple[Freeze, ...] = ()
    counts_in: tuple[str, ...] = ()
    stop: str = ""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
