"""Were the promises about automatic repairs kept? Judged from the fleet's ledger, as in `simulator.oracle`.

Repairs replaced no instance while the customer maintained it, were not left suspended by the customer's hand,
and what a person had suspended the customer did not resume.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from simulator.fleet import Fleet
from simulator.fleet.ledger import (
    Ended,
    Hand,
    HealthBecame,
    Ledger,
    Meanwhile,
    RepairsAsked,
    RepairsBecame,
    Replaced,
    StartAsked,
    Up,
)

type Finding = tuple[datetime, str]

IN_HAND = frozenset({"stopped", "deallocated", "start", "delete", "reimage", "resize", "service heal"})


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An instance the customer maintains: from the accepted start until it is back and healthy again.

    Also over when its operation failed, or ended without the instance coming back, or somebody else took the
    instance in hand.
    """

    since: datetime
    back: bool = False


def replaced_under_way(fleet: Fleet, recover_within: timedelta) -> Iterator[Finding]:
    """Replacements of what was under way, for at most `recover_within`: then nobody counts on it any more.

    Flexible sets are left out, as their repairs cannot be suspended, and so is what a person resumed repairs
    for in the middle.
    """
    flexible = {scale_set.id for scale_set in fleet.scale_sets() if scale_set.mode == "Flexible"}
    under_way: dict[str, UnderWay] = {}
    unhealthy: set[str] = set()
    by_a_person: dict[str, datetime] = {}
    for fact in fleet.ledger:
        if isinstance(fact, StartAsked) and fact.accepted and fact.who == "customer":
            under_way[fact.instance] = UnderWay(fact.at)
        elif isinstance(fact, HealthBecame):
            (unhealthy.discard if fact.health == "healthy" else unhealthy.add)(fact.instance)
        elif isinstance(fact, RepairsBecame) and fact.state == "Running" and fact.who == "person":
            by_a_person[fact.scale_set] = fact.at
        elif isinstance(fact, Meanwhile | Ended) and _over(fact):
            under_way.pop(fact.instance, None)
        elif isinstance(fact, Ended) and fact.instance in under_way and not under_way[fact.instance].back:
            # Azure is done with it and it did not come back: to repair that is what repairs are for.
            del under_way[fact.instance]
        elif isinstance(fact, Up) and fact.instance in under_way:
            under_way[fact.instance] = replace(under_way[fact.instance], back=True)
        elif isinstance(fact, Replaced):
            one = under_way.pop(fact.instance, None)
            if one is None or fact.scale_set in flexible or fact.at - one.since > recover_within:
                continue
            resumed = by_a_person.get(fact.scale_set)
            if resumed is None or resumed < one.since:
                what = f"{_name(fact.instance)} of {_name(fact.scale_set)} was replaced by automatic repairs"
                yield fact.at, f"{what} while its maintenance of {one.since:%H:%M:%S}Z was under way"
        if isinstance(fact, HealthBecame | Ended | Up):
            one = under_way.get(fact.instance)
            if one is not None and one.back and fact.instance not in unhealthy:
                del under_way[fact.instance]


def _over(fact: Meanwhile | Ended) -> bool:
    return fact.what in IN_HAND if isinstance(fact, Meanwhile) else fact.status == "Failed"


def resumed_for_others(ledger: Ledger) -> Iterator[Finding]:
    """Repairs the customer resumed although it was a person who had suspended them."""
    suspended: dict[str, tuple[Hand, datetime]] = {}
    for fact in ledger:
        if not isinstance(fact, RepairsBecame):
            continue
        if fact.state == "Suspended":
            suspended[fact.scale_set] = (fact.who, fact.at)
            continue
        by, at = suspended.pop(fact.scale_set, (fact.who, fact.at))
        if by == "person" and fact.who == "customer":
            what = f"automatic repairs of {_name(fact.scale_set)} were resumed"
            yield fact.at, f"{what} although a person had suspended them at {at:%Y-%m-%d %H:%M:%S}Z"


def left_suspended(fleet: Fleet) -> list[str]:
    """Scale sets whose repairs ran until the customer suspended them, and never resumed them; ask at the end.

    A person who asked for the same meanwhile takes them over; a deleted scale set has none any more.
    """
    suspended: dict[str, RepairsBecame] = {}
    for fact in fleet.ledger:
        if isinstance(fact, RepairsBecame):
            suspended.pop(fact.scale_set, None)
            if fact.state == "Suspended" and fact.who == "customer":
                suspended[fact.scale_set] = fact
        elif (isinstance(fact, RepairsAsked) and fact.who == "person" and fact.action == "Suspend") or (
            isinstance(fact, Meanwhile) and fact.what == "delete" and not fact.instance
        ):
            suspended.pop(fact.scale_set, None)
    return [
        f"automatic repairs of {_name(fact.scale_set)} are left suspended since {fact.at:%Y-%m-%d %H:%M:%S}Z"
        for fact in suspended.values()
    ]


def _name(arm_id: str) -> str:
    return arm_id.rsplit("/", 1)[-1]
