"""Look-ups that outlast their time: what was read counts, and what was not says how far the reading came."""

import asyncio
from datetime import timedelta

from handlers.cloud.lookups import look_up
from planner.azure.usage import Source
from tests.handlers.cloud.answers import AT, WEB, event, setting
from tests.handlers.parts import NOW, FakeCompute

AT_ONCE = timedelta(milliseconds=50)


class Slow(FakeCompute):
    """So many pages of a list, and then nothing more, ever."""

    def __init__(self, word: str, pages: int) -> None:
        super().__init__(WEB)
        self.word, self.most = word, pages

    async def pages(self, path):
        if self.word.lower() not in path.lower():
            async for page in super().pages(path):
                yield page
            return
        for number in range(self.most):
            yield [event(correlationId=f"c{number}", eventDataId=f"e{number}")]
        await asyncio.Event().wait()


async def test_an_activity_log_without_end_says_how_far_it_was_read_and_what_was_read_counts():
    azure = Slow("Microsoft.Compute%27", 4)
    azure.lists = {"autoscalesettings": [setting()]}
    looked = await look_up(azure, [WEB], NOW, [WEB], within=AT_ONCE)
    assert looked.trouble is None, "another try would come no further"
    assert looked.evidence.of(WEB.key).stops == 4
    assert looked.evidence.of(WEB.key).to_zero, "the other lists were read to their ends"
    assert looked.evidence.unread.keys() == {Source.ACTIVITY_LOG}
    said = looked.evidence.unread[Source.ACTIVITY_LOG]
    assert said.startswith("The activity log could not be read to the end within ")
    assert "4 pages read (4 records of Microsoft.Compute, back to Fri 20 Nov 2026 08:00 UTC)" in said
    assert said.endswith("then time ran out.")
    assert AT.startswith("2026-11-20T08:00")


async def test_a_list_that_never_begins_is_read_again_later():
    looked = await look_up(Slow("schedules", 0), [WEB], NOW, [WEB], within=AT_ONCE)
    assert looked.trouble is not None
    assert looked.evidence.unread.keys() == {Source.SCHEDULES}
    assert "Azure showed nothing of it within" in looked.evidence.unread[Source.SCHEDULES]
