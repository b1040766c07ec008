"""What the sweep takes for lost: notices that no message on its way would have told."""

from dataclasses import replace
from datetime import timedelta

import pytest

from handlers.waves.notices_lost import Line, line, some_lost
from handlers.wire.documents import run_metadata
from planner.notices.delivery import ChannelState, Delivery
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Urgency
from planner.record.states import InstanceState, RunState
from planner.record.waits import Alarm
from tests.altered import altered
from tests.notices import HOUR, NOW, notice, run

MINUTE = timedelta(minutes=1)
GRACE = 3 * MINUTE
WEB = Line("runs/web", "shop", last=3, asks=0, pages=False)


def known(told: int, follow_up: timedelta | None = None, receiver: str = "shop") -> Delivery:
    return Delivery(
        "W",
        receiver,
        {"email": ChannelState(told={"runs/web": told})},
        follow_up=NOW + follow_up if follow_up is not None else None,
    )


@pytest.mark.parametrize(
    ("each", "delivery", "lost"),
    [
        (WEB, known(3), False),
        (WEB, known(2), True),
        (WEB, known(2, MINUTE), False),
        (WEB, known(2, -2 * MINUTE), False),  # it may be under way
        (WEB, known(2, -3 * MINUTE), True),
        (WEB, known(2, 20 * HOUR), False),  # gathered
        (replace(WEB, asks=3), known(2, 20 * HOUR), True),  # and asks
        (replace(WEB, asks=2), known(2, 20 * HOUR), False),  # has been asked
        (replace(WEB, asks=3), known(2, 10 * MINUTE), False),
        (WEB, known(2, MINUTE, receiver="ops"), True),  # another one's message tells it nothing
        (replace(WEB, pages=True), known(3, MINUTE), True),
    ],
)
def test_a_notice_is_lost_when_no_message_will_tell_its_receiver_soon_enough(
    each: Line, delivery: Delivery, lost: bool
):
    assert some_lost([each], [delivery], NOW, GRACE) is lost


def test_the_listing_says_who_is_told_what_asks_and_what_pages():
    quiet = line("p", run_metadata(run("web", notice(1), receiver="Shop")))
    assert quiet == Line("p", "shop", last=1, asks=0, pages=False)
    asks = run("web", notice(1), notice(2, Kind.STALLED, Urgency.ACT), notice(3))
    assert line("p", run_metadata(asks)).asks == 2
    down = InstanceProgress("1", state=InstanceState.FAILED, begun=True)
    paged = altered(run("web", notice(1), state=RunState.PAUSED), alarm=Alarm(1, ("1",), NOW))
    paged = replace(paged, batches=(replace(paged.batches[0], instances=(down,)),))
    assert line("p", run_metadata(paged)).pages
    taken = altered(paged, alarm=Alarm(1, ("1",), NOW, taken_by="Ana", taken_at=NOW))
    assert not line("p", run_metadata(taken)).pages
    assert line("p", {}) == Line("p", "nobody", 0, 0, pages=False)
