"""health: whether storage answers, what waits, what is stuck, and whether everything is stopped."""

import asyncio
import json
from typing import Any

from handlers.cloud.names import QUARANTINE, SWEEP_STATE
from handlers.cloud.records import StorageDown
from handlers.log import logger
from handlers.wire.http import Response, json_response
from handlers.wiring import Wiring
from handlers.words.answers import storage_silent

log = logger(__name__)

LONGEST_SECONDS = 8


async def handle(wiring: Wiring) -> Response:
    """200 with the figures, or 503 with a sentence. Anonymous: nothing about anybody's scale sets."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            depths, quarantined, swept = await asyncio.gather(
                wiring.queues.lengths(), wiring.records.list(QUARANTINE), wiring.records.read(SWEEP_STATE)
            )
    except (StorageDown, TimeoutError) as error:
        reason = str(error) or storage_silent(LONGEST_SECONDS)
        log.warning("health.down", extra={"why": reason})
        return json_response(503, {"status": "down", "reason": reason}, {"Retry-After": "10"})
    policy, state = wiring.policy(), _state(swept.body) if swept else {}
    stopped = wiring.stopped()
    return json_response(
        200,
        {
            "status": "stopped" if stopped else "ok",
            "queues": depths,
            "quarantine": len(quarantined),
            "last_sweep": state.get("swept_at"),
            "missing_rights": _missing_rights(state),
            "stopped": bool(stopped),
            "stopped_by": stopped or None,
            "policy_problem": policy.problem or None,
        },
    )


def _state(body: bytes) -> dict[str, Any]:
    """What the sweep keeps, whatever version wrote it."""
    try:
        state = json.loads(body)
    except ValueError:
        return {}
    return state if isinstance(state, dict) else {}


def _missing_rights(state: dict[str, Any]) -> list[str] | None:
    """By their names alone, whichever subscription lacks them; None where that is not known."""
    known = state.get("rights")
    if not isinstance(known, dict) or not known or any(each.get("unread") for each in known.values()):
        return None
    return sorted({action for each in known.values() for action in each.get("missing", ())})
