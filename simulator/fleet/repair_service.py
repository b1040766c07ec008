"""A scale set's automatic repairs: the state Azure keeps of them, and the durations it writes."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from simulator.fleet.model import Instance, Operation

RepairsState = Literal["", "NotRunning", "Running", "Suspended"]
DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?")


@dataclass(slots=True, eq=False, kw_only=True)
class RepairService:
    """What automatic repairs are up to, and how Azure takes it when they are to change.

    suspended      what the instance view says
    change         a change asked for by the customer that is not done yet
    coming_up      replacements that do not run yet
    refused        every change is answered with this status, and nothing happens; 0 is never
    lost_answers   so many changes begin their work and then drop the connection
    """

    suspended: bool = False
    change: "Operation | None" = None
    coming_up: "set[Instance]" = field(default_factory=set)
    refused: Literal[0, 403, 409] = 0
    lost_answers: int = 0


def duration(text: str) -> timedelta:
    """An ISO 8601 duration of hours, minutes and seconds; ValueError for anything else."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no duration like PT30M")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds)
