"""The platform has no worker for polls for a while: nobody is asked for anything, and it is told what happened."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from handlers.stages import advance
from handlers.wire.ids import RUNS
from planner.policy.model import Limits
from planner.record.states import RunState
from planner.words.standing_still import TAKEN_UP_AGAIN
from tests.journeys.test_queue import DAY, M, Queue, names
from tests.world.mailbox import Mailbox
from tests.world.storage import Queued
from tests.world.world import RETRY, STAGES

SETS = names("set", 4)


class Platform(Queue):
    """A world whose host fails every invocation of `advance` before the app is reached, while it is told to."""

    def __init__(self, mailbox: Mailbox) -> None:
        super().__init__(Limits(scale_sets=4), mailbox=mailbox)
        self.workers = True
        self.most: Counter[str] = Counter()
        self.next_sweep = self.clock() + 5 * M

    async def _handle(self, message: Queued) -> None:
        if self.workers or message.queue != RUNS:
            await super()._handle(message)
            return
        message.tries += 1
        self._given_up(message)
        self._again(message, RETRY)
        for text in self.texts(RUNS):
            assert text.count('"event":null') == 1, "nobody asked for a pause"
        self.most[RUNS] = max(self.most[RUNS], len(self.texts(RUNS)))

    async def _sweep(self) -> None:
        await super()._sweep()
        self.next_sweep = self.clock() + 5 * M

    async def without_workers(self, time: timedelta) -> None:
        self.workers = False
        await self.until(self.clock() + time)
        self.workers = True


def taken_up(world: Platform) -> dict[str, int]:
    return {
        name: sum(entry.event == "taken_up" for entry in run.story.history)
        for name, run in world.runs().items()
    }


@pytest.mark.parametrize("minutes", [45, 180])
async def test_runs_go_on_where_they_stood_and_say_once_that_nobody_polled_them(minutes: int) -> None:
    mailbox = Mailbox()
    world = Platform(mailbox)
    await world.announced(dict.fromkeys(SETS, "westeurope"))
    await world.until(
        when=lambda: len([run for run in world.runs().values() if run.state is RunState.RUNNING]) == 4
    )
    starts = len(list(world.fleet.ledger.starts("customer")))
    await world.without_workers(minutes * M)
    assert len(list(world.fleet.ledger.starts("customer"))) == starts
    assert {run.state for run in world.runs().values()} == {RunState.RUNNING}
    assert world.most[RUNS] <= 2 * len(SETS), "the sweep adds no copy to copies"

    await world.until(world.clock() + 20 * M)
    assert taken_up(world) == dict.fromkeys(SETS, 1)
    await world.until(world.clock() + DAY, when=world.over)
    assert {run.state for run in world.runs().values()} == {RunState.COMPLETED}
    assert taken_up(world) == dict.fromkeys(SETS, 1)
    told = [mail.message.text for mail in mailbox.mails if TAKEN_UP_AGAIN[:40] in mail.message.text]
    assert 1 <= len(told) <= 2, "the first at once, all others together"
    assert not [path for path in world.records.documents if path.startswith("quarantine/")]
    assert not [mail for mail in mailbox.mails if "needs your action" in mail.message.subject]


async def test_a_short_absence_is_not_worth_a_word() -> None:
    world = Platform(Mailbox())
    await world.announced(dict.fromkeys(SETS, "westeurope"))
    await world.until(when=lambda: bool(world.runs()) and all(run.begun for run in world.runs().values()))
    await world.without_workers(12 * M)
    await world.until(world.clock() + DAY, when=world.over)
    assert {run.state for run in world.runs().values()} == {RunState.COMPLETED}
    assert taken_up(world) == dict.fromkeys(SETS, 0)


async def test_what_the_app_itself_fails_on_still_pauses_its_run(monkeypatch) -> None:
    world = Platform(Mailbox())
    await world.announced(dict.fromkeys(SETS, "westeurope"))
    await world.until(when=lambda: bool(world.runs()) and all(run.begun for run in world.runs().values()))
    real = advance.handle

    async def broken(message: Any, wiring: Any) -> None:
        if getattr(message, "name", "") == "set00" and message.event is None:
            raise KeyError("x")
        await real(message, wiring)

    monkeypatch.setitem(STAGES, RUNS, broken)
    await world.until(world.clock() + 40 * M)
    assert world.run_of("set00").state is RunState.PAUSED
    assert [path for path in world.records.documents if path.startswith("quarantine/")]
