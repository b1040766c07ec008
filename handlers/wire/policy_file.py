"""The policy file: from YAML to planner's policy, or a sentence for every fault in it."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from handlers.wire.policy_shape import SHAPES, MatchShape, PolicyShape, Strict
from handlers.wire.policy_yaml import Document, Path, PolicyError, read
from planner.policy.keys import PARSERS, nearest
from planner.policy.model import Freeze, Limits, Match, Policy, Receiver, Route, Rule

__all__ = ["PolicyError", "load", "schema"]


def load(text: str, *, environment: Mapping[str, str]) -> Policy:
    """Read the policy file; `env:NAME` is looked up in `environment`.

    Raises PolicyError with every fault, its line and its path; addresses of webhooks are never in it.
    """
    document = read(text)
    if not isinstance(document.data, dict):
        raise PolicyError(["line 1: it is not a mapping of keys such as `defaults:` and `rules:`"])
    problems = list(document.problems)
    # A problem of YAML has its sentence already; what the shape says about the same place adds nothing.
    said = {problem.partition(": ")[0] for problem in problems}
    shape = None
    try:
        shape = PolicyShape.model_validate(document.data, context={"environment": environment})
    except ValidationError as error:
        found = (_problem(document, one) for one in error.errors(include_input=False, include_url=False))
        problems += [one for one in found if one.partition(": ")[0] not in said]
    if shape is not None:
        problems += _unknown_receivers(document, shape)
    if problems or shape is None:
        raise PolicyError(problems)
    return _policy(shape)


def schema() -> dict[str, Any]:
    """Give the JSON Schema of the policy file, as published in docs/policy.schema.json."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **_lean(PolicyShape.model_json_schema(by_alias=True)),
        "title": "Breakwater policy",
    }


def _lean(part: Any) -> Any:
    """Leave out what pydantic adds and no reader needs: titles, and null as a default."""
    if isinstance(part, list):
        return [_lean(one) for one in part]
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
        limits=Limits(regions=shape.limits.regions, scale_sets=shape.limits.scale_sets),
        receivers=tuple(
            Receiver(name, teams=one.teams, email=one.email, webhook=one.webhook)
            for name, one in shape.receivers.items()
        ),
        routes=tuple(Route(_match(one.match), one.receiver) for one in shape.routes),
    )


def _match(shape: MatchShape) -> Match:
    return Match(shape.subscription, shape.resource_group, shape.name, shape.location, shape.tags)


def _unknown_receivers(document: Document, shape: PolicyShape) -> Iterator[str]:
    known = {name.lower() for name in shape.receivers}
    named: list[tuple[Path, str | None]] = [(("defaults", "owner"), shape.defaults.owner)]
    named += [(("rules", number, "owner"), one.owner) for number, one in enumerate(shape.rules)]
    named += [(("routes", number, "receiver"), one.receiver) for number, one in enumerate(shape.routes)]
    for path, name in named:
        if name is not None and name.strip().lower() not in known:
            hint = nearest(name, known)
            yield f"{document.place(path)}: there is no receiver `{name}` under receivers{hint}"


def _problem(document: Document, error: ErrorDetails) -> str:
    path: Path = tuple(part for part in error["loc"] if part != "[key]")
    place = document.place(path) or "line 1"
    kind = error["type"]
    if kind == "extra_forbidden":
        return f"{place}: {_unknown_key(path)}"
    if kind == "value_error":
        return f"{place}: {error['ctx']['error']}"
    sentences = {
        "missing": "it is needed and not there",
        "string_type": "one value is wanted here, not a list or a mapping",
        "model_type": "a mapping of keys is wanted here",
        "dict_type": "a mapping of keys is wanted here",
        "tuple_type": "a list is wanted here, each entry after a dash",
        "frozen_set_type": "a list is wanted here, each entry after a dash",
        "string_pattern_mismatch": "a name has letters, digits, dots, hyphens and underscores, 60 at most",
    }
    return f"{place}: {sentences.get(kind) or error['msg'].replace('Input', 'it', 1)}"


def _unknown_key(path: Path) -> str:
    *above, last = path
    key = str(last)
    shape: type[Strict] = next((SHAPES[part] for part in reversed(above) if part in SHAPES), PolicyShape)
    known = [one.alias or name for name, one in shape.model_fields.items()]
    if shape is PolicyShape and key in {*PARSERS, "tags-may-loosen"}:
        return f"`{key}` belongs under `defaults` or under one of the `rules`"
    return f"there is no key `{key}` here{nearest(key, known)}; known are {', '.join(known)}"
