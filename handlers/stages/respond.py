"""respond: a person's command is written on the run's record, with who and why, before it is answered.

202 means applied; 409 means refused, with a sentence why, as is a command that would change nothing.
"""

from collections.abc import Mapping

from handlers.cloud.names import run_path
from handlers.cloud.records import Conflict, StorageDown
from handlers.log import about, logger
from handlers.runs import commands
from handlers.wire.command_request import Refused, read
from handlers.wire.documents import BadRecord, NewerRecord
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wiring import Wiring
from handlers.words import answers as words
from planner.people.commands import effect

log = logger(__name__)


async def handle(request: Request, wiring: Wiring) -> Response:
    """202 when the command is on the run's record; 400, 404, 409 with a sentence; 503 when storage is down.

    Route parameters: `wave`, `subscription`, `group`, `name`, `action`.
    """
    try:
        asked = read(request, signed_in=wiring.settings.platform_auth)
        tracking_id, path = _place(request.path_parameters)
        command = asked.command(wiring.now())
        traceparent = request.headers.get("traceparent", "")
        with about(wave=tracking_id, run=path):
            before, after = await commands.taken(command, path, tracking_id, wiring, traceparent)
            log.info("respond.taken", extra={"action": asked.kind, "event": command.id, "actor": asked.actor})
    except Refused as refused:
        return _refused(refused.status, refused.sentence)
    except LookupError:
        return _refused(404, words.NO_RUN)
    except BadRecord as error:
        return _refused(409, words.run_unreadable(error))
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("respond.later", extra={"why": str(error)})
        reason = words.not_right_now(error)
        return json_response(503, {"status": "refused", "reason": reason}, {"Retry-After": "30"})
    return json_response(
        202,
        {
            "status": "accepted",
            "id": command.id,
            "action": asked.kind.value,
            "actor": asked.actor,
            "scale_set": after.target.id,
            "state": after.state.value,
            "reason": effect(before, after, command),
        },
    )


def _refused(status: int, reason: str) -> Response:
    return json_response(status, {"status": "refused", "reason": reason})


def _place(given: Mapping[str, str]) -> tuple[str, str]:
    """The wave, and the path of the run's record."""
    try:
        tracking_id = checked_tracking_id(given.get("wave", ""))
        path = run_path(given.get("subscription", ""), given.get("group", ""), given.get("name", ""))
    except ValueError as error:
        raise Refused(404, str(error)) from error
    return tracking_id, path
