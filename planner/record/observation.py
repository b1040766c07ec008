"""What a poll brings to `advance`: the scale set as Azure and the records show it at one moment."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from planner.azure.fleet import Instance, RepairsState, ScaleSet
from planner.policy.model import Rules
from planner.record.copying import replace
from planner.record.states import RunState
from planner.record.waits import HeldUp, Turn

ASKS = frozenset({RunState.MISSED, RunState.CANCELLED, RunState.LEFT_TO_AZURE})
"""Ends of a predecessor after which only a person lets the next one go."""


class OperationStatus(StrEnum):
    """How an operation stands, in Azure's spelling; `Unknown` is ours. Any other status is a text."""

    IN_PROGRESS = "InProgress"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELED = "Canceled"
    UNKNOWN = "Unknown"


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """An operation as Azure shows it."""

    status: OperationStatus | str
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
class Observation:
    """One poll of a run's scale set, begun at `at` (UTC).

    From Azure. `instances` is None when they were not read: then nothing starts. `scale_set` and `rules` are
    read afresh before a batch, else None. `direct` are the instances read one by one, `absent` those of them
    that Azure answered 404 for, `alone` those whose direct read disagrees with their listing. `deleted`: both
    the listing and a direct read answered that the scale set is not there. `operations` by instance id.
    `stops` says who stopped which instances since the plan was made (None: the activity log was not asked, or
    could not be read). `repairs` is the state of the automatic repairs in Azure's word, lower case, empty
    when not asked for. `trouble` is why Azure could not be read, `wait` how long it asks to be left alone
    (429).

    From the records. `open`: a wave of the run is open; `cancelled`: no open wave covers the scale set any
    more. `stopped` is why nothing new may start anywhere, `policy` the digest of the policy file. `limit` is
    why the limits forbid a start now, `turn` its place in the queue. `durations` is how long batches of the
    wave's other runs took. `held_up` is who waits for a limit while this run holds a claim (None: not read).
    `awaits` is what has to be read before anything starts.
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
    turn: Turn = field(default_factory=Turn)
    durations: tuple[timedelta, ...] = ()
    repairs: RepairsState | str = ""
    trouble: str = ""
    wait: timedelta | None = None
    held_up: HeldUp | None = None
    awaits: str = ""
    poll_interval: timedelta = timedelta(seconds=60)
    in_doubt: timedelta = timedelta(minutes=30)


def with_direct_reads(
    observation: Observation, found: Mapping[str, Instance], absent: Iterable[str]
) -> Observation:
    """The poll with what reading instances one by one shows in place of what was listed, by instance id."""
    absent = frozenset(absent)
    if not found and not absent:
        return observation
    before = {instance.id: instance for instance in observation.instances or ()}
    alone = {key for key, one in found.items() if key not in before or not _alike(before[key], one)}
    listed = {key: one for key, one in before.items() if key not in absent}
    return replace(
        observation,
        instances=tuple((listed | dict(found)).values()),
        direct=observation.direct | frozenset(found) | absent,
        absent=observation.absent | absent,
        alone=observation.alone | alone,
    )


def _alike(listed: Instance, read: Instance) -> bool:
    """Whether both show no maintenance status, or neither does."""
    return (listed.maintenance is None) == (read.maintenance is None)
