"""The policy file: from YAML to the planner's policy, or a sentence for every fault in it."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handlers.wire.policy_shape import SHAPES, MatchShape, PolicyShape, ReceiverShape, Strict
from handlers.wire.policy_yaml import Document, Path, PolicyError, read
from planner.policy.keys import PARSERS, nearest
from planner.policy.model import Freeze, Limits, Match, MatchLimit, Policy, Receiver, Route, Rule

__all__ = ["PolicyError", "load", "schema"]


def load(text: str, *, environment: Mapping[str, str]) -> Policy:
    """Read the policy file; `env:NAME` is looked up in `environment`.

    Raises PolicyError with every fault, its line and its path; addresses of webhooks are never in it.
    """
    document = read(text)
    if not isinstance(document.data, dict):
        raise PolicyError(["line 1: it is not a mapping of keys such as `defaults:` and `rules:`"])
    # What the shape says about a place that already has a problem adds nothing.
    known = {place for place, _ in document.problems}
    try:
        shape = PolicyShape.model_validate(document.data, context={"environment": environment})
    except ValidationError as error:
        for fault in error.errors(include_input=False, include_url=False):
            path: Path = tuple(part for part in fault["loc"] if part != "[key]")
            if document.place(path) not in known:
                document.problem(path, _sentence(path, fault))
    else:
        _check_receivers(document, shape)
    if document.problems:
        raise PolicyError([f"{place}: {sentence}" for place, sentence in document.problems])
    return _policy(shape)


def schema() -> dict[str, Any]:
    """The JSON Schema of the policy file, as published in docs/policy.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_lean(PolicyShape.model_json_schema(by_alias=True)),
        "title": "Breakwater policy",
    }


def _lean(part: Any) -> Any:
    """Leave out what pydantic adds and no reader needs: titles, and null as a default."""
    if isinstance(part, list):
        return [_lean(entry) for entry in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _lean(value)
        for key, value in part.items()
        if not (key == "title" and isinstance(value, str)) and not (key == "default" and value is None)
    }


def _policy(shape: PolicyShape) -> Policy:
    return Policy(
        defaults=shape.defaults.texts(),
        rules=tuple(
            Rule(rule.name, _match(rule.match), rule.texts(), rule.tags_may_loosen) for rule in shape.rules
        ),
        tags_may_loosen=shape.defaults.tags_may_loosen or frozenset(),
        stop=shape.stop,
        freezes=tuple(
            Freeze(freeze.start, freeze.end, freeze.reason, _match(freeze.match)) for freeze in shape.freezes
        ),
        limits=Limits(
            shape.limits.regions,
            shape.limits.scale_sets,
            shape.limits.per_region,
            tuple(
                MatchLimit(name, _match(limit.match), limit.scale_sets)
                for name, limit in shape.limits.by_match.items()
            ),
        ),
        receivers=tuple(
            Receiver(name, **{field: getattr(receiver, field) for field in ReceiverShape.model_fields})
            for name, receiver in shape.receivers.items()
        ),
        routes=tuple(Route(_match(route.match), route.receiver) for route in shape.routes),
    )


def _match(shape: MatchShape) -> Match:
    return Match(shape.subscription, shape.resource_group, shape.name, shape.location, shape.tags)


def _check_receivers(document: Document, shape: PolicyShape) -> None:
    known = {name.lower() for name in shape.receivers}
    named: list[tuple[Path, str | None]] = [
        (("defaults", "owner"), shape.defaults.owner),
        *((("rules", number, "owner"), rule.owner) for number, rule in enumerate(shape.rules)),
        *((("routes", number, "receiver"), route.receiver) for number, route in enumerate(shape.routes)),
        *(
            (("receivers", name, "escalate-to"), receiver.escalate_to)
            for name, receiver in shape.receivers.items()
            if receiver.escalate_to
        ),
    ]
    for path, name in named:
        if name is not None and name.strip().lower() not in known:
            document.problem(path, f"there is no receiver `{name}` under receivers{nearest(name, known)}")
    for name, receiver in shape.receivers.items():
        if receiver.escalate_to.strip().lower() == name.lower():
            document.problem(
                ("receivers", name, "escalate-to"), "it names the receiver itself, which is paged anyway"
            )


_MAPPING, _LIST = "a mapping of keys is expected here", "a list is expected here, each entry after a dash"
_SENTENCES = {
    "missing": "it is required but missing",
    "string_type": "one value is expected here, not a list or a mapping",
    "model_type": _MAPPING,
    "dict_type": _MAPPING,
    "tuple_type": _LIST,
    "frozen_set_type": _LIST,
    "string_pattern_mismatch": "a name has letters, digits, dots, hyphens and underscores, 60 at most",
}


def _sentence(path: Path, fault: ErrorDetails) -> str:
    kind = fault["type"]
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "value_error":
        return str(fault["ctx"]["error"])
    return _SENTENCES.get(kind) or fault["msg"].replace("Input", "it", 1)


def _unknown_key(path: Path) -> str:
    *above, last = path
    key = str(last)
    shape: type[Strict] = next((SHAPES[part] for part in reversed(above) if part in SHAPES), PolicyShape)
    known = [field.alias or name for name, field in shape.model_fields.items()]
    if shape is PolicyShape and key in {*PARSERS, "tags-may-loosen"}:
        return f"`{key}` belongs under `defaults` or under one of the `rules`"
    return f"there is no key `{key}` here{nearest(key, known)}; known are {', '.join(known)}"
