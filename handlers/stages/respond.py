"""respond: a person's command is written on the run's record, with who and why, before it is answered.

202 means applied; 409 means refused, with a sentence why, as is a command that would change nothing.
"""

import logging
from collections.abc import Mapping

from handlers.cloud.names import run_path
from handlers.cloud.records import Conflict, StorageDown
from handlers.runs import commands
from handlers.wire.command_request import Refused, read
from handlers.wire.documents import BadRecord, NewerRecord
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wiring import Wiring
from planner.people import skipping
from planner.people.commands import effect, refusal
from planner.record.command import Command, CommandKind
from planner.record.run import Run
from planner.record.states import ACTIVE

log = logging.getLogger(__name__)


async def handle(request: Request, wiring: Wiring) -> Response:
    """202 when the command is on the run's record; 400, 404, 409 with a sentence; 503 when storage is down.

    Route parameters: `wave`, `subscription`, `group`, `name`, `action`.
    """
    try:
        asked = read(request, signed_in=wiring.settings.platform_auth)
        tracking_id, path = _place(request.path_parameters)
        command = asked.command(wiring.now())

        def judge(run: Run) -> None:
            _judge(command, run, tracking_id)

        before, after = await commands.applied(command, path, wiring, judge)
    except Refused as refused:
        return _refused(refused.status, refused.sentence)
    except LookupError:
        return _refused(404, "No run of this scale set is on record.")
    except BadRecord as error:
        return _refused(409, f"The run's record cannot be read: {error}")
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("respond.later", extra={"reason": str(error)})
        reason = f"This cannot be taken right now, try again in a minute: {error}"
        return json_response(503, {"status": "refused", "reason": reason}, {"Retry-After": "30"})
    await commands.wake(after, wiring, request.headers.get("traceparent", ""))
    await commands.tell(before, after, wiring)
    log.info("respond.taken", extra={"action": asked.kind, "event": command.id, "scale_set": after.target.id})
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


def _judge(command: Command, run: Run, tracking_id: str) -> None:
    """Raise Refused where the command is not for this run, not for its plan, or would change nothing."""
    if tracking_id not in run.waves:
        raise Refused(404, f"No run of this scale set in the wave {tracking_id} is on record.")
    sentence = refusal(run, command)
    if (
        run.state in ACTIVE
        and command.kind is not CommandKind.APPROVE
        and command.checksum not in {"", run.people.checksum}
    ):
        sentence = (
            "The plan has changed since you saw it. Look at the run again and decide about the plan "
            f"{run.people.checksum}."
        )
    if run.state in ACTIVE and command.kind is CommandKind.SKIP:
        # A misspelt name among right ones must not pass unseen.
        sentence = sentence or skipping.unknown(run, command)
    if sentence:
        raise Refused(409, sentence)
