"""Of what served when the plan was made, no more than max-unavailable may fail to serve once we have begun.

Judged at Azure's door, from the fleet itself: at every start the instances are counted that served at a plan of
the run and do not now, for whatever reason that began after its first start. What a person has switched off is
not counted: the activity log names who did it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from handlers.wire.documents import decode
from planner.record.run import Run
from planner.record.states import ACTIVE
from simulator.fleet import Fleet, Instance, ScaleSet

BY_CHOICE = frozenset({"stopped", "deallocated"})
FIFTH = 5
"""Of a Uniform set's instances a fifth may be down, at least one; of a Flexible set's one."""


class Served:
    """`raised` names the sets for whose run a person has raised a key; `grace` is how old a view may be."""

    def __init__(
        self, fleet: Fleet, raised: Callable[[str], set[str]], grace: timedelta = timedelta(0)
    ) -> None:
        self.findings: list[str] = []
        self._fleet, self._raised, self._grace = fleet, raised, grace
        self._served: dict[str, set[Instance]] = {}
        self._plans: dict[str, datetime] = {}
        self._first: dict[str, datetime] = {}

    def written(self, path: str, body: bytes) -> None:
        """A record: where its plan is new, who serves now is who has to."""
        if not path.startswith("runs/"):
            return
        run = decode(Run, body)
        key = run.target.id.lower()
        if run.state not in ACTIVE:
            for kept in (self._served, self._plans, self._first):
                kept.pop(key, None)
            return
        if self._plans.get(key) == run.planned_at:
            return
        self._plans[key] = run.planned_at
        self._fleet.world.look()
        owner = self._fleet.world.scale_sets.get(key)
        now = {one for one in owner.instances.values() if not one.trouble()} if owner else set()
        self._served[key] = self._served.get(key, set()) | now

    def asked(self, instance: Instance, now: datetime) -> None:
        """A start is asked for."""
        key = instance.owner.id.lower()
        first = self._first.setdefault(key, now)
        if instance.owner.name in self._raised("max-unavailable"):
            return
        down = sorted(one.name for one in self._down(instance, key, first, now))
        most = most_down(instance.owner)
        if len(down) + 1 > most:
            self.findings.append(
                f"{now:%Y-%m-%d %H:%M:%S}Z {instance.name} of {instance.owner.name} was started while "
                f"{', '.join(down)} did not serve, which did when the plan was made; {most} may be down"
            )

    def _down(self, instance: Instance, key: str, first: datetime, now: datetime) -> Iterator[Instance]:
        for one in self._served.get(key, ()):
            here = one.owner.instances.get(one.instance_id) is one and one is not instance
            if not here or not one.trouble() or (one.power in BY_CHOICE and one.cause in BY_CHOICE):
                continue
            since = one.unwell_since or now
            unseen = self._grace > timedelta(0) and now - since <= self._grace
            ours = one.operation is not None and one.operation.who == "customer"
            if since >= first and (ours or not unseen):
                yield one


def most_down(owner: ScaleSet) -> int:
    """How many of a set's instances may be down at once where nobody has raised it."""
    most = 1 if owner.mode == "Flexible" else max(1, len(owner.instances) // FIFTH)
    said = owner.tags.get("breakwater-max-unavailable", "")
    return min(most, int(said)) if said.isdigit() else most
