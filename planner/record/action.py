"""What `advance` asks for, and what came of its starts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from planner.record.notice import Notice


@dataclass(frozen=True, slots=True)
class Start:
    """Start maintenance of one instance, sent before `before` or not at all."""

    instance: str
    before: datetime


@dataclass(frozen=True, slots=True)
class PollAgain:
    at: datetime


@dataclass(frozen=True, slots=True)
class Replan:
    reason: str


@dataclass(frozen=True, slots=True)
class SetRepairs:
    """Suspend or resume the automatic repairs of the scale set; a later poll sees whether it happened."""

    suspend: bool


@dataclass(frozen=True, slots=True)
class Notify:
    notice: Notice


type Action = Start | PollAgain | Replan | SetRepairs | Notify


class StartOutcome(StrEnum):
    """What became of a start: taken, refused, known not to have been sent, or nobody can say.

    CALLED_OFF was not sent either: the run's record forbade it by then.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CALLED_OFF = "called_off"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class StartResult:
    instance: str
    answered: StartOutcome
    operation: str = ""
    code: str = ""
    message: str = ""
    retry_after: timedelta | None = None
    needs_person: bool = False
