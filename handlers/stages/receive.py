"""receive: an alert's body is stored as it came and queued, nothing else is on the path.

Action groups retry only 408, 429, 503 and 504, so any trouble of our own is answered 503.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from handlers.cloud.names import alert_path
from handlers.cloud.records import Conflict, StorageDown
from handlers.failures.quarantine import ALERT, keep
from handlers.log import logger
from handlers.wire.alerts import NotAnAlert, NotForUs, alert_hash, alert_metadata, read_alert
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import ALERTS, NOTICES
from handlers.wire.messages import AlertMessage, NoticeMessage
from handlers.wire.versions import BadRecord, NewerRecord
from handlers.wiring import Wiring
from handlers.words import answers as words
from handlers.words.trouble import alert_refused
from planner.azure.wave import Announcement

log = logger(__name__)

LARGEST_BODY = 1024 * 1024
"""Bytes; a common-schema alert has at most 256 KB."""

LONGEST_SECONDS = 8
"""An action group does not wait for long, and it calls again after 503."""

RETRY_AFTER_SECONDS = 10


async def handle(request: Request, wiring: Wiring) -> Response:
    """Answer one delivery of an alert; never raises, never 500."""
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            return await _handled(request, wiring)
    except (StorageDown, TimeoutError) as error:
        log.warning("receive.storage_down", extra={"why": str(error)})
        reason = words.STORAGE_DOWN
    except Exception:
        log.exception("receive.failed")
        reason = words.UNEXPECTED
    return _answer(503, "rejected", reason, headers={"Retry-After": str(RETRY_AFTER_SECONDS)})


async def _handled(request: Request, wiring: Wiring) -> Response:
    now, body = wiring.now(), request.body
    if len(body) > LARGEST_BODY:
        log.warning("receive.too_large", extra={"bytes": len(body)})
        reason = words.too_large(len(body), LARGEST_BODY)
        return _answer(413, "rejected", reason)
    try:
        alert = read_alert(body, now)
    except NotAnAlert as error:
        return await _rejected(body, error, request, wiring)
    # In a burst the first alerts are answered while the last ones wait, instead of all at its end.
    async with wiring.taking:
        if isinstance(alert, NotForUs):
            return await _ignored(body, alert, now, request, wiring)
        return await _taken(body, alert, request, wiring)


async def _taken(body: bytes, alert: Announcement, request: Request, wiring: Wiring) -> Response:
    about = {"wave": alert.tracking_id, "alert": alert.alert, "stage": alert.stage.value}
    known = not await _stored(body, alert.alert, alert_metadata(alert), wiring)
    if known and await _discovered(alert, wiring):
        log.info("receive.duplicate", extra=about)
        return _answer(200, "duplicate", words.WORKED_THROUGH, alert.tracking_id)
    await wiring.queues.send(ALERTS, AlertMessage(alert=alert.alert, traceparent=_trace(request)))
    if known:
        log.info("receive.duplicate_queued", extra=about)
        reason = words.QUEUED_AGAIN
        return _answer(200, "duplicate", reason, alert.tracking_id)
    log.info("receive.accepted", extra=about)
    return _answer(202, "accepted", words.QUEUED, alert.tracking_id)


async def _ignored(body: bytes, alert: NotForUs, now: datetime, request: Request, wiring: Wiring) -> Response:
    name = alert_hash(body)
    log.info("receive.ignored", extra={"alert": name, "why": alert.reason, "test": alert.test})
    # Kept as well: if we have misread it, it is not lost.
    sort = "test" if alert.test else "ignored"
    await _stored(body, name, {"v": "1", "kind": sort, "received": now.isoformat()}, wiring)
    if not alert.test:
        return _answer(200, "ignored", alert.reason, alert.tracking_id)
    await wiring.queues.send(NOTICES, NoticeMessage(kind="wired", alert=name, traceparent=_trace(request)))
    reason = words.wired_up(alert.reason)
    return _answer(200, "ignored", reason, alert.tracking_id)


async def _rejected(body: bytes, error: NotAnAlert, request: Request, wiring: Wiring) -> Response:
    log.warning("receive.rejected", extra={"alert": alert_hash(body), "why": error.sentence})

    async def tell(path: str) -> None:
        text = alert_refused(error.sentence, path)
        trace = _trace(request)
        notice = NoticeMessage(kind="quarantined", alert=alert_hash(body), text=text, traceparent=trace)
        await wiring.queues.send(NOTICES, notice)

    # People whose rule sends something like an alert believe that it is heard.
    await keep(ALERT, body, error.sentence, wiring, tell=tell if error.looks_like_one else None)
    return _answer(400, "rejected", error.sentence, error.tracking_id)


async def _stored(body: bytes, name: str, metadata: Mapping[str, str], wiring: Wiring) -> bool:
    """Whether this body is new."""
    with suppress(Conflict):
        await wiring.records.create(alert_path(name), body, metadata)
        return True
    return False


async def _discovered(alert: Announcement, wiring: Wiring) -> bool:
    try:
        wave = await wiring.waves.get(alert.tracking_id, alert.subscription)
    except (BadRecord, NewerRecord):
        # Discover will find out what is wrong with the wave's record.
        log.exception("receive.wave_unreadable", extra={"wave": alert.tracking_id})
        return False
    return wave is not None and alert.alert in wave.discovered


def _trace(request: Request) -> str:
    return request.headers.get("traceparent", "")[:200]


def _answer(
    code: int, status: str, reason: str, tracking_id: str = "", *, headers: Mapping[str, str] | None = None
) -> Response:
    payload = {"tracking_id": tracking_id or None, "status": status, "reason": reason}
    return json_response(code, payload, headers)
