"""Send an item from the quarantine again, the way it came.

A message goes back to its queue, an alert's body to `receive`. Once accepted it leaves the quarantine.
"""

import json

from handlers.cloud.names import QUARANTINE
from handlers.failures import quarantine
from handlers.stages import receive
from handlers.wire.http import Request
from handlers.wire.ids import QUEUES
from handlers.wire.messages import BadMessage, NewerMessage, parse
from handlers.wiring import Wiring


class NotReplayed(Exception):
    """It stays in quarantine; the text says why."""


async def replay(path: str, wiring: Wiring) -> str:
    """Send one item again; a sentence that says how it went. Raises NotReplayed, BadRecord, StorageDown."""
    # What is replayed is deleted, so the path must not lead out of the quarantine.
    inside = path.startswith(QUARANTINE) and all(part.strip(".") for part in path.split("/"))
    stored = await wiring.records.read(path) if inside else None
    if stored is None:
        raise NotReplayed("There is nothing in quarantine under this path. What was replayed is not kept.")
    kept = quarantine.read(stored)
    if kept.source == quarantine.ALERT:
        answer = await receive.handle(Request("POST", body=kept.body), wiring)
        said = json.loads(answer.body)
        if answer.status >= 300:
            raise NotReplayed(f"It was refused again: {said['reason']}")
        sentence = f"The alert was {said['status']}: {said['reason']}"
    elif kept.source in QUEUES:
        queue = kept.source
        try:
            parse(queue, kept.body)
        except (BadMessage, NewerMessage) as error:
            raise NotReplayed(f"It would fail again: {error}") from error
        await wiring.queues.send_text(queue, kept.body.decode())
        sentence = f"The message is back on the queue {queue}."
    else:
        raise NotReplayed(f"The source {kept.source!r} is unknown.")
    await wiring.records.delete(path, etag=stored.etag)
    return sentence
