"""What a person may raise for one run: soak, lead, windows, date, how many may be down, accepted checks."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from planner.policy.keys import PARSERS, parse_checks, parse_max_unavailable
from planner.policy.model import Rules
from planner.policy.weekly import parse_windows
from planner.words.policies import RAISED_FOR_RUN

RAISABLE = ("soak", "max-unavailable", "windows", "complete-by", "lead", "accept")
"""Keys of the policy that a person may set for one run; the policy itself stays as it is."""

INSTANCE = "instance/"
"""How an instance is written among what is accepted for a run: `instance/3`."""

NOTHING: Mapping[str, str] = MappingProxyType({})


def checked_raise(key: str, text: str) -> str:
    """The key, if a person may raise it to `text`; ValueError with a sentence otherwise."""
    if key not in RAISABLE:
        raise ValueError(f"`{key[:40]}` cannot be raised for one run: write {', '.join(RAISABLE)}")
    parse = _parse_accepted if key == "accept" else PARSERS[key]
    parse(text)
    return key


def raised_further(raised: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """What is raised after another command: the latest counts, and what was accepted stays accepted."""
    merged = {**raised, **more}
    if "accept" in raised and "accept" in more:
        names = (*_parse_accepted(raised["accept"]), *_parse_accepted(more["accept"]))
        merged["accept"] = ", ".join(dict.fromkeys(names))
    return merged


def accepted_instances(accept: Iterable[str]) -> frozenset[str]:
    """The instances whose failed provisioning is accepted by name."""
    return frozenset(name.removeprefix(INSTANCE) for name in accept if name.startswith(INSTANCE))


def _parse_accepted(text: str) -> tuple[str, ...]:
    """Names of checks, and instances as `instance/3`; ValueError with a sentence for anything else."""
    names = [part.strip() for part in text.split(",")]
    checks = [name for name in names if not name.lower().startswith(INSTANCE)]
    instances = [INSTANCE + name[len(INSTANCE) :] for name in names if name.lower().startswith(INSTANCE)]
    if INSTANCE in instances:
        raise ValueError(f"`{text[:60]}` names no instance: write {INSTANCE}<its id>, such as {INSTANCE}3")
    return (*(parse_checks(", ".join(checks)) if checks else ()), *instances)


def with_raised(rules: Rules, raised: Mapping[str, str]) -> Rules:
    """The rules as a person has raised them for one run; texts were checked when they were taken."""
    for key, text in raised.items():
        if key in {"soak", "lead", "complete-by"}:
            rules = replace(rules, **{key.replace("-", "_"): PARSERS[key](text)})
        elif key == "windows":
            windows = parse_windows(text)
            rules = replace(rules, windows=(windows,) if windows else ())
        elif key == "accept":
            rules = replace(rules, accept=tuple(dict.fromkeys((*rules.accept, *_parse_accepted(text)))))
        elif key == "max-unavailable":
            share = parse_max_unavailable(text)
            rules = replace(rules, max_unavailable=(share,) if share else (), default_share=share is None)
        rules = replace(rules, sources={**rules.sources, key: RAISED_FOR_RUN})
    return rules
