"""The terminal's log says what an event is about."""

import logging

from simulator.host.log import Detailed


def test_a_line_has_the_events_details_on_one_line_and_nothing_where_there_are_none() -> None:
    shown = Detailed("%(levelname)s %(name)s: %(message)s")
    usual = {"name": "handlers.stages.receive", "levelname": "WARNING", "msg": "receive.rejected"}
    assert shown.format(logging.makeLogRecord(usual)) == "WARNING handlers.stages.receive: receive.rejected"
    told = logging.makeLogRecord({**usual, "alert": "ab12", "reason": "It is\nno JSON."})
    assert shown.format(told).endswith("receive.rejected (alert=ab12 reason=It is no JSON.)")
