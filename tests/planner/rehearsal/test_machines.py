"""Azure as a rehearsal plays it: what is started has its course, which can be asked for ahead of time."""

from datetime import UTC, datetime, timedelta

from planner.azure.fleet import Health, Instance, Interval, MaintenanceStatus
from planner.record.action import StartOutcome
from planner.record.observation import OperationStatus
from planner.rehearsal.machines import Fall, Machines
from planner.rehearsal.trouble import Fate

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
M, H, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WINDOW = Interval(NOW - H, NOW + 5 * DAY)
STATUS = MaintenanceStatus(allowed=True, self_service=WINDOW, scheduled=None)
COMES_BACK = Fate(6 * M, M, lost=False)


def machines(fate: Fate = COMES_BACK, health: Health = Health.HEALTHY, count: int = 2) -> Machines:
    there = (
        Instance(str(number), power="running", provisioning="succeeded", health=health, maintenance=STATUS)
        for number in range(count)
    )
    return Machines(tuple(there), NOW, lambda _: fate)


def seen(there: Machines, at: datetime, key: str = "0") -> Instance:
    return there.directly([key], at)[key]


def test_what_is_started_goes_down_comes_back_and_serves_while_the_others_stay() -> None:
    there = machines()
    before = there.shown(NOW)
    answer = there.start("0", NOW)
    assert answer.answered is StartOutcome.ACCEPTED
    assert seen(there, NOW).power == "stopped"
    assert seen(there, NOW + 3 * M).power == "starting"
    assert (seen(there, NOW + 6 * M).power, seen(there, NOW + 6 * M).maintenance) == ("running", None)
    assert seen(there, NOW + 6 * M).health is Health.INITIALIZING
    assert seen(there, NOW + 7 * M).health is Health.HEALTHY
    assert there.shown(NOW + 7 * M)[1] is before[1]
    assert there.operation(answer.operation, NOW + 6 * M - M / 60).status is OperationStatus.IN_PROGRESS
    assert there.operation(answer.operation, NOW + 6 * M).status is OperationStatus.SUCCEEDED


def test_looking_ahead_changes_nothing_that_is_seen_now() -> None:
    there = machines()
    there.start("0", NOW)
    now = there.shown(NOW)
    there.shown(NOW + H)
    assert there.shown(NOW) == now


def test_what_changes_by_itself_is_known_with_and_without_what_is_under_way() -> None:
    there = machines()
    assert there.changes(NOW) == WINDOW.end
    there.start("0", NOW)
    assert there.changes(NOW) == NOW + 3 * M
    assert there.changes(NOW + 7 * M) == WINDOW.end
    assert there.changes(NOW, apart=["0"]) == WINDOW.end


def test_what_has_been_maintained_or_is_not_offered_is_refused() -> None:
    there = machines()
    there.start("0", NOW)
    assert there.start("0", NOW + M).answered is StartOutcome.REFUSED
    assert there.start("0", NOW + H).answered is StartOutcome.REFUSED
    assert there.start("1", WINDOW.end).answered is StartOutcome.REFUSED


def test_one_that_does_not_come_back_is_ill_until_somebody_repairs_it() -> None:
    there = machines(Fate(6 * M, M, lost=True))
    there.start("0", NOW)
    there.repair(NOW + M)
    assert seen(there, NOW + 2 * M).power == "stopped", "it is still rebooting: there is nothing to repair"
    assert seen(there, NOW + H).health is Health.UNHEALTHY
    there.repair(NOW + H)
    assert seen(there, NOW + H).health is Health.HEALTHY
    assert there.falls(NOW + H) == [Fall(NOW, "0", down=True), Fall(NOW + H, "0", down=False)]


def test_one_without_health_that_does_not_come_back_stays_off() -> None:
    there = machines(Fate(6 * M, M, lost=True), Health.NOT_REPORTED)
    there.start("0", NOW)
    assert seen(there, NOW + DAY).power == "stopped"


def test_a_wave_that_is_moved_or_called_off_meets_what_is_under_way_as_well() -> None:
    there = machines()
    there.start("0", NOW)
    there.move(DAY, NOW + M)
    moved = Interval(WINDOW.start + DAY, WINDOW.end + DAY)
    for each in there.shown(NOW + 4 * M):
        assert each.status is not None
        assert each.status.self_service == moved
        assert not each.status.allowed
    assert seen(there, moved.start, "1").status == MaintenanceStatus(allowed=True, self_service=moved)
    there.call_off(moved.start + H)
    assert all(each.maintenance is None for each in there.shown(moved.start + H))


def test_what_serves_again_after_the_end_of_the_story_is_not_told() -> None:
    there = machines()
    there.start("0", NOW)
    assert there.falls(NOW + M) == [Fall(NOW, "0", down=True)]


def test_azure_takes_what_is_left_when_its_window_opens_unless_the_wave_has_changed() -> None:
    def both(_: object, window: Interval) -> dict[str, datetime]:
        return {"0": window.start + H, "1": window.start + 2 * H}

    scheduled = Interval(NOW + 6 * DAY, NOW + 8 * DAY)
    status = MaintenanceStatus(allowed=True, self_service=WINDOW, scheduled=scheduled)
    there = [
        Instance(key, power="running", health=Health.HEALTHY, maintenance=status) for key in ("0", "1", "2")
    ]
    machines = Machines(there, NOW, lambda _: COMES_BACK, both)
    machines.shown(scheduled.start)
    assert machines.changes(scheduled.start) == scheduled.start + H
    assert seen(machines, scheduled.start + H).power == "stopped"
    assert seen(machines, scheduled.start + H, "1").power == "running"
    machines.call_off(scheduled.start + H + M)
    assert machines.falls(scheduled.end) == [
        Fall(scheduled.start + H, "0", down=True, by_azure=True),
        Fall(scheduled.start + H + 7 * M, "0", down=False),
    ]
