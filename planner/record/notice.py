"""What a person should read about a run. Numbered inside the run, never changed, told by notify."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from planner.record.command import CommandKind


class Urgency(StrEnum):
    """`page` wakes somebody, `act` asks for something, `know` informs."""

    PAGE = "page"
    ACT = "act"
    KNOW = "know"


LOUD_FIRST = (Urgency.PAGE, Urgency.ACT, Urgency.KNOW)


class Kind(StrEnum):
    """What a notice is about. PLANNED notices of a wave are gathered into one digest per receiver."""

    PLANNED = "planned"
    REPLANNED = "replanned"
    APPROVAL = "approval"
    STARTING = "starting"
    STARTED = "started"
    PAUSED = "paused"
    ACKNOWLEDGED = "acknowledged"
    RESUMED = "resumed"
    LATE = "late"
    TROUBLE = "trouble"
    STALLED = "stalled"
    REMINDER = "reminder"
    SLACK = "slack"
    COMPLETED = "completed"
    MISSED = "missed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Down:
    """One instance that does not serve, for the reader at night."""

    instance: str
    zone: str
    domain: str
    seen: str
    error: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a person can choose about a plan that does not fit.

    `sentence` says what it is and what comes of it, with numbers; `word` is what to say to the run (`raise`,
    `skip`, `resume`) and `to` the fields that go with it, as they are sent.
    """

    name: str
    sentence: str
    word: CommandKind
    to: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell.

    `sentence` says what happened and why, `otherwise` what happens if nobody answers and when, `answers`
    the actions a person may take on the run (`approve`, `hold`, `resume`, `skip`), in that order, `choices`
    what would make a plan fit that does not, `deadline` the one that the sentence is about, where it is about
    one. `answer_by` is until when an answer helps with all that is left, or else with anything of it (aware
    UTC); None where none is asked for, or none helps.
    """

    number: int
    at: datetime
    kind: Kind
    urgency: Urgency
    sentence: str
    down: tuple[Down, ...] = ()
    serving: str = ""
    otherwise: str = ""
    answers: tuple[CommandKind, ...] = ()
    choices: tuple[Choice, ...] = ()
    deadline: datetime | None = None
    answer_by: datetime | None = None

    @property
    def emergency(self) -> bool:
        """A plan that pages because Azure calls the maintenance an emergency."""
        return self.kind is Kind.PLANNED and self.urgency is Urgency.PAGE
