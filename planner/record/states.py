"""The states of runs, batches and instances, and every change between them that is allowed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class RunState(StrEnum):
    """The states of a run."""

    SCHEDULED = "scheduled"
    AWAITING_APPROVAL = "awaiting_approval"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    LEFT_TO_AZURE = "left_to_azure"
    NOT_IMPACTED = "not_impacted"
    CANCELLED = "cancelled"
    MISSED = "missed"


ENDED = frozenset({RunState.COMPLETED, RunState.CANCELLED, RunState.MISSED})
"""A run in these states is over; only another announcement or a returning status opens it again."""

HANDS_OFF = frozenset({RunState.LEFT_TO_AZURE, RunState.NOT_IMPACTED})
"""Runs that start nothing: planned again later while a wave of theirs is open."""

ACTIVE = frozenset({RunState.SCHEDULED, RunState.AWAITING_APPROVAL, RunState.RUNNING, RunState.PAUSED})


class BatchState(StrEnum):
    PENDING = "pending"
    STARTING = "starting"
    REBOOTING = "rebooting"
    VERIFYING = "verifying"
    SOAKING = "soaking"
    DONE = "done"
    FAILED = "failed"


class InstanceState(StrEnum):
    """Where an instance of a plan stands; the last five are how it can end."""

    PENDING = "pending"
    ASIDE = "aside"
    STARTING = "starting"
    REBOOTING = "rebooting"
    VERIFYING = "verifying"
    FAILED = "failed"
    MAINTAINED = "maintained"
    BY_AZURE = "by_azure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    MISSED = "missed"


SETTLED = frozenset(
    {
        InstanceState.MAINTAINED,
        InstanceState.BY_AZURE,
        InstanceState.CANCELLED,
        InstanceState.SKIPPED,
        InstanceState.MISSED,
    }
)

TO_START = frozenset({InstanceState.PENDING, InstanceState.ASIDE})
"""Still to be started, for the first time or again."""

IN_FLIGHT = frozenset({InstanceState.STARTING, InstanceState.REBOOTING, InstanceState.VERIFYING})


@dataclass(frozen=True, slots=True)
class Change[State: StrEnum]:
    """From any of `sources` to `target`; `when` is what brings it about, for whoever reads the picture."""

    sources: frozenset[State]
    target: State
    when: str


def _change[State: StrEnum](sources: Collection[State], target: State, when: str) -> Change[State]:
    return Change(frozenset(sources), target, when)


_R, _B, _I = RunState, BatchState, InstanceState

RUN_CHANGES = (
    _change(
        HANDS_OFF | ACTIVE, _R.SCHEDULED, "the plan is to start maintenance, or a person approves or resumes"
    ),
    _change(HANDS_OFF | ACTIVE, _R.AWAITING_APPROVAL, "the plan asks for a person's approval"),
    _change(HANDS_OFF | ACTIVE, _R.RUNNING, "the first start is written, or a run that has begun goes on"),
    _change(HANDS_OFF | ACTIVE, _R.PAUSED, "trouble, a plan that does not fit, or a person's hold"),
    _change(HANDS_OFF | ACTIVE, _R.LEFT_TO_AZURE, "a plan leaves what is not started to Azure"),
    _change(HANDS_OFF, _R.NOT_IMPACTED, "a plan sees no maintenance"),
    _change(ACTIVE, _R.COMPLETED, "every instance is done"),
    _change(ACTIVE, _R.CANCELLED, "the wave no longer concerns what was left"),
    _change(ACTIVE, _R.MISSED, "the self-service window closed on an instance"),
)
"""A run that has ended stays so: what is due again gets a new run."""

UNDER_WAY = frozenset({_B.STARTING, _B.REBOOTING, _B.VERIFYING})
_NOT_SETTLED = UNDER_WAY | {_B.PENDING, _B.FAILED}

BATCH_CHANGES = (
    _change(_NOT_SETTLED, _B.STARTING, "the intent to start one of its instances is written"),
    _change(_NOT_SETTLED, _B.REBOOTING, "Azure has taken the start of one of its instances"),
    _change(_NOT_SETTLED, _B.VERIFYING, "all of them are maintained, and not all seen healthy twice"),
    _change(_NOT_SETTLED, _B.SOAKING, "all of them are settled, and the soak begins"),
    _change(_NOT_SETTLED | {_B.SOAKING}, _B.DONE, "the soak is over, or nothing of it was ours"),
    _change(frozenset(_B), _B.FAILED, "an instance has failed, or stopped serving afterwards"),
    _change(_NOT_SETTLED, _B.PENDING, "Azure has put all of them off: to be started again"),
)
"""A batch's state follows from its instances'."""

INSTANCE_CHANGES = (
    _change(TO_START, _I.STARTING, "the intent to start it is written"),
    _change({_I.STARTING, _I.FAILED}, _I.REBOOTING, "Azure took the start"),
    _change({_I.STARTING, _I.REBOOTING, _I.FAILED}, _I.VERIFYING, "its maintenance is proven"),
    _change({_I.VERIFYING}, _I.MAINTAINED, "it was running and healthy on two polls"),
    _change({_I.STARTING, _I.FAILED}, _I.PENDING, "it was not started, or a person resumes after a failure"),
    _change(IN_FLIGHT | {_I.FAILED}, _I.ASIDE, "Azure has put it off: to be started again"),
    _change(
        IN_FLIGHT | {_I.PENDING, _I.MAINTAINED},
        _I.FAILED,
        "it does not come back, or no longer serves",
    ),
    _change(TO_START | IN_FLIGHT | {_I.FAILED}, _I.BY_AZURE, "somebody else has maintained it"),
    _change(
        TO_START | IN_FLIGHT | {_I.FAILED}, _I.CANCELLED, "its status is gone, and it was not maintained"
    ),
    _change(
        TO_START | IN_FLIGHT | {_I.FAILED},
        _I.SKIPPED,
        "it is off, protected, deleted or not offered, or a person leaves it to Azure",
    ),
    _change(TO_START | {_I.FAILED}, _I.MISSED, "the self-service window has closed"),
)


class Forbidden(ValueError):
    """A change of state that no table allows: a fault of this program, never of its input."""


_CHANGES: Mapping[type[StrEnum], Collection[Change[Any]]] = {
    RunState: RUN_CHANGES,
    BatchState: BATCH_CHANGES,
    InstanceState: INSTANCE_CHANGES,
}

_ALLOWED = {
    kind: frozenset((source, change.target) for change in changes for source in change.sources)
    for kind, changes in _CHANGES.items()
}


def transition[State: StrEnum](old: State, new: State) -> State:
    """The new state; every state that changes changes here. Raises Forbidden where no table allows it."""
    if old is not new and (old, new) not in _ALLOWED[type(old)]:
        raise Forbidden(f"{type(old).__name__} may not go from {old} to {new}")
    return new
