"""What Azure answers to what the customer asks of a fleet."""

from dataclasses import dataclass
from typing import Literal

from simulator.fleet.model import Operation


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller is told; `dropped` means the connection broke after the work had begun."""

    status: Literal[200, 202, 403, 409]
    code: str = ""
    message: str = ""
    operation: Operation | None = None
    dropped: bool = False


def conflict() -> Answer:
    return Answer(
        409,
        "Conflict",
        "The request failed due to conflict with a concurrent request. To resolve it, please refer "
        "to https://aka.ms/activitylog to get more details on the conflicting requests.",
    )
