"""What really happened, in order and with exact times: the truth the product is judged by.

Facts are appended and never changed. Times are aware UTC. Names of scale sets and instances are ARM ids as
Azure spells them; instances carry their id within the set beside it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Who = Literal["customer", "person", "azure"]
"""The customer's software, somebody in the portal, or Azure itself."""

Hand = Literal["customer", "person"]
RepairAction = Literal["Suspend", "Resume"]
Domain = tuple[str, str, str]
Windows = tuple[datetime, datetime, datetime, datetime]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another instance of the set that was not serving when a start was asked for, and since when and why."""

    instance: str
    domain: Domain
    reason: str
    cause: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAsked:
    """Somebody asked to start maintenance on one instance.

    allowed and windows are what the instance view said at that moment; shown_since is when the status last
    changed by an act (planned, moved, cancelled, maintained), which a look just before may have missed.
    code is Azure's error code when refused. answered is false when the connection dropped after work began.
    passing is true for a refusal that has nothing to do with the instance and does not last.
    """

    at: datetime
    who: Who
    scale_set: str
    instance: str
    domain: Domain
    accepted: bool
    code: str
    allowed: bool
    windows: Windows | None
    shown_since: datetime | None
    others: tuple[Neighbour, ...]
    operation: str
    answered: bool
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """An operation started earlier is over, with what its address says from now on."""

    at: datetime
    who: Who
    scale_set: str
    instance: str
    operation: str
    status: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintained:
    """The instance is maintained, whatever its operation and status say; `windows` are those of the start."""

    at: datetime
    who: Who
    scale_set: str
    instance: str
    windows: Windows | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Down:
    at: datetime
    scale_set: str
    instance: str
    domain: Domain
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    at: datetime
    scale_set: str
    instance: str
    domain: Domain
    cause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthBecame:
    at: datetime
    scale_set: str
    instance: str
    health: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetWideCall:
    """performMaintenance on a scale set; no ids means every instance, as in real life."""

    at: datetime
    scale_set: str
    instance_ids: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsAsked:
    """Somebody asked to suspend or resume a set's automatic repairs: the customer's software, or a person.

    was is the state at that moment. code and answered are as for a start.
    """

    at: datetime
    who: Hand
    scale_set: str
    action: RepairAction
    was: str
    accepted: bool
    code: str
    operation: str
    answered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairsBecame:
    """A set's automatic repairs are in this state from now on, by whose hand."""

    at: datetime
    who: Hand
    scale_set: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """Automatic repairs deleted an instance that was unwell for longer than the grace period, for a new one."""

    at: datetime
    scale_set: str
    instance: str
    by: str
    sick_since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveBecame:
    at: datetime
    tracking_id: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """Something people or Azure did to a scale set or an instance besides maintenance."""

    at: datetime
    scale_set: str
    instance: str
    what: str


Fact = (
    StartAsked
    | Ended
    | Maintained
    | Down
    | Up
    | HealthBecame
    | SetWideCall
    | RepairsAsked
    | RepairsBecame
    | Replaced
    | WaveBecame
    | Meanwhile
)


@dataclass(frozen=True, slots=True)
class Outage:
    """An interval without service of one instance; `until` is None while it lasts."""

    scale_set: str
    instance: str
    domain: Domain
    cause: str
    since: datetime
    until: datetime | None


class Ledger:
    """The facts, append only."""

    def __init__(self) -> None:
        self._facts: list[Fact] = []

    def __iter__(self) -> Iterator[Fact]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)

    def write(self, fact: Fact) -> None:
        self._facts.append(fact)

    def since(self, index: int) -> list[Fact]:
        """Facts after the first `index`, for a reader that follows along."""
        return self._facts[index:]

    def of[F: Fact](self, kind: type[F]) -> list[F]:
        return [fact for fact in self._facts if isinstance(fact, kind)]

    def starts(self, who: Who | None = None) -> list[StartAsked]:
        return [s for s in self.of(StartAsked) if who is None or s.who == who]

    def outages(self) -> list[Outage]:
        """Every down interval, in order of its beginning."""
        open_: dict[str, tuple[int, Down]] = {}
        found: list[Outage | None] = []
        for fact in self._facts:
            if isinstance(fact, Down):
                open_[fact.instance] = (len(found), fact)
                found.append(None)
            elif isinstance(fact, Up) and fact.instance in open_:
                place, down = open_.pop(fact.instance)
                found[place] = _outage(down, fact.at)
        for place, down in open_.values():
            found[place] = _outage(down, None)
        return [outage for outage in found if outage is not None]


def _outage(down: Down, until: datetime | None) -> Outage:
    return Outage(down.scale_set, down.instance, down.domain, down.cause, down.at, until)
