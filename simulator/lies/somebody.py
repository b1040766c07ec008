"""Somebody who does things to a scale set just while one of its instances reboots or soaks."""

from collections.abc import Callable
from datetime import timedelta
from random import Random

from simulator.fleet.fleet import Fleet
from simulator.fleet.model import Instance, ScaleSet
from simulator.lies.lies import Lies

WAITS = (timedelta(minutes=1), timedelta(minutes=3), timedelta(minutes=6), timedelta(minutes=20))
MOST = 6
"""What one world has to bear; without an end nothing would ever be over."""

type Act = Callable[[Fleet, ScaleSet, Random], None]


def meddle(fleet: Fleet, lies: Lies, *, pace: float = 1.0) -> None:
    """Let it happen, at moments that hurt: after a start by the customer, to the instance or to a neighbour."""
    for name, act in ACTS.items():
        if name in lies:
            _watch(fleet, lies, name, act, pace)


def _watch(fleet: Fleet, lies: Lies, name: str, act: Act, pace: float) -> None:
    dice, seen, left = lies.dice(name), set[str](), [MOST]

    def watch(instance: Instance) -> None:
        operation = instance.operation
        if operation is None or operation.who != "customer" or operation.id in seen or not left[0]:
            return
        seen.add(operation.id)
        if dice.random() >= lies.share(name):
            return
        left[0] -= 1
        owner, wait = instance.owner, dice.choice(WAITS) * pace

        def then() -> None:
            if fleet.world.scale_sets.get(owner.id.lower()) is owner:
                act(fleet, owner, dice)

        fleet.world.timeline.at(fleet.world.now + wait, then)

    fleet.world.watching.append(watch)


def _one(owner: ScaleSet, dice: Random, *, on: bool = True) -> Instance | None:
    off = {"stopped", "deallocated"}
    found = [one for one in owner.instances.values() if (one.power not in off) is on]
    return dice.choice(found) if found else None


def _stops(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    if one := _one(owner, dice):
        fleet.people.stop(one)


def _deallocates(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    if one := _one(owner, dice):
        fleet.people.deallocate(one)


def _starts(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    if one := _one(owner, dice, on=False):
        fleet.people.start(one, back_in_wave=dice.random() < 0.5)


def _resizes(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    fleet.upkeep.resize(owner, dice.choice(("Standard_D4s_v5", "Standard_D8s_v5")))
    if one := _one(owner, dice):
        fleet.people.resize(one)


def _deletes(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    if len(owner.instances) > 1 and (one := _one(owner, dice)):
        fleet.people.delete(one)


def _adds(fleet: Fleet, owner: ScaleSet, dice: Random) -> None:
    number = owner.last_number = max(owner.last_number, 500) + 1
    open_ = [one.tracking_id for one in fleet.world.waves.values() if not one.over]
    inside = dice.choice(open_) if open_ and dice.random() < 0.5 else None
    # A machine's name is unique in its resource group, and a Flexible scale set's instances are machines.
    name = f"{owner.name}_{number}" if owner.mode == "Flexible" else str(number)
    fleet.add_instance(owner, name, wave=inside)


ACTS: dict[str, Act] = {
    "somebody-stops": _stops,
    "somebody-deallocates": _deallocates,
    "somebody-starts": _starts,
    "somebody-resizes": _resizes,
    "somebody-deletes": _deletes,
    "somebody-adds": _adds,
}
