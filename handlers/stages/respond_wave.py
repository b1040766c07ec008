"""respond_wave: a person's command for a whole wave, to each run that it is for, or to the limits."""

from collections.abc import Sequence

from handlers.cloud.records import Conflict, StorageDown
from handlers.log import logger
from handlers.runs import wave_commands
from handlers.runs.wave_commands import Outcome
from handlers.wire.command_request import Refused
from handlers.wire.documents import NewerRecord
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wire.wave_request import WaveRequest, Which, read
from handlers.wiring import Wiring
from handlers.words import answers as words
from planner.azure.wave import Wave

log = logger(__name__)

NOBODY = {
    Which.LATE: words.NOBODY_LATE,
    Which.WAITING: words.NOBODY_WAITS,
    Which.ALL: words.NOBODY_ACTIVE,
}


async def handle(request: Request, wiring: Wiring) -> Response:
    """202 when at least one run, or the limits, took it; 400, 404, 409 with a sentence; 503 to say it again.

    Route parameters: `wave`, `action`.
    """
    try:
        asked = read(request, signed_in=wiring.settings.platform_auth)
        tracking_id = _tracking_id(request)
        waves = await wave_commands.waves(tracking_id, asked.subscription, wiring)
        if asked.limits:
            return await _limits_raised(asked, waves, wiring)
        return await _said(asked, tracking_id, waves, wiring, request.headers.get("traceparent", ""))
    except Refused as refused:
        return json_response(refused.status, {"status": "refused", "reason": refused.sentence})
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("respond_wave.later", extra={"why": str(error)})
        reason = words.not_right_now(error)
        return json_response(503, {"status": "refused", "reason": reason}, {"Retry-After": "30"})


def _tracking_id(request: Request) -> str:
    try:
        return checked_tracking_id(request.path_parameters.get("wave", ""))
    except ValueError as error:
        raise Refused(404, str(error)) from error


async def _limits_raised(asked: WaveRequest, waves: Sequence[Wave], wiring: Wiring) -> Response:
    said = asked.command
    await wave_commands.raisable(asked.limits, waves, wiring)
    reason = await wave_commands.raise_limits(asked.limits, waves, said.actor, said.comment, wiring)
    return json_response(
        202,
        {
            "status": "accepted",
            "action": said.kind.value,
            "actor": said.actor,
            "limits": dict(asked.limits),
            "subscriptions": [wave.subscription for wave in waves],
            "reason": reason,
        },
    )


async def _said(
    asked: WaveRequest, tracking_id: str, waves: Sequence[Wave], wiring: Wiring, traceparent: str
) -> Response:
    which = asked.which or Which.ALL
    lines = await wave_commands.active(tracking_id, waves, wiring)
    chosen = await wave_commands.chosen(which, lines, wiring)
    if not chosen:
        raise Refused(409, NOBODY[which])

    outcomes = await wave_commands.said(
        lambda: asked.command.command(wiring.now()), chosen, tracking_id, wiring, traceparent
    )
    return _answer(asked, outcomes)


def _answer(asked: WaveRequest, outcomes: Sequence[Outcome]) -> Response:
    refused = [each for each in outcomes if each.refused]
    failed = [each for each in outcomes if each.failed]
    taken = [each.scale_set for each in outcomes if not each.refused and not each.failed]
    status = 503 if failed else 202 if taken else 409
    body = {
        "status": "accepted" if status == 202 else "refused",
        "action": asked.command.kind.value,
        "actor": asked.command.actor,
        "scale_sets": taken,
        "refused": [{"scale_set": each.scale_set, "reason": each.refused} for each in refused],
        "failed": [{"scale_set": each.scale_set, "reason": each.failed} for each in failed],
        "reason": wave_commands.sentence(outcomes),
    }
    log.info("respond_wave.taken", extra={"action": asked.command.kind, "taken": len(taken)})
    return json_response(status, body, {"Retry-After": "30"} if failed else None)
