"""A snapshot of what was read of Azure: one JSON document, and the planner's dataclasses when it is loaded.

It has what a plan needs and nothing else: no tokens, no extension settings, no custom data. What could not be
read is in it, too, so that a plan made from it says the same.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from handlers.cli.exits import Failed
from handlers.cli.files import written
from handlers.cloud.errors import AzureTrouble, Forbidden, NotFound, NotSent, Refused, Throttled, Unreachable
from handlers.cloud.graph import Found
from handlers.cloud.lookups import Looked
from handlers.wire.outside_json import faults
from planner.azure.fleet import Instance, ScaleSet
from planner.azure.usage import Evidence

KIND = "breakwater fleet"
VERSION = 1

_KINDS: Mapping[str, type[AzureTrouble]] = {
    kind.__name__: kind for kind in (Forbidden, NotFound, NotSent, Unreachable)
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something could not be read: the kind of error, its sentence, what Azure asked to wait."""

    kind: str
    sentence: str
    code: str = ""
    wait: timedelta = timedelta(0)

    @classmethod
    def of(cls, error: AzureTrouble) -> "Trouble":
        code = error.code if isinstance(error, Refused) else ""
        wait = error.retry_after if isinstance(error, Throttled) else timedelta(0)
        return cls(type(error).__name__, error.sentence, code, wait)

    def error(self) -> AzureTrouble:
        """The error it was."""
        if self.kind == Throttled.__name__:
            return Throttled(self.wait)
        if self.kind == Refused.__name__:
            return Refused(self.code, self.sentence)
        return _KINDS.get(self.kind, Unreachable)(self.sentence)


@dataclass(frozen=True, slots=True)
class Lookups:
    """What the extra look-ups showed of the scale sets with the keys `about`."""

    about: tuple[str, ...]
    evidence: Evidence

    def looked(self) -> Looked:
        return Looked(self.evidence, None, self.about)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What was read of one subscription.

    `scale_sets` and `maintenance` are None where they were not read; `instances` has the listing of each
    scale set that was read by its key, `single` the instances read one by one by `key/id`. `troubles` says
    what could not be read, by the name of it that `SeenAzure` uses.
    """

    id: str
    name: str = ""
    maintenance: tuple[Found, ...] | None = None
    scale_sets: tuple[ScaleSet, ...] | None = None
    instances: Mapping[str, tuple[Instance, ...]] = field(default_factory=dict)
    single: Mapping[str, Instance] = field(default_factory=dict)
    lookups: tuple[Lookups, ...] = ()
    troubles: Mapping[str, Trouble] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A fleet as it was read at `read_at` (aware UTC)."""

    read_at: datetime
    subscriptions: tuple[Subscription, ...]
    anonymised: bool = False
    kind: str = KIND
    v: int = VERSION

    def scale_sets(self) -> tuple[ScaleSet, ...]:
        """Every scale set that was listed."""
        return tuple(each for one in self.subscriptions for each in one.scale_sets or ())

    def instances(self, key: str) -> tuple[Instance, ...] | None:
        """The instances of a scale set, those read one by one as they were then; None where not read."""
        for one in self.subscriptions:
            if (listed := one.instances.get(key)) is not None:
                return tuple(one.single.get(f"{key}/{each.id}", each) for each in listed)
        return None


_ADAPTER = TypeAdapter(Snapshot)


def load(path: Path) -> Snapshot:
    """The snapshot in a file. Raises Failed with what is wrong with it."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise Failed(f"{path} cannot be read: {error.strerror}.") from error
    try:
        head = json.loads(body)
    except ValueError as error:
        raise Failed(
            f"{path} is not a snapshot: it is not JSON. Make one with: breakwater snapshot."
        ) from error
    if not isinstance(head, dict) or head.get("kind") != KIND:
        raise Failed(f"{path} is not a snapshot of a fleet. Make one with: breakwater snapshot.")
    if not isinstance(head.get("v"), int) or head["v"] > VERSION:
        raise Failed(
            f"{path} was written by a newer version of Breakwater ({head.get('v')}); install that one."
        )
    try:
        return _ADAPTER.validate_json(body)
    except ValidationError as error:
        raise Failed(f"{path} cannot be understood: {faults(error)[0]}.") from error


def save(snapshot: Snapshot, path: Path) -> None:
    """Write a snapshot to a file that only its owner may read. Raises Failed when it cannot be written."""
    with written(path, private=True) as file:
        file.write(f"{_ADAPTER.dump_json(snapshot).decode()}\n")
