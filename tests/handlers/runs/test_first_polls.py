"""First polls of runs that were planned together: those due at about the same time share a message."""

import json
from datetime import timedelta

import pytest

from handlers.wire.bundles import texts_in
from handlers.wire.ids import RUNS
from tests.handlers.parts import NOW, Clock, TestWiring, run


class Texts(TestWiring):
    """Remembers the texts sent to `runs`, with their delays."""

    def __init__(self, storage: str) -> None:
        super().__init__(storage, Clock())
        self.texts: list[tuple[list[str], timedelta]] = []

        async def send_text(queue: str, text: str, *, delay: timedelta = timedelta(0)) -> None:
            alone = texts_in(RUNS, text) or (text,)
            self.texts.append((sorted(json.loads(one)["name"] for one in alone), delay))

        self.queues.send_text = send_text  # type: ignore[method-assign]


@pytest.fixture
async def wiring(storage):
    made = Texts(storage)
    yield made
    await made.close()


def due(name: str, **after: float):
    return run(name, due=NOW + timedelta(**after))


async def test_polls_due_within_seconds_share_a_message_that_is_visible_when_the_last_of_them_is(
    wiring,
) -> None:
    await wiring.runs.send_first_polls([due("web", seconds=64), due("api", seconds=60), due("jobs", hours=6)])
    assert wiring.texts == [
        (["api", "web"], timedelta(seconds=64)),
        (["jobs"], timedelta(hours=6)),
    ]


async def test_many_that_are_due_one_after_the_other_are_late_by_seconds_at_most(wiring) -> None:
    await wiring.runs.send_first_polls([due(f"set{each:02}", seconds=each) for each in range(60)])
    seconds = {name: delay.total_seconds() for names, delay in wiring.texts for name in names}
    assert len(seconds) == 60
    assert len(wiring.texts) == 10
    assert all(0 <= delay - int(name.removeprefix("set")) <= 5 for name, delay in seconds.items())


async def test_what_was_due_before_is_polled_at_once_and_more_than_sixteen_are_two_messages(wiring) -> None:
    await wiring.runs.send_first_polls([due(f"set{each:02}", seconds=-each / 10) for each in range(20)])
    assert [(len(names), delay) for names, delay in wiring.texts] == [
        (16, timedelta(0)),
        (4, timedelta(0)),
    ]


async def test_nothing_is_sent_for_no_run(wiring) -> None:
    await wiring.runs.send_first_polls([])
    assert wiring.texts == []
