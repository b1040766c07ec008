"""What was seen of Azure stays as it was seen: answers and refusals alike."""

from datetime import timedelta

import pytest

from handlers.cli.seen_azure import SeenAzure
from handlers.cli.snapshot import Subscription, Trouble
from handlers.cloud.errors import Forbidden, NotFound, Refused, Throttled, Unreachable
from planner.azure.fleet import Instance
from planner.azure.usage import Source
from tests.handlers.parts import NOW, SUBSCRIPTION, scale_set

WEB = scale_set("web")


class Live:
    """An Azure that answers once, or refuses, and counts."""

    def __init__(self, answer) -> None:
        self.answer, self.calls = answer, 0

    async def instances(self, found):
        assert found == WEB
        self.calls += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def test_a_thing_is_read_once():
    live = Live((Instance("0"),))
    seen = SeenAzure(Subscription(SUBSCRIPTION), live)
    assert await seen.instances(WEB) == await seen.instances(WEB) == (Instance("0"),)
    assert live.calls == 1
    assert await SeenAzure(seen.seen).instances(WEB) == (Instance("0"),)


@pytest.mark.parametrize(
    "error", [Refused("Odd", "No."), Forbidden("No."), NotFound("No."), Unreachable("No.")]
)
async def test_a_refusal_is_the_same_when_it_is_asked_for_again_and_in_a_snapshot(error):
    live = Live(error)
    seen = SeenAzure(Subscription(SUBSCRIPTION), live)
    for kept in (False, False, True):
        with pytest.raises(type(error), match=r"No\."):
            await (SeenAzure(seen.seen) if kept else seen).instances(WEB)
    assert live.calls == 1
    assert Trouble.of(error).error().__dict__ == error.__dict__


async def test_what_is_throttled_stays_throttled_for_as_long():
    trouble = Trouble.of(Throttled(timedelta(seconds=90)))
    assert trouble.error().retry_after.total_seconds() == 90


async def test_what_a_snapshot_does_not_have_is_unreadable_and_no_proof_of_absence():
    empty = SeenAzure(Subscription(SUBSCRIPTION))
    for ask in (
        empty.planned_maintenance(),
        empty.instances(WEB),
        empty.instance(WEB, "0"),
        empty.scale_set(WEB.id),
    ):
        with pytest.raises(Unreachable, match="not in the snapshot"):
            await ask
    looked = await empty.look_up((WEB,), NOW, ())
    assert set(looked.evidence.unread) == set(Source)
