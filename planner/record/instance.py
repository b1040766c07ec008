"""One instance's way through the plan of a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from planner.azure.fleet import Interval
from planner.azure.refusal import Refusal
from planner.record.states import IN_FLIGHT, SETTLED, TO_START, InstanceState
from planner.words import instances as words


@dataclass(frozen=True, slots=True)
class Before:
    """What was recorded of an instance's status before its start: proof is a change against it."""

    allowed: bool
    result: str
    self_service: Interval | None
    reported_health: bool


class Sight(StrEnum):
    """What one poll shows and another has to confirm.

    `status`: its maintenance status is gone. `completed`: its result code changed although nobody here
    started it. `ill`: it no longer serves.
    """

    STATUS = "status"
    STOPPED = "stopped"
    PROTECTED = "protected"
    NOT_OFFERED = "not offered"
    COMPLETED = "completed"
    ILL = "ill"


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one poll showed and a second one, a poll interval later, has to confirm.

    `since` is the first poll that showed it, `alone` the first in which only a direct read did (aware UTC).
    """

    what: Sight
    since: datetime
    alone: datetime | None = None


@dataclass(frozen=True, slots=True)
class InstanceProgress:
    """One instance's way through the plan; times are aware UTC.

    The start: `intent_at` is when it was written, before it was sent; `answered`: Azure's answer is on
    record; `operation` is the address to poll; `quiet_polls` counts polls since that saw no sign of it;
    `begun`: Azure took it, whatever came of it; `since` is when `recover-within` began to count.

    The proof: `proof_at` is when the maintenance was proven, `proof` by what; `healthy_polls` counts the
    polls in a row since that saw the instance running and healthy.

    The plan: `window` and `code` are its self-service window and result code when it was planned (once others
    have maintained it, the window it still shows). `approved`: a person approved it as part of a plan.
    `asks`: only a person's approval starts it again, since nothing explains why Azure offers what is done.

    Another try: `retries` counts how often Azure put it off. Before `retry_at` it is not started again; no
    poll and no plan clears that, only the next intent. `refusal` is what Azure's refusal of the last start
    means, `refused` its code and message.

    The rest: `down_at` and `up_at` are the first polls that saw it down, and serving again. `sighting` is
    what the last poll showed and another has to confirm. `gone`, on a settled instance: its status has been
    seen gone, or what skipped it can pass, so a status that is back needs a new plan.
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
    """How many instances stand where, in words: `3 rebooted, 1 skipped`."""
    return words.counted(instance.state for instance in instances)
