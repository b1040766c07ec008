"""Runs with other fields, whichever part of the record they belong to."""

from dataclasses import fields, replace
from typing import Any

from planner.record.run import Fleet, Gaps, People, Run, Standing, Story, Terms, Times

PARTS = {
    "terms": Terms,
    "times": Times,
    "people": People,
    "story": Story,
    "gaps": Gaps,
    "fleet": Fleet,
    "standing": Standing,
}
HOME = {each.name: name for name, part in PARTS.items() for each in fields(part)}


def altered(run: Run, **given: Any) -> Run:
    """The run with these fields: its own, or those of a part."""
    own = {name: value for name, value in given.items() if name not in HOME}
    for part in PARTS:
        changed = {name: value for name, value in given.items() if HOME.get(name) == part}
        own[part] = replace(own.get(part, getattr(run, part)), **changed)
    return replace(run, **own)


def made(**given: Any) -> Run:
    """A run of these fields, each in the part it belongs to; the others as they are when nothing is said."""
    own = {name: value for name, value in given.items() if name not in HOME}
    return altered(Run(**own), **{name: value for name, value in given.items() if name in HOME})
