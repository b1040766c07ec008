"""The instances of one scale set as Azure would show them over time: what is started goes down and comes back."""

import heapq
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, Power, Provisioning
from planner.record.action import StartOutcome, StartResult
from planner.record.copying import replace
from planner.record.observation import OperationSeen, OperationStatus
from planner.rehearsal.trouble import Fate

IN_PROGRESS, SUCCEEDED = OperationSeen(OperationStatus.IN_PROGRESS), OperationSeen(OperationStatus.SUCCEEDED)


class Machines:
    """`next_at` is when something changes by itself (None: never); `downs` are (when, how many more or fewer).

    Times never go back.
    """

    def __init__(
        self,
        instances: Sequence[Instance],
        now: datetime,
        fate: Callable[[str], Fate],
    ) -> None:
        self.downs: list[tuple[datetime, int]] = []
        self.repairs_suspended = False
        self.changed = 0
        self._fate = fate
        self._there = {instance.id: instance for instance in instances}
        self._offered = {each.id: _offered(each, now) for each in instances}
        self._reports = {each.id for each in instances if each.health is not Health.NOT_REPORTED}
        self._operations: dict[str, OperationSeen] = {}
        self._lost: dict[str, str] = {}
        self._shown: tuple[Instance, ...] | None = None
        self._ahead: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._numbers = count()
        self._open_and_close(now)

    @property
    def next_at(self) -> datetime | None:
        return self._ahead[0][0] if self._ahead else None

    def shown(self, now: datetime) -> tuple[Instance, ...]:
        """What a listing shows now."""
        while self._ahead and self._ahead[0][0] <= now:
            at, _, change = heapq.heappop(self._ahead)
            change(at)
        if self._shown is None:
            self._shown = tuple(self._there.values())
        return self._shown

    def directly(self, ids: Sequence[str]) -> Mapping[str, Instance]:
        """What reading these one by one shows; it is what the last listing showed."""
        return {key: self._there[key] for key in ids if key in self._there}

    def operation(self, address: str) -> OperationSeen:
        return self._operations[address]

    def start(self, key: str, now: datetime) -> StartResult:
        """Azure's answer to a start; what it takes goes down at once."""
        self.shown(now)
        instance = self._there[key]
        status = instance.status
        if status is None or not status.allowed or not instance.running or instance.busy:
            words = "Operation 'performMaintenance' is not allowed: the instance is not eligible."
            return StartResult(key, StartOutcome.REFUSED, code="OperationNotAllowed", message=words)
        fate, address = self._fate(key), f"{key}/{len(self._operations)}"
        self._operations[address] = IN_PROGRESS
        self._go_down(key, now)
        self._at(now + fate.reboot / 2, lambda _: self._become(key, power="starting"))
        self._at(now + fate.reboot, lambda at: self._back(key, address, fate, at))
        return StartResult(key, StartOutcome.ACCEPTED, operation=address)

    def repair(self, now: datetime) -> None:
        """Somebody brings back what does not serve after its maintenance."""
        self.shown(now)
        for key in self._lost:
            self._serves(key, now)
        self._lost.clear()

    def move(self, by: timedelta, now: datetime) -> None:
        """What still shows maintenance has its windows that much later."""
        self.shown(now)
        for key, instance in self._there.items():
            status = instance.status
            if status is not None:
                moved = replace(status, self_service=_moved(status.self_service, by))
                moved = replace(moved, scheduled=_moved(status.scheduled, by))
                self._become(key, maintenance=self._allowed(key, moved, now))
        self._open_and_close(now)

    def call_off(self, now: datetime) -> None:
        """The wave is cancelled: nothing shows maintenance any more."""
        self.shown(now)
        for key in self._there:
            self._become(key, maintenance=None)

    def windows(self) -> set[Interval]:
        """The self-service windows that are shown."""
        return {window for each in self._there.values() if (window := _window(each)) is not None}

    def _go_down(self, key: str, now: datetime) -> None:
        self.downs.append((now, 1))
        health = Health.UNKNOWN if key in self._reports else Health.NOT_REPORTED
        self._become(key, power=Power.STOPPED, provisioning="updating", health=health)

    def _back(self, key: str, address: str, fate: Fate, now: datetime) -> None:
        """Maintained; whether it runs again, and serves some time later, is its fate."""
        self._operations[address] = SUCCEEDED
        reports = key in self._reports
        self._become(
            key,
            power=Power.RUNNING if reports or not fate.lost else Power.STOPPED,
            provisioning=Provisioning.SUCCEEDED,
            health=Health.INITIALIZING if reports else Health.NOT_REPORTED,
            maintenance=None,
        )
        if fate.lost:
            self._lost[key] = address
            if reports:
                self._at(now + fate.boot, lambda _: self._unwell(key))
        elif reports and fate.boot:
            self._at(now + fate.boot, lambda at: self._serves(key, at))
        else:
            self._serves(key, now)

    def _unwell(self, key: str) -> None:
        if key in self._lost:
            self._become(key, health=Health.UNHEALTHY)

    def _serves(self, key: str, now: datetime) -> None:
        self.downs.append((now, -1))
        health = Health.HEALTHY if key in self._reports else Health.NOT_REPORTED
        self._become(key, power=Power.RUNNING, health=health)

    def _become(self, key: str, **changes: object) -> None:
        self._there[key] = replace(self._there[key], **changes)
        self._shown = None
        self.changed += 1

    def _at(self, at: datetime, change: Callable[[datetime], None]) -> None:
        heapq.heappush(self._ahead, (at, next(self._numbers), change))

    def _open_and_close(self, now: datetime) -> None:
        """Whether a start is allowed follows the windows."""
        for at in sorted({moment for window in self.windows() for moment in (window.start, window.end)}):
            if at > now:
                self._at(at, self._follow)

    def _follow(self, now: datetime) -> None:
        for key, instance in self._there.items():
            if instance.status is not None:
                new = self._allowed(key, instance.status, now)
                if new != instance.status:
                    self._become(key, maintenance=new)

    def _allowed(self, key: str, status: MaintenanceStatus, now: datetime) -> MaintenanceStatus:
        window = status.self_service
        return replace(status, allowed=self._offered[key] and window is not None and now in window)


def _offered(instance: Instance, now: datetime) -> bool:
    """Whether Azure offers self-service for it: what it refuses in the open window it refuses throughout."""
    status = instance.status
    return status is not None and (
        status.allowed or status.self_service is None or now not in status.self_service
    )


def _window(instance: Instance) -> Interval | None:
    return instance.status.self_service if instance.status is not None else None


def _moved(window: Interval | None, by: timedelta) -> Interval | None:
    return Interval(window.start + by, window.end + by) if window is not None else None
