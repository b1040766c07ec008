"""Records and queues in memory behave as the protocols expect of the real ones."""

from datetime import timedelta

import pytest

from handlers.cloud.memory import MemoryQueues, MemoryRecords
from handlers.cloud.records import Absent, Conflict
from handlers.wire.ids import ALERTS, SCALE_SETS
from handlers.wire.messages import AlertMessage
from tests.handlers.parts import Clock


async def test_a_document_is_replaced_only_under_its_etag():
    records = MemoryRecords(Clock())
    etag = await records.create("runs/a.json", b"1", {"state": "scheduled"})
    with pytest.raises(Conflict):
        await records.create("runs/a.json", b"2")
    new = await records.write("runs/a.json", b"2", etag=etag)
    with pytest.raises(Conflict):
        await records.write("runs/a.json", b"3", etag=etag)
    with pytest.raises(Conflict):
        await records.write("runs/b.json", b"3", etag=etag)
    assert await records.read_if_changed("runs/a.json", new) is None
    assert (await records.read_if_changed("runs/a.json", etag)).body == b"2"


async def test_a_listing_has_what_begins_so_in_order_with_its_times():
    clock = Clock()
    records = MemoryRecords(clock)
    etag = await records.create("runs/b.json", b"")
    await records.create("runs/a.json", b"", {"v": "1"})
    await records.create("waves/a.json", b"")
    clock.forward(hours=1)
    await records.write("runs/b.json", b"", etag=etag)
    first, second = await records.list("runs/")
    assert (first.path, first.metadata, second.path) == ("runs/a.json", {"v": "1"}, "runs/b.json")
    assert second.modified - second.created == timedelta(hours=1)


async def test_what_is_deleted_is_gone_unless_somebody_has_written_it():
    records = MemoryRecords(Clock())
    etag = await records.create("claims/a", b"")
    with pytest.raises(Conflict):
        await records.delete("claims/a", etag="other")
    await records.delete("claims/a", etag=etag)
    await records.delete("claims/a")
    assert await records.read("claims/a") is None
    with pytest.raises(Absent):
        await records.read_if_changed("claims/a", etag)


async def test_messages_are_taken_once_in_the_order_in_which_they_were_sent():
    queues = MemoryQueues(Clock())
    messages = [AlertMessage(alert=each * 64) for each in "ab"]
    for message in messages:
        await queues.send(ALERTS, message, delay=timedelta(days=1))
    await queues.send_text(SCALE_SETS, "x")
    assert (await queues.lengths())[ALERTS] == 2
    assert queues.drain(ALERTS) == [message.model_dump_json() for message in messages]
    assert queues.drain(ALERTS) == []
    assert queues.drain(SCALE_SETS) == ["x"]
