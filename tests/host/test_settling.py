"""A message that another host has taken over meanwhile is settled by that host."""

import pytest
from azure.core.exceptions import HttpResponseError
from azure.storage.queue.aio import QueueClient

from simulator.host.queues import code


async def test_a_stale_receipt_is_told_from_other_refusals(storage: str) -> None:
    async with QueueClient.from_connection_string(storage, "overtaken") as queue:
        await queue.create_queue()
        await queue.send_message("x")
        taken = await queue.receive_message()
        assert taken is not None
        await queue.update_message(taken, visibility_timeout=0)
        with pytest.raises(HttpResponseError) as refused:
            await queue.delete_message(taken.id, taken.pop_receipt)
        await queue.delete_queue()
    assert code(refused.value) == "PopReceiptMismatch"
