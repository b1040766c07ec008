"""The fleet's state and the few moves everything else is made of: going down, coming up, changing health."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from simulator.fleet.alerting import Alerting
from simulator.fleet.behaviour import Health
from simulator.fleet.clock import Clock, Timeline
from simulator.fleet.ledger import Down, Ended, HealthBecame, Ledger, Meanwhile, Up
from simulator.fleet.model import Instance, Operation, ScaleSet
from simulator.fleet.records import Records
from simulator.fleet.waves import Wave


class World:
    """Scale sets, waves and operations, evolved to the clock whenever somebody looks."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.timeline = Timeline(clock())
        self.ledger = Ledger()
        self.records = Records()
        self.alerting = Alerting()
        self.scale_sets: dict[str, ScaleSet] = {}
        self.machines: dict[str, Instance] = {}
        self.waves: dict[str, Wave] = {}
        self.operations: dict[str, Operation] = {}
        self.subscriptions: set[str] = set()
        self.watching: list[Callable[[Instance], None]] = []
        self._serial = 0

    @property
    def now(self) -> datetime:
        """The moment being lived: the event's own time while one happens, else the last look's."""
        return self.timeline.now

    def look(self) -> datetime:
        """Let everything due happen; call before reading or acting."""
        self.timeline.run_to(self.clock())
        return self.timeline.now

    def unique(self, what: str) -> str:
        """A fresh GUID; the same sequence in every run, so failures can be repeated."""
        self._serial += 1
        return str(uuid5(NAMESPACE_URL, f"{what}/{self._serial}"))

    def instances(self) -> Iterator[Instance]:
        for scale_set in self.scale_sets.values():
            yield from scale_set.instances.values()

    def later(self, instance: Instance, delay: timedelta, action: Callable[[], None]) -> None:
        """Plan what follows for an instance; void once something else has happened to it."""
        epoch = instance.epoch

        def unless_overtaken() -> None:
            if instance.epoch == epoch:
                action()

        self.timeline.at(self.now + delay, unless_overtaken)

    def overtake(self, instance: Instance) -> None:
        """Void what was planned for the instance; an operation in flight fails as preempted."""
        instance.epoch += 1
        if instance.operation is not None:
            self.close(
                instance,
                "Failed",
                "OperationPreempted",
                "The operation has been preempted by a more recent operation.",
            )

    def close(self, instance: Instance, status: str, code: str = "", message: str = "") -> None:
        """End the instance's operation, if one is in flight."""
        operation = instance.operation
        if operation is None:
            return
        operation.status = "Succeeded" if status == "Succeeded" else "Failed"
        operation.ended, operation.code, operation.message = self.now, code, message
        instance.operation = None
        self.ledger.write(
            Ended(
                at=self.now,
                who=operation.who,
                scale_set=instance.owner.id,
                instance=instance.id,
                operation=operation.id,
                status=status,
                code=code,
            )
        )
        self.settle(instance)

    def settle(self, instance: Instance) -> None:
        """Keep since when it has been unwell, and let readers and whoever watches know it changed."""
        if not instance.trouble():
            instance.unwell_since, instance.cause = None, ""
        elif instance.unwell_since is None:
            instance.unwell_since = self.now
        instance.touch()
        for watch in self.watching:
            watch(instance)

    def take_down(self, instance: Instance, cause: str) -> None:
        if not instance.is_down:
            instance.is_down = True
            self.ledger.write(
                Down(
                    at=self.now,
                    scale_set=instance.owner.id,
                    instance=instance.id,
                    domain=instance.domain,
                    cause=cause,
                )
            )
        instance.cause = cause
        instance.power = "stopped"
        self.health(instance, instance.behaviour.health_down)

    def bring_up(self, instance: Instance) -> None:
        """Running again; health follows as the instance's behaviour has it."""
        how, cause = instance.behaviour, instance.cause
        instance.power, instance.provisioning = "running", "Succeeded"
        if instance.is_down:
            instance.is_down = False
            self.ledger.write(
                Up(
                    at=self.now,
                    scale_set=instance.owner.id,
                    instance=instance.id,
                    domain=instance.domain,
                    cause=cause,
                )
            )
        if how.health_delay:
            self.health(instance, how.health_meanwhile)
            self.later(instance, how.health_delay, lambda: self.health(instance, how.health_finally))
        else:
            self.health(instance, how.health_finally)

    def health(self, instance: Instance, health: Health) -> None:
        """What the health extension or probe reports; a set without either reports nothing, ever."""
        if instance.owner.reports_health and instance.health != health:
            instance.health = health
            self.ledger.write(
                HealthBecame(at=self.now, scale_set=instance.owner.id, instance=instance.id, health=health)
            )
        self.settle(instance)

    def meanwhile(self, scale_set: ScaleSet, instance: Instance | None, what: str) -> None:
        self.ledger.write(
            Meanwhile(
                at=self.now,
                scale_set=scale_set.id,
                instance="" if instance is None else instance.id,
                what=what,
            )
        )
