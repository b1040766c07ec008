"""Instances that go down together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from operator import is_
from typing import Self

from planner.record.copying import replace
from planner.record.instance import InstanceProgress
from planner.record.states import BatchState


@dataclass(frozen=True, slots=True)
class Batch:
    """Instances that go down together; `not_before` is the earliest time the schedule gives it.

    `held_until` keeps a batch back beyond the schedule: a lead time of its own. `retry`: Azure has put it
    off, and it is tried again by itself.
    """

    number: int
    domain: str
    instances: tuple[InstanceProgress, ...]
    state: BatchState = BatchState.PENDING
    not_before: datetime | None = None
    held_until: datetime | None = None
    retry: bool = False
    started_at: datetime | None = None
    verified_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def waits_until(self) -> datetime | None:
        """Before when nothing of it is started: a lead time of its own, the back-off of its instances.

        Of a batch under way each instance waits by itself.
        """
        if self.state is not BatchState.PENDING:
            return self.held_until
        waits = [instance.retry_at for instance in self.instances if instance.waiting]
        return max((wait for wait in (self.held_until, *waits) if wait is not None), default=None)

    @property
    def waiting(self) -> bool:
        """Whether something of it is still to be started."""
        return any(instance.waiting for instance in self.instances)

    @property
    def in_flight(self) -> bool:
        """Whether something of it is between its start and its verification."""
        return any(instance.in_flight for instance in self.instances)

    @property
    def settled(self) -> bool:
        """Whether every instance of it is over."""
        return all(instance.settled for instance in self.instances)

    def each(self, change: Callable[[InstanceProgress], InstanceProgress]) -> Self:
        """The batch with each instance changed; itself where that changes none."""
        instances = tuple(map(change, self.instances))
        return self if all(map(is_, instances, self.instances)) else replace(self, instances=instances)
