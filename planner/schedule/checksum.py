"""What a person approves, and what a plan was made by, as short digests."""

import hashlib
from collections.abc import Sequence

from planner.policy.model import Rules
from planner.record.batch import Batch


def plan_checksum(verdict: str, rules: Rules, batches: Sequence[Batch]) -> str:
    """What an approval belongs to: verdict, batch rules, windows and order, not times and forecasts."""
    order = [(batch.domain, [instance.id for instance in batch.instances]) for batch in batches]
    return hashlib.sha256(repr((verdict, _fields(rules), order)).encode()).hexdigest()[:16]


def rules_fingerprint(rules: Rules) -> str:
    """Tells whether the policy of a scale set has changed since it was planned."""
    return hashlib.sha256(repr(_fields(rules)).encode()).hexdigest()[:16]


def _fields(rules: Rules) -> tuple[object, ...]:
    return (
        rules.self_service,
        rules.mode,
        rules.windows,
        rules.complete_by,
        rules.tier,
        rules.after,
        rules.soak,
        rules.max_unavailable,
        rules.default_share,
        rules.health,
        rules.recover_within,
        rules.declared,
        rules.accept,
        tuple((freeze.start, freeze.end, freeze.reason) for freeze in rules.freezes),
        rules.problems,
    )
