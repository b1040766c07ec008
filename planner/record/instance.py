"""One instance's way through the plan of a run."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from planner.azure.fleet import Interval
from planner.azure.refusal import Refusal
from planner.record.states import IN_FLIGHT, SETTLED, TO_START, InstanceState


@dataclass(frozen=True, slots=True)
class Before:
    """What was recorded of an instance's status before its start: proof is a change against it."""

    allowed: bool
    result: str
    self_service: Interval | None
    reported_health: bool


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one poll showed and a second one, at least a poll later, has to confirm; one answer is no proof.

    `what` is the claim: `status` (its maintenance status is gone), `stopped`, `protected`, `not offered`,
    `completed` (its result code changed although nobody here started it). `since` is the first poll's time,
    `alone` that of the first poll in which only a direct read showed it.
    """

    what: str
    since: datetime
    alone: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstanceProgress:
    """One instance's way through the plan.

    `intent_at` is when its start was written, before it was sent; `answered` whether Azure's answer is on
    record; `quiet_looks` how many polls since have seen nothing of it; `operation` the address to read the
    operation at; `since` from when `recover-within` counts;
    `proof_at` when the maintenance itself was proven; `healthy_looks` how many polls in a row saw it running
    and healthy since. `window` and `code` are its self-service window and result code when it was planned;
    `window` the one it still shows where others have maintained it. `down_at` and `up_at` are when polls
    first saw it down, and serving again, while it was left to Azure. `approved`: a person has approved it as
    part of a plan. `gone` is set on a settled instance whose return would need a new plan: its status was
    seen gone, or what skipped it can pass. `begun`: Azure took a start of it, whatever became of it.
    `sighting` is what the last poll showed and has to be confirmed. `asks`: it may be started again only when
    a person approves, because nothing explains why Azure offers maintenance that is done.

    `retries` counts how often Azure has put it off, `retry_at` is the time before which it is not started
    again: no poll and no plan takes it away, only the next intent. `refusal` is what Azure's refusal of the
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
    quiet_polls: int = 0
    proof_at: datetime | None = None
    proof: str = ""
    healthy_polls: int = 0
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

    @property
    def waiting(self) -> bool:
        """Still to be started, for the first time or again."""
        return self.state in TO_START

    @property
    def in_flight(self) -> bool:
        """Between its start and its verification."""
        return self.state in IN_FLIGHT

    @property
    def settled(self) -> bool:
        """Over, one way or another."""
        return self.state in SETTLED


def counted(instances: Iterable[InstanceProgress]) -> str:
    """How many instances stand where, in words: `3 maintained, 1 skipped`."""
    counts = Counter(instance.state for instance in instances)
    return ", ".join(f"{number} {state_words(state)}" for state, number in counts.items())


def state_words(state: InstanceState) -> str:
    """An instance's state as it is said to people."""
    return {InstanceState.BY_AZURE: "by Azure", InstanceState.ASIDE: "set aside"}.get(state, state.value)
