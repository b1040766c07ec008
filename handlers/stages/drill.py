"""drill: a person begins a drill, or ends it; what happens in between the other stages do, as in a wave."""

from typing import Any

from handlers.cloud.records import Conflict, StorageDown
from handlers.log import logger
from handlers.waves import drills
from handlers.wire.command_request import PRINCIPAL, Refused, given_in
from handlers.wire.drill_record import BadDrill, asked
from handlers.wire.http import Request, Response, json_response
from handlers.wiring import Wiring
from handlers.words import answers as words
from planner.azure.wave import Stage

log = logger(__name__)


async def handle(request: Request, wiring: Wiring) -> Response:
    """Begin one: 201 with its `alert`, which whoever asked posts to /api/alerts.

    With `wave` in the route that one is ended: 202. 400 for what is no drill, 404 for a wave that is none,
    503 while storage is down.
    """
    try:
        if tracking_id := request.path_parameters.get("wave", ""):
            return await _ended(tracking_id, wiring)
        return await _begun(request, wiring)
    except Refused as refused:
        return json_response(refused.status, {"status": "refused", "reason": refused.sentence})
    except (StorageDown, Conflict) as error:
        log.warning("drill.later", extra={"why": str(error)})
        body = {"status": "refused", "reason": words.not_right_now(error)}
        return json_response(503, body, {"Retry-After": "30"})


async def _begun(request: Request, wiring: Wiring) -> Response:
    given: dict[str, Any] = dict(given_in(request))
    if wiring.settings.platform_auth and request.headers.get(PRINCIPAL):
        given["actor"] = request.headers[PRINCIPAL]
    try:
        drill = await drills.begin(asked(given), wiring)
    except BadDrill as error:
        raise Refused(400, str(error)) from error
    return json_response(
        201,
        {
            "status": "accepted",
            "tracking_id": drill.tracking_id,
            "subscription": drill.subscription,
            "ends_at": drill.ends_at.isoformat(),
            "scale_sets": [each.name for each in drill.scale_sets],
            "alert": drills.announcement(drill, Stage.PLANNED, drill.began_at),
            "reason": words.DRILL_ON_RECORD,
        },
    )


async def _ended(tracking_id: str, wiring: Wiring) -> Response:
    drill = await drills.end(tracking_id, wiring)
    if drill is None:
        raise Refused(404, words.no_drill(tracking_id[:80]))
    reason = words.DRILL_ENDED
    return json_response(202, {"status": "accepted", "tracking_id": drill.tracking_id, "reason": reason})
