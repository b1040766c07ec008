"""What a look brings to `advance`, and what `advance` asks for in return. All of them are values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from planner.azure.fleet import Instance, ScaleSet
from planner.policy.resolve import Rules
from planner.record.notice import Notice
from planner.record.states import RunState
from planner.record.waits import HeldUp

ORDER = "the order itself"
"""What is waived when a person lets a run go ahead although its order has a problem."""

FIT = "the deadline"
"""What is waived when a person lets a run go ahead although its plan does not meet the deadline."""

ASKS = frozenset({RunState.MISSED, RunState.CANCELLED, RunState.LEFT_TO_AZURE})
"""Ends of a predecessor after which only a person lets the next one go (design: Predecessors)."""


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """An operation as Azure shows it: `InProgress`, `Succeeded`, `Failed`, `Canceled` or `Unknown`."""

    status: str
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Predecessor:
    """A scale set that goes first.

    `state` is where its run stands (None: not planned yet), `ends` when that is expected to end.
    """

    name: str
    state: RunState | None
    ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a run's scale set, begun at `at` (UTC).

    `instances` is None when Azure was not read: nothing can be started then. `scale_set` and `rules` are
    read afresh before a batch and None otherwise. `direct` are the instances this look read one by one,
    `absent` those of them that Azure answered 404 for, `alone` those whose listing did not show what their
    direct read shows of their maintenance, or nothing that could be read; `deleted`: the listing and a direct
    read of the scale set both say that it is not there. `stops` says who stopped which instances since the
    plan was made (None: the activity log was not asked, or could not be read). `open`: a wave of the run is
    open. `cancelled` says that no open wave covers the set any more, `stopped` why nothing new may start
    anywhere, `policy` is the digest of the policy file, `limit` why the limits in flight forbid a start now
    and `limit_until` when the first of those in flight is expected to be over, `durations` how long batches
    of the wave's other runs took, `repairs` the state of the automatic repairs in Azure's word (lower case,
    empty when not asked for), `trouble` why Azure could not be read, `wait` how long Azure asks to be left
    alone (429), and `awaits` what is to be read before anything starts.
    `held_up` is who waits for a limit while this run holds a claim; None when nobody looked.
    """

    at: datetime
    instances: tuple[Instance, ...] | None = None
    deleted: bool = False
    direct: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    alone: frozenset[str] = frozenset()
    stops: Mapping[str, str] | None = None
    open: bool = True
    operations: Mapping[str, OperationSeen] = field(default_factory=dict)
    scale_set: ScaleSet | None = None
    rules: Rules | None = None
    cancelled: bool = False
    stopped: str = ""
    policy: str = ""
    predecessors: tuple[Predecessor, ...] = ()
    order_problem: str = ""
    limit: str = ""
    limit_until: datetime | None = None
    durations: tuple[timedelta, ...] = ()
    repairs: str = ""
    trouble: str = ""
    wait: timedelta | None = None
    held_up: HeldUp | None = None
    awaits: str = ""
    look_again: timedelta = timedelta(seconds=60)
    in_doubt: timedelta = timedelta(minutes=30)


def with_direct_reads(look: Look, found: Mapping[str, Instance], absent: Iterable[str]) -> Look:
    """The look with what reading instances one by one shows in place of what was listed, by instance id."""
    absent = frozenset(absent)
    if not found and not absent:
        return look
    before = {one.id: one for one in look.instances or ()}
    alone = {key for key, one in found.items() if key not in before or not _alike(before[key], one)}
    listed = {key: one for key, one in before.items() if key not in absent}
    return replace(
        look,
        instances=tuple((listed | dict(found)).values()),
        direct=look.direct | frozenset(found) | absent,
        absent=look.absent | absent,
        alone=look.alone | alone,
    )


def _alike(listed: Instance, read: Instance) -> bool:
    """Whether both show no maintenance status, or neither does."""
    return (listed.maintenance is None) == (read.maintenance is None)


class Word(StrEnum):
    """What a person, or bury, may say to a run."""

    APPROVE = "approve"
    HOLD = "hold"
    RESUME = "resume"
    SKIP = "skip"
    RAISE = "raise"
    LET_PASS = "let-pass"  # noqa: S105, a word for people
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Event:
    """A person's word, applied once by its id.

    `instances` and `domains` are for skip (neither: all that is left), `raised` for raise: what to change for
    this run, policy key to value as written.
    """

    id: str
    word: Word
    actor: str
    comment: str
    at: datetime
    checksum: str = ""
    instances: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """Start maintenance of one instance, sent before `before` or not at all."""

    instance: str
    before: datetime


@dataclass(frozen=True, slots=True)
class LookAgain:
    at: datetime


@dataclass(frozen=True, slots=True)
class Replan:
    reason: str


@dataclass(frozen=True, slots=True)
class SetRepairs:
    """Suspend or resume the automatic repairs of the scale set; a later look sees whether it happened."""

    suspend: bool


@dataclass(frozen=True, slots=True)
class Tell:
    notice: Notice


type Action = Start | LookAgain | Replan | SetRepairs | Tell


class Answered(StrEnum):
    """What became of a start: taken, refused, known not to have been sent, or nobody can say."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Answer:
    instance: str
    answered: Answered
    operation: str = ""
    code: str = ""
    message: str = ""
    retry_after: timedelta | None = None
    needs_person: bool = False
