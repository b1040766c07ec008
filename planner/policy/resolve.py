"""What the policy says about one scale set: tag, first matching rule, defaults, built in."""

from datetime import datetime

from planner.azure.fleet import ScaleSet
from planner.policy.durations import Share, parse_duration, parse_share, shown
from planner.policy.keys import (
    COUNTER_INDICATIONS,
    nearest,
    parse_checks,
    parse_choice,
    parse_deadline,
    parse_flag,
    parse_max_unavailable,
    parse_name,
    parse_names,
    parse_positive,
)
from planner.policy.layers import BUILT_IN, Layers
from planner.policy.model import (
    HealthRule,
    Mode,
    Policy,
    Rules,
    SelfService,
)
from planner.policy.weekly import Windows, WindowSets, parse_windows

_BUILT_IN = Rules()
_FIFTH = Share(percent=20)


def rules_for(policy: Policy, scale_set: ScaleSet) -> Rules:
    """What holds for this scale set.

    Never raises: what nobody can follow is in `problems`, beside the value that would hold without it.
    """
    layers = Layers(policy, scale_set)
    shares, default_share = _max_unavailable(layers)
    return Rules(
        self_service=layers.settle(
            "self-service",
            parse_choice(SelfService),
            _BUILT_IN.self_service,
            looser=lambda tag, file: _rank(tag) > _rank(file),
        ),
        mode=layers.settle(
            "mode", parse_choice(Mode), _BUILT_IN.mode, looser=lambda tag, file: _rank(tag) > _rank(file)
        ),
        lead=layers.file("lead", parse_duration, _BUILT_IN.lead),
        windows=_windows(layers),
        complete_by=layers.settle("complete-by", parse_deadline, _BUILT_IN.complete_by, looser=_later),
        tier=layers.settle("tier", parse_name, _BUILT_IN.tier),
        after=layers.settle("after", parse_names, _BUILT_IN.after),
        soak=layers.settle("soak", parse_duration, _BUILT_IN.soak, looser=lambda tag, file: tag < file),
        max_unavailable=shares,
        default_share=default_share,
        health=layers.settle(
            "health",
            parse_choice(HealthRule),
            _BUILT_IN.health,
            looser=lambda tag, file: _rank(tag) > _rank(file),
        ),
        recover_within=layers.settle("recover-within", parse_positive, _BUILT_IN.recover_within),
        stalled_after=layers.settle(
            "stalled-after", parse_positive, _BUILT_IN.stalled_after, looser=lambda tag, file: tag > file
        ),
        declared=tuple(
            key
            for key in COUNTER_INDICATIONS
            if layers.settle(key, parse_flag, built_in=False, looser=lambda tag, file: file and not tag)
        ),
        accept=_accept(layers),
        owner=_owner(layers),
        freezes=tuple(freeze for freeze in policy.freezes if freeze.match(scale_set)),
        limits=policy.limits,
        stop=f"Everything is stopped by {policy.stopped_by}; nothing new starts." if policy.stop else "",
        problems=tuple(layers.problems),
        notes=tuple(layers.notes),
        sources=layers.sources,
    )


def _rank[T: (SelfService, Mode, HealthRule)](value: T) -> int:
    return list(type(value)).index(value)


def _later(tag: datetime | None, file: datetime | None) -> bool:
    return file is not None and (tag is None or tag > file)


def _windows(layers: Layers) -> WindowSets:
    """Both the file's and the tag's must be open, unless the tag may replace the file's."""
    file: Windows = layers.file("windows", parse_windows, ())
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
    file = layers.file("max-unavailable", parse_max_unavailable, None)
    tag = layers.tag("max-unavailable", parse_share)
    if tag is not None and layers.may_loosen("max-unavailable"):
        layers.from_tag("max-unavailable")
        return (tag.value,), False
    shares = (file,) if file else ()
    if tag is None:
        return shares, file is None
    if _larger(tag.value, file or _FIFTH):
        layers.refuse("max-unavailable", kept="the smaller of the two counts")
    layers.from_both("max-unavailable")
    return (*shares, tag.value), file is None


def _larger(tag: Share, file: Share) -> bool:
    """Whether that is plain without knowing how many run: a count and a percentage don't compare."""
    if tag.count is not None and file.count is not None:
        return tag.count > file.count
    return tag.percent is not None and file.percent is not None and tag.percent > file.percent


def _accept(layers: Layers) -> tuple[str, ...]:
    file: tuple[str, ...] = layers.file("accept", parse_checks, ())
    tag = layers.tag("accept", parse_checks)
    if tag is None:
        return file
    if set(tag.value) <= set(file) or layers.may_loosen("accept"):
        layers.from_tag("accept")
        return tag.value
    both = tuple(name for name in file if name in tag.value)
    layers.refuse("accept", kept=f"accepted stays only what both name ({', '.join(both) or 'nothing'})")
    return both


def _owner(layers: Layers) -> str:
    """A receiver the policy declares: tag, rule, first matching route, defaults, `default`, the first one.

    A name nobody declared is a note, not a problem: a notice is never worth a reboot.
    """
    policy = layers.policy
    candidates: list[tuple[str, str]] = []
    tag = layers.tag_text("owner")
    if tag is not None:
        candidates.append((tag.strip(), "tag breakwater-owner"))
    file = list(layers.file_texts("owner"))
    candidates += [one for one in file if one[1] != "defaults"]
    candidates += [
        (route.receiver, f"route {number}")
        for number, route in enumerate(policy.routes, 1)
        if route.match(layers.scale_set)
    ][:1]
    candidates += [one for one in file if one[1] == "defaults"]
    for name, source in candidates:
        receiver = policy.receiver(name)
        if receiver is not None:
            layers.sources["owner"] = source
            return receiver.name
        layers.note(
            f"{source}: the policy declares no receiver `{shown(name)}`"
            f"{nearest(name, (one.name for one in policy.receivers))}; somebody else is told"
        )
    layers.sources["owner"] = BUILT_IN
    fallback = policy.receiver("default") or next(iter(policy.receivers), None)
    return fallback.name if fallback else ""
