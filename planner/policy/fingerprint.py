"""Tells whether the policy file has changed since a plan was made."""

import hashlib

from planner.policy.model import Policy, Rule


def digest(policy: Policy) -> str:
    """What a plan goes by, as a short text that is the same for the same file; empty if it cannot be read.

    Receivers, routes, limits and the stop are read at each poll, and no plan goes by them.
    """
    if policy.problem:
        return ""
    found = (
        sorted(policy.defaults.items()),
        [_rule(rule) for rule in policy.rules],
        sorted(policy.tags_may_loosen),
        policy.freezes,
    )
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]


def _rule(rule: Rule) -> tuple[object, ...]:
    # A set has no order of its own, and another one in each process.
    may = sorted(rule.tags_may_loosen) if rule.tags_may_loosen is not None else None
    return (rule.name, rule.match, sorted(rule.values.items()), may)
