"""What the policy says about one scale set: tag, first matching rule, defaults, built in."""

from planner.durations import Share, parse_duration, parse_share, parse_when
from planner.fleet import ScaleSet
from planner.policy_model import (
    Freeze,
    HealthRule,
    Limits,
    Match,
    Mode,
    Policy,
    Receiver,
    Route,
    Rule,
    Rules,
    SelfService,
)

__all__ = [
    "Freeze",
    "HealthRule",
    "Limits",
    "Match",
    "Mode",
    "Policy",
    "Receiver",
    "Route",
    "Rule",
    "Rules",
    "SelfService",
    "Share",
    "parse_duration",
    "parse_share",
    "parse_when",
    "rules_for",
]


def rules_for(policy: Policy, scale_set: ScaleSet) -> Rules:
    """What holds for this scale set; never raises, what is wrong is in `problems`."""
    raise NotImplementedError(policy, scale_set)
