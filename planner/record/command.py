"""What a person, or bury, asks of a run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class CommandKind(StrEnum):
    """What a person, or bury, may say to a run."""

    APPROVE = "approve"
    HOLD = "hold"
    RESUME = "resume"
    SKIP = "skip"
    RAISE = "raise"
    LET_PASS = "let-pass"  # noqa: S105, a command for people
    ACKNOWLEDGE = "acknowledge"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Command:
    """A person's command, applied once by its id.

    `instances` and `domains` are for skip (neither: all that is left), `raised` for raise: what to change for
    this run, policy key to value as written. `notice` is for acknowledge: the one that pages (zero: whichever
    does).
    """

    id: str
    kind: CommandKind
    actor: str
    comment: str
    at: datetime
    checksum: str = ""
    instances: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    raised: Mapping[str, str] = field(default_factory=dict)
    notice: int = 0
