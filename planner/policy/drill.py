"""The policy of a drill: the team's own receivers and routes, and times that fit into an hour."""

from collections.abc import Mapping
from dataclasses import replace

from planner.azure.drill import is_drill, is_drill_wave
from planner.policy.model import Policy
from planner.policy.pace import AT_ONCE

TIMES: Mapping[str, str] = {
    "self-service": "always",
    "lead": "2m",
    "soak": "1m",
    "recover-within": "3m",
    "health": "required",
}
"""In place of what the file says, for every scale set of a drill."""

KEPT = frozenset({"owner"})
"""What of the file's rules holds in a drill, too: who is told is what a drill is for."""


def for_subscription(policy: Policy, subscription: str) -> Policy:
    """The policy as it holds for the scale sets of a subscription: the file's, but for a drill."""
    if not is_drill(subscription):
        return policy
    return replace(
        policy,
        defaults={**_kept(policy.defaults), **TIMES},
        rules=tuple(
            replace(rule, values=_kept(rule.values), tags_may_loosen=frozenset()) for rule in policy.rules
        ),
        tags_may_loosen=frozenset(),
        freezes=(),
    )


def for_wave(policy: Policy, tracking_id: str) -> Policy:
    """The policy by which a wave is told: in a drill nobody waits for the hour of the digest."""
    if not is_drill_wave(tracking_id):
        return policy
    receivers = tuple(replace(each, know=AT_ONCE, act=AT_ONCE) for each in policy.receivers)
    return replace(policy, receivers=receivers)


def _kept(values: Mapping[str, str]) -> dict[str, str]:
    return {key: text for key, text in values.items() if key in KEPT}
