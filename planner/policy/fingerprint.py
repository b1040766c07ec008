"""Tells whether the policy has changed since a plan was made: the file, or what holds for a scale set."""

import hashlib

from planner.policy.model import Policy, Rules


def digest(policy: Policy) -> str:
    """What of the policy file a plan depends on, as a short text; empty if the file cannot be read.

    Receivers, routes, the numbers of the limits and the stop are read at each poll, and no plan depends on
    them; which limits by match a scale set counts in is settled by the plan.
    """
    if policy.problem:
        return ""
    # The order of a set differs from process to process.
    rules = [
        (
            rule.name,
            rule.match,
            sorted(rule.values.items()),
            sorted(rule.tags_may_loosen) if rule.tags_may_loosen is not None else None,
        )
        for rule in policy.rules
    ]
    by_match = [(limit.name, limit.match) for limit in policy.limits.by_match]
    parts = [sorted(policy.defaults.items()), rules, sorted(policy.tags_may_loosen), policy.freezes]
    # Without limits by match the digest is what it was before there were any: nothing is planned again.
    return hashed(*parts, *([by_match] if by_match else []))


def rules_fingerprint(rules: Rules) -> str:
    """What a scale set was planned by, as a short text."""
    return hashed(*planned_by(rules))


def planned_by(rules: Rules) -> tuple[object, ...]:
    """The rules that a plan and its approval depend on."""
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


def hashed(*what: object) -> str:
    """A short text that is the same for the same values."""
    return hashlib.sha256(repr(what).encode()).hexdigest()[:16]
