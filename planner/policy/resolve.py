"""What the policy says about one scale set: tag, first matching rule, defaults, built in."""

import operator
from datetime import datetime
from enum import StrEnum
from itertools import islice

from planner.azure.fleet import ScaleSet
from planner.azure.wave import Member
from planner.policy import drill
from planner.policy.durations import Share, parse_share, shown
from planner.policy.hearing import unheard
from planner.policy.keys import COUNTER_INDICATIONS, nearest, parse_checks
from planner.policy.layers import BUILT_IN, Layers
from planner.policy.model import Policy, Receiver, Rules
from planner.policy.weekly import Windows, WindowSets, parse_windows
from planner.words import policies
from planner.words.receivers import unknown_receiver

_BUILT_IN = Rules()
_FIFTH = Share(percent=20)


def rules_for(policy: Policy, scale_set: ScaleSet) -> Rules:
    """What holds for this scale set.

    Never raises: what nobody can follow is in `problems`, beside the value that would hold without it.
    """
    policy = drill.for_subscription(policy, scale_set.subscription)
    layers = Layers(policy, scale_set)
    shares, default_share = _max_unavailable(layers)
    return Rules(
        self_service=layers.settle("self-service", _BUILT_IN.self_service, looser=_looser_choice),
        mode=layers.settle("mode", _BUILT_IN.mode, looser=_looser_choice),
        lead=layers.file("lead", _BUILT_IN.lead),
        windows=_windows(layers),
        complete_by=layers.settle("complete-by", _BUILT_IN.complete_by, looser=_later),
        tier=layers.settle("tier", _BUILT_IN.tier),
        after=layers.settle("after", _BUILT_IN.after),
        soak=layers.settle("soak", _BUILT_IN.soak, looser=operator.lt),
        max_unavailable=shares,
        default_share=default_share,
        health=layers.settle("health", _BUILT_IN.health, looser=_looser_choice),
        recover_within=layers.settle("recover-within", _BUILT_IN.recover_within),
        stalled_after=layers.settle("stalled-after", _BUILT_IN.stalled_after, looser=operator.gt),
        declared=tuple(
            key for key in COUNTER_INDICATIONS if layers.settle(key, built_in=False, looser=operator.lt)
        ),
        accept=_accept(layers),
        owner=_owner(layers),
        freezes=tuple(freeze for freeze in policy.freezes if freeze.match(scale_set)),
        counts_in=tuple(limit.name for limit in policy.limits.by_match if limit.match(scale_set)),
        stop=policies.everything_stopped(policy.stopped_by) if policy.stop else "",
        problems=tuple(layers.problems),
        notes=tuple(layers.notes),
        sources=layers.sources,
    )


def member_for(policy: Policy, scale_set: ScaleSet) -> Member:
    """The scale set as a member of a wave's roster."""
    rules = rules_for(policy, scale_set)
    return Member(scale_set, tier=rules.tier, after=rules.after)


def _looser_choice(tag: StrEnum, file: StrEnum) -> bool:
    """Whether the tag's choice is the looser one: an enumeration goes from tight to loose."""
    choices = list(type(file))
    return choices.index(tag) > choices.index(file)


def _later(tag: datetime | None, file: datetime | None) -> bool:
    return file is not None and (tag is None or tag > file)


def _windows(layers: Layers) -> WindowSets:
    """Both the file's and the tag's must be open, unless the tag may replace the file's."""
    file: Windows = layers.file("windows", ())
    tag = layers.tag("windows", parse_windows)
    if tag is None:
        return (file,) if file else ()
    if layers.may_loosen("windows") or not file:
        layers.from_tag("windows")
        return (tag.value,) if tag.value else ()
    if not tag.value:
        layers.refuse("windows")
        return (file,)
    layers.from_both("windows")
    return (file, tag.value)


def _max_unavailable(layers: Layers) -> tuple[tuple[Share, ...], bool]:
    """The shares that count, and whether the built-in limit counts beside them."""
    file: Share | None = layers.file("max-unavailable", None)
    tag = layers.tag("max-unavailable", parse_share)
    if tag is not None and layers.may_loosen("max-unavailable"):
        layers.from_tag("max-unavailable")
        return (tag.value,), False
    shares = (file,) if file else ()
    if tag is None:
        return shares, file is None
    if _larger(tag.value, file or _FIFTH):
        layers.refuse("max-unavailable", kept=policies.SMALLER_COUNTS)
    layers.from_both("max-unavailable")
    return (*shares, tag.value), file is None


def _larger(tag: Share, file: Share) -> bool:
    """Whether that is plain without knowing how many run: a count and a percentage don't compare."""
    if tag.count is not None and file.count is not None:
        return tag.count > file.count
    return tag.percent is not None and file.percent is not None and tag.percent > file.percent


def _accept(layers: Layers) -> tuple[str, ...]:
    file: tuple[str, ...] = layers.file("accept", ())
    tag = layers.tag("accept", parse_checks)
    if tag is None:
        return file
    if set(tag.value) <= set(file) or layers.may_loosen("accept"):
        layers.from_tag("accept")
        return tag.value
    both = tuple(name for name in file if name in tag.value)
    layers.refuse("accept", kept=policies.accepted_by_both(both))
    return both


def _owner(layers: Layers) -> str:
    """A receiver the policy declares: tag, rule, first matching route, defaults, `default`, the first one.

    A name nobody declared is a note, not a problem: a notice is never worth a reboot.
    """
    policy = layers.policy
    routed = (
        (route.receiver, policies.route(number))
        for number, route in enumerate(policy.routes, 1)
        if route.match(layers.scale_set)
    )
    for name, source in (
        *layers.by_tag("owner"),
        *layers.by_rule("owner"),
        *islice(routed, 1),
        *layers.by_defaults("owner"),
    ):
        receiver = policy.receiver(name)
        if receiver is not None:
            return _heard(layers, receiver, source)
        layers.note(
            unknown_receiver(
                source, shown(name), nearest(name, (receiver.name for receiver in policy.receivers))
            )
        )
    fallback = policy.receiver("default") or next(iter(policy.receivers), None)
    if fallback is None:
        layers.sources["owner"] = BUILT_IN
        return ""
    return _heard(layers, fallback, BUILT_IN)


def _heard(layers: Layers, receiver: Receiver, source: str) -> str:
    """The receiver's name; a note says who hears what it does not want to hear and must be answered."""
    layers.sources["owner"] = source
    if why := unheard(layers.policy, receiver):
        layers.note(why)
    return receiver.name
