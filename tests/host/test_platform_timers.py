"""When the real host runs timers, and when it does not; the local host does the same."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from azure.storage.blob.aio import BlobServiceClient

from simulator.host.ncrontab import Schedule
from simulator.host.timers import TimerListener
from simulator.host.triggers import TimerTick
from tests.eventually import eventually
from tests.host.probe import Probe, ask

MORNING = datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = MORNING

    def __call__(self) -> datetime:
        return self.now


class Timers:
    """Listeners of one timer on hosts beside each other, and what they ran."""

    def __init__(self, blobs: BlobServiceClient) -> None:
        self.clock, self.ticks = Clock(), list[TimerTick]()
        self._blobs = blobs

    def listener(self, schedule: str, *, fails: bool = False) -> TimerListener:
        async def run(tick: TimerTick) -> bool:
            self.ticks.append(tick)
            if fails:
                raise RuntimeError("the host died")
            return True

        path, read = "timers/x/tick/status", Schedule.parse(schedule)
        return TimerListener(self._blobs, path, read, run, at_start=False, clock=self.clock)


@pytest.fixture
async def timers(storage: str) -> AsyncIterator[Timers]:
    async with BlobServiceClient.from_connection_string(storage) as blobs:
        yield Timers(blobs)


async def test_a_timer_whose_expression_is_none_is_disabled_alone(storage: str, tmp_path: Path) -> None:
    async with Probe(storage, tmp_path) as probe, probe.host(TICK="every now and then") as host:
        assert (await ask(host.url, "/api/e/x")).status == 200
        await probe.send("fails", "sleep0")
        await probe.recorded("fails", 1)
        await eventually(
            lambda: "The 'tick' function is in error" in host.log, within=5, why="the host says which one"
        )


async def test_an_occurrence_runs_once_however_many_hosts_there_are(timers: Timers) -> None:
    one, other = (timers.listener("0 */5 * * * *") for _ in range(2))
    due = await one.first()
    assert due == await other.first() == MORNING + timedelta(minutes=5)
    timers.clock.now = due
    await one.fire(due)
    await other.fire(due)
    assert len(timers.ticks) == 1


async def test_an_occurrence_that_was_missed_is_made_up_for_once_and_is_past_due(timers: Timers) -> None:
    await timers.listener("0 */5 * * * *").first()
    timers.clock.now = MORNING + timedelta(hours=1, minutes=2)
    started_again = timers.listener("0 */5 * * * *")
    due = await started_again.first()
    assert due == MORNING + timedelta(minutes=5)
    await started_again.fire(due)
    assert [tick.past_due for tick in timers.ticks] == [True]
    assert await started_again.first() == MORNING + timedelta(hours=1, minutes=5)


async def test_an_occurrence_that_a_host_died_with_is_run_again(timers: Timers) -> None:
    dying = timers.listener("0 */5 * * * *", fails=True)
    timers.clock.now = due = await dying.first()
    with pytest.raises(RuntimeError):
        await dying.fire(due)
    assert await timers.listener("0 */5 * * * *").first() == due


async def test_of_a_schedule_of_less_than_a_minute_nothing_is_made_up_for(timers: Timers) -> None:
    often = timers.listener("*/20 * * * * *")
    timers.clock.now = await often.first()
    await often.fire(timers.clock.now)
    timers.clock.now = MORNING + timedelta(hours=1, seconds=5)
    assert await timers.listener("*/20 * * * * *").first() == MORNING + timedelta(hours=1, seconds=20)
    assert [(tick.status, tick.past_due) for tick in timers.ticks] == [(None, False)]
