"""A check: one named rule, how it came out, and the sentence and evidence that explain it."""

from dataclasses import dataclass
from enum import StrEnum

from planner.policy.model import CheckName


class Outcome(StrEnum):
    """How a check came out. `unknown` blocks where the check protects data or people."""

    PASS = "pass"  # noqa: S105 - a check that passes, no secret
    BLOCK = "block"
    UNKNOWN = "unknown"
    NOT_DECLARED = "not_declared"
    ACCEPTED = "accepted"


@dataclass(frozen=True, slots=True)
class Check:
    """One named rule with its outcome and a sentence; instances concerned and what was read as evidence.

    A record of another version may have a check that is none of ours.
    """

    name: CheckName | str
    outcome: Outcome
    reason: str
    instances: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
