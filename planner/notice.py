"""What a person should read about a run. Numbered inside the run, never changed, told by notify."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Urgency(StrEnum):
    """`page` wakes somebody, `act` asks for something, `know` informs."""

    PAGE = "page"
    ACT = "act"
    KNOW = "know"


class Kind(StrEnum):
    """What a notice is about. PLANNED notices of a wave are gathered into one digest per receiver."""

    PLANNED = "planned"
    REPLANNED = "replanned"
    APPROVAL = "approval"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    TROUBLE = "trouble"
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
class Notice:
    """One thing to tell.

    `sentence` says what happened and why, `otherwise` what happens if nobody answers and when, `answers`
    the actions a person may take on the run (`approve`, `hold`, `resume`, `skip`), in that order.
    """

    number: int
    at: datetime
    kind: Kind
    urgency: Urgency
    sentence: str
    down: tuple[Down, ...] = ()
    serving: str = ""
    otherwise: str = ""
    answers: tuple[str, ...] = ()
