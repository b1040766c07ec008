"""The instances of one scale set as Azure shows them over time: what is started goes down and comes back."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus, Power, Provisioning
from planner.record.action import StartOutcome, StartResult
from planner.record.copying import replace
from planner.record.observation import OperationSeen, OperationStatus
from planner.rehearsal.trouble import Fate

IN_PROGRESS, SUCCEEDED = OperationSeen(OperationStatus.IN_PROGRESS), OperationSeen(OperationStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True, order=True)
class Fall:
    """An instance that went down at `at` (aware UTC), or serves again; `by_azure`: in Azure's own window."""

    at: datetime
    instance: str
    down: bool
    by_azure: bool = False


def _never(_: Sequence[Instance], __: Interval) -> Mapping[str, datetime]:
    return {}


@dataclass(slots=True)
class _Course:
    """What has been started, from then on: its views and the moments from which Azure shows them."""

    moments: list[datetime]
    views: list[Instance]
    by_azure: bool = False

    def cut(self, now: datetime, view: Instance) -> None:
        """Nothing else comes of it after `now`."""
        self.moments, self.views = [now], [view]


class Machines:
    """Those of one scale set.

    What is started has its course from then on, so that what Azure will show can be asked for ahead. What
    concerns all of them at once (windows that open and close, a wave that is moved or called off) cannot:
    time does not go back behind it.
    """

    def __init__(
        self,
        instances: Sequence[Instance],
        now: datetime,
        fate: Callable[[str], Fate],
        azures: Callable[[Sequence[Instance], Interval], Mapping[str, datetime]] = _never,
    ) -> None:
        """`azures` says when Azure takes which of those that it has left in a scheduled window."""
        self.repairs_suspended = False
        self._fate, self._azures = fate, azures
        self._statuses: dict[MaintenanceStatus, MaintenanceStatus] = {}
        self._places = {instance.id: place for place, instance in enumerate(instances)}
        self._there = [self._shared(instance) for instance in instances]
        self._offered = {each.id: _offered(each, now) for each in instances}
        self._reports = {each.id for each in instances if each.health is not Health.NOT_REPORTED}
        self._courses: dict[str, _Course] = {}
        self._operations: dict[str, datetime] = {}
        self._lost: dict[str, datetime] = {}
        self._downs: list[Fall] = []
        self._shown: tuple[datetime, datetime | None, tuple[Instance, ...]] | None = None
        self._turns: list[datetime] = []
        self._open_and_close(now)

    def changes(self, now: datetime, apart: Iterable[str] = ()) -> datetime | None:
        """When something changes by itself after `now`, but for the instances `apart`; None: never."""
        aside = set(apart)
        ahead = [
            course.moments[place]
            for key, course in self._courses.items()
            if key not in aside and (place := bisect_right(course.moments, now)) < len(course.moments)
        ]
        return min([*ahead, *self._turns[:1]], default=None)

    def shown(self, now: datetime) -> tuple[Instance, ...]:
        """What a listing shows then."""
        while self._turns and self._turns[0] <= now:
            self._follow(self._turns.pop(0))
        if self._shown is not None:
            since, until, shown = self._shown
            if since <= now and (until is None or now < until):
                return shown
        there = self._there.copy()
        since, until = datetime.min.replace(tzinfo=now.tzinfo), None
        for key, course in self._courses.items():
            place = bisect_right(course.moments, now)
            there[self._places[key]] = course.views[place - 1]
            since = max(since, course.moments[place - 1])
            if place < len(course.moments) and (until is None or course.moments[place] < until):
                until = course.moments[place]
        self._shown = since, until, tuple(there)
        return self._shown[2]

    def directly(self, ids: Sequence[str], now: datetime) -> Mapping[str, Instance]:
        """What reading these one by one shows then; it is what a listing shows."""
        shown = self.shown(now)
        return {key: shown[self._places[key]] for key in ids if key in self._places}

    def operation(self, address: str, now: datetime) -> OperationSeen:
        """How an operation stands then; raises KeyError for one that was never begun."""
        return SUCCEEDED if self._operations[address] <= now else IN_PROGRESS

    def falls(self, until: datetime) -> list[Fall]:
        """When which instance went down or served again, in order, up to and with `until`."""
        return sorted(each for each in self._downs if each.at <= until)

    def start(self, key: str, now: datetime) -> StartResult:
        """Azure's answer to a start; what it takes goes down at once."""
        instance = self.shown(now)[self._places[key]]
        status = instance.status
        if status is None or not status.allowed or not instance.running or instance.busy:
            words = "Operation 'performMaintenance' is not allowed: the instance is not eligible."
            return StartResult(key, StartOutcome.REFUSED, code="OperationNotAllowed", message=words)
        fate, address = self._fate(key), f"{key}/{len(self._operations)}"
        self._operations[address] = now + fate.reboot
        self._settle(now)
        self._courses[key] = self._course(instance, fate, now)
        self._shown = None
        return StartResult(key, StartOutcome.ACCEPTED, operation=address)

    def repair(self, now: datetime) -> None:
        """Somebody brings back what does not serve after its maintenance."""
        for key in [key for key, since in self._lost.items() if since <= now]:
            view = self.shown(now)[self._places[key]]
            self._courses.setdefault(key, _Course([], [])).cut(now, self._served(view))
            self._downs.append(Fall(now, key, down=False))
            del self._lost[key]
        self._shown = None

    def move(self, by: timedelta, now: datetime) -> None:
        """What still shows maintenance has its windows that much later."""

        def later(instance: Instance) -> Instance:
            status = instance.status
            if status is None:
                return instance
            moved = replace(status, self_service=_moved(status.self_service, by))
            moved = replace(moved, scheduled=_moved(status.scheduled, by))
            return replace(instance, maintenance=self._allowed(instance.id, moved, now))

        self._forget_azures_plan(now)
        self._all(later, now)
        self._open_and_close(now)

    def call_off(self, now: datetime) -> None:
        """The wave is cancelled: nothing shows maintenance any more."""
        self._forget_azures_plan(now)
        self._all(lambda instance: replace(instance, maintenance=None), now)

    def closings(self) -> set[datetime]:
        """When the windows close that are shown before anything is started."""
        return {window.end for window in (*self.windows(), *self._scheduled())}

    def windows(self) -> set[Interval]:
        """The self-service windows that are shown before anything is started."""
        return {window for each in self._there if (window := _window(each)) is not None}

    def _course(self, before: Instance, fate: Fate, now: datetime, *, by_azure: bool = False) -> _Course:
        """Down at once, up again half-way, maintained; whether it serves some time later is its fate."""
        key, reports = before.id, before.id in self._reports
        back = now + fate.reboot
        silent = Health.UNKNOWN if reports else Health.NOT_REPORTED
        down = replace(before, power=Power.STOPPED, provisioning="updating", health=silent)
        course = _Course([now, now + fate.reboot / 2], [down, replace(down, power="starting")], by_azure)
        self._downs.append(Fall(now, key, down=True, by_azure=by_azure))
        maintained = replace(
            before,
            power=Power.RUNNING if reports or not fate.lost else Power.STOPPED,
            provisioning=Provisioning.SUCCEEDED,
            health=Health.INITIALIZING if reports else Health.NOT_REPORTED,
            maintenance=None,
        )
        serves = fate.boot if reports else timedelta(0)
        if fate.lost or serves:
            course.moments.append(back)
            course.views.append(maintained)
        if fate.lost:
            self._lost[key] = back
        if fate.lost and reports:
            course.moments.append(back + fate.boot)
            course.views.append(replace(maintained, health=Health.UNHEALTHY))
        if not fate.lost:
            course.moments.append(back + serves)
            course.views.append(self._served(maintained))
            self._downs.append(Fall(back + serves, key, down=False))
        return course

    def _served(self, instance: Instance) -> Instance:
        health = Health.HEALTHY if instance.id in self._reports else Health.NOT_REPORTED
        return replace(instance, power=Power.RUNNING, health=health)

    def _settle(self, now: datetime) -> None:
        """Forget the courses that are over: what they came to is simply there."""
        for key in [key for key, course in self._courses.items() if course.moments[-1] <= now]:
            self._there[self._places[key]] = self._courses.pop(key).views[-1]

    def _all(self, change: Callable[[Instance], Instance], now: datetime) -> None:
        """Have every instance changed from `now` on."""
        self._settle(now)
        self._there = [change(instance) for instance in self._there]
        for course in self._courses.values():
            place = bisect_right(course.moments, now)
            views = [*course.views[place - 1 :]]
            course.moments = [now, *course.moments[place:]]
            course.views = [change(view) for view in views]
        self._shown = None

    def _shared(self, instance: Instance) -> Instance:
        """The instance with a status that all share that show the same."""
        status = instance.status
        return replace(instance, maintenance=self._one(status)) if status is not None else instance

    def _one(self, status: MaintenanceStatus) -> MaintenanceStatus:
        return self._statuses.setdefault(status, status)

    def _open_and_close(self, now: datetime) -> None:
        """Whether a start is allowed follows the windows."""
        moments = {moment for window in self.windows() for moment in (window.start, window.end)}
        moments |= {window.start for window in self._scheduled()}
        self._turns = sorted({*self._turns, *(at for at in moments if at > now)})

    def _follow(self, now: datetime) -> None:
        def opened(instance: Instance) -> Instance:
            status = instance.status
            if status is None:
                return instance
            new = self._allowed(instance.id, status, now)
            return replace(instance, maintenance=new) if new != status else instance

        self._all(opened, now)
        self._plan_azures_turn(now)

    def _plan_azures_turn(self, now: datetime) -> None:
        """A scheduled window opens: what still shows it and runs has its reboot before it."""
        for window in {each for each in self._scheduled() if each.start == now}:
            left = [
                each
                for each in self.shown(now)
                if each.status is not None and each.status.scheduled == window and each.running
            ]
            for key, at in self._azures(left, window).items():
                before = self._there[self._places[key]]
                course = self._course(before, self._fate(key), at, by_azure=True)
                course.moments.insert(0, now)
                course.views.insert(0, before)
                self._courses[key] = course
        self._shown = None

    def _forget_azures_plan(self, now: datetime) -> None:
        """What Azure was to take and has not."""
        ahead = {key for key, course in self._courses.items() if course.by_azure and now < course.moments[1]}
        for key in ahead:
            del self._courses[key]
            self._lost.pop(key, None)
        self._downs = [each for each in self._downs if each.at <= now or each.instance not in ahead]

    def _scheduled(self) -> set[Interval]:
        """The scheduled windows that are shown by what nothing was started of."""
        found = (each.status.scheduled for each in self._there if each.status is not None)
        return {window for window in found if window is not None}

    def _allowed(self, key: str, status: MaintenanceStatus, now: datetime) -> MaintenanceStatus:
        window = status.self_service
        return self._one(replace(status, allowed=self._offered[key] and window is not None and now in window))


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
