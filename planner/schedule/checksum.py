"""What a person approves, as a short text."""

from collections.abc import Sequence

from planner.policy.fingerprint import hashed, planned_by
from planner.policy.model import Rules
from planner.record.batch import Batch


def plan_checksum(verdict: str, rules: Rules, batches: Sequence[Batch]) -> str:
    """What an approval belongs to: verdict, batch rules, windows and order, not times and forecasts."""
    order = [(batch.domain, [instance.id for instance in batch.instances]) for batch in batches]
    return hashed(verdict, planned_by(rules), order)
