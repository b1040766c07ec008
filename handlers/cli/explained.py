"""Which rule, tag or default gives a scale set each value of the policy, and what it stands in place of."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from planner.azure.fleet import ScaleSet
from planner.policy.keys import COUNTER_INDICATIONS
from planner.policy.layers import BUILT_IN, Layers
from planner.policy.model import Policy, Rules
from planner.policy.resolve import rules_for
from planner.text.phrases import say

FIFTH = "the domain, at most a fifth"


@dataclass(frozen=True, slots=True)
class Value:
    """One key: what holds, where it comes from, and what is written elsewhere, or built in, and does not."""

    key: str
    value: str
    source: str
    instead_of: tuple[tuple[str, str], ...] = ()


def explained(policy: Policy, scale_set: ScaleSet) -> tuple[Rules, tuple[Value, ...]]:
    """What holds for the scale set, key by key in the order of docs/policy.md."""
    rules, layers = rules_for(policy, scale_set), Layers(policy, scale_set)
    return rules, tuple(_value(key, said(rules), rules, layers) for key, said in _SAID.items())


def _value(key: str, value: str, rules: Rules, layers: Layers) -> Value:
    source = rules.sources.get(key, BUILT_IN)
    written = (*layers.by_tag(key), *layers.by_rule(key), *layers.by_defaults(key))
    others = [(text, place) for text, place in written if place not in source]
    if source != BUILT_IN and key != "owner":
        others.append((_SAID[key](Rules()), BUILT_IN))
    return Value(key, value, source, tuple(others))


def duration(length: timedelta) -> str:
    """As one writes it in a policy: `24h`, `45m`, `10s`."""
    seconds = int(length.total_seconds())
    for size, letter in ((3600, "h"), (60, "m")):
        if seconds % size == 0 and seconds:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def _windows(rules: Rules) -> str:
    sets = ["; ".join(map(str, windows)) for windows in rules.windows]
    return " and also ".join(sets) or "any time"


def _most_down(rules: Rules) -> str:
    shares = [str(share) for share in rules.max_unavailable]
    return " and ".join([*shares, *([FIFTH] if rules.default_share else [])])


def _declared(key: str) -> Callable[[Rules], str]:
    return lambda rules: "declared" if key in rules.declared else "not declared"


_SAID: Mapping[str, Callable[[Rules], Any]] = {
    "self-service": lambda rules: rules.self_service.value,
    "mode": lambda rules: rules.mode.value,
    "lead": lambda rules: duration(rules.lead),
    "windows": _windows,
    "complete-by": lambda rules: say(rules.complete_by) if rules.complete_by is not None else "none",
    "tier": lambda rules: rules.tier or "none",
    "after": lambda rules: ", ".join(rules.after) or "none",
    "soak": lambda rules: duration(rules.soak),
    "max-unavailable": _most_down,
    "health": lambda rules: rules.health.value,
    "recover-within": lambda rules: duration(rules.recover_within),
    "stalled-after": lambda rules: duration(rules.stalled_after),
    **{key: _declared(key) for key in COUNTER_INDICATIONS},
    "accept": lambda rules: ", ".join(rules.accept) or "nothing",
    "owner": lambda rules: rules.owner or "nobody",
}
