"""respond_wave: a person's command for a whole wave, to each run that it is for, or to the limits.

Each run takes it as if it had been said to it alone: on its own record before it is answered, or refused with
the sentence why. Said again after a 503, what is done already stays as it is.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from handlers.cloud.records import Conflict, Listed, StorageDown
from handlers.cloud.side_by_side import side_by_side
from handlers.repository.runs import place_of
from handlers.runs import commands, limits, queue
from handlers.wire.command_request import Refused
from handlers.wire.documents import BadRecord, NewerRecord, waves_of
from handlers.wire.http import Request, Response, json_response
from handlers.wire.ids import checked_tracking_id
from handlers.wire.wave_request import WaveRequest, Which, read
from handlers.wiring import Wiring
from planner.azure.wave import Wave
from planner.policy.limits import RaisedLimits, numbers
from planner.record.states import ACTIVE
from planner.text.phrases import many

log = logging.getLogger(__name__)

AT_ONCE = 16
"""Runs whose records are written side by side."""

NOBODY = {
    Which.LATE: "Every scale set of the wave that has not begun has a place before its deadline.",
    Which.WAITING: "No scale set of the wave waits to begin.",
    Which.ALL: "No run of the wave is active any more.",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the command at one run: a refusal, or why it could not be written, or neither."""

    scale_set: str
    refused: str = ""
    failed: str = ""


async def handle(request: Request, wiring: Wiring) -> Response:
    """202 when at least one run, or the limits, took it; 400, 404, 409 with a sentence; 503 to say it again.

    Route parameters: `wave`, `action`.
    """
    try:
        asked = read(request, signed_in=wiring.settings.platform_auth)
        tracking_id = _tracking_id(request)
        waves = await _waves(asked, tracking_id, wiring)
        if asked.limits:
            return await _limits_raised(asked, waves, wiring)
        return await _said(asked, tracking_id, waves, wiring, request.headers.get("traceparent", ""))
    except Refused as refused:
        return json_response(refused.status, {"status": "refused", "reason": refused.sentence})
    except (StorageDown, Conflict, NewerRecord) as error:
        log.warning("respond_wave.later", extra={"reason": str(error)})
        reason = f"This cannot be taken right now, try again in a minute: {error}"
        return json_response(503, {"status": "refused", "reason": reason}, {"Retry-After": "30"})


def _tracking_id(request: Request) -> str:
    try:
        return checked_tracking_id(request.path_parameters.get("wave", ""))
    except ValueError as error:
        raise Refused(404, str(error)) from error


async def _waves(asked: WaveRequest, tracking_id: str, wiring: Wiring) -> list[Wave]:
    """The wave's records, one a subscription."""
    waves = await wiring.waves.of(tracking_id)
    found = [wave for wave in waves if asked.subscription in {"", wave.subscription.lower()}]
    if not found:
        where = f" in {asked.subscription}" if asked.subscription else ""
        raise Refused(404, f"No announcement of a wave {tracking_id}{where} is on record.")
    return found


async def _limits_raised(asked: WaveRequest, waves: Sequence[Wave], wiring: Wiring) -> Response:
    for wave in waves:
        now = numbers(await limits.of(wave.subscription, wiring))
        for key, number in asked.limits.items():
            if key not in now:
                raise Refused(409, f"The policy file has no `limits.{key}` that could be raised.")
            if number <= now[key]:
                raise Refused(409, f"`limits.{key}` allows {now[key]} already.")
        if not wave.open:
            raise Refused(409, f"The wave {wave.tracking_id} is over: nothing of it waits for a limit.")
    for wave in waves:
        said = asked.command
        await wiring.raised_limits.add(
            RaisedLimits(
                wave.tracking_id, wave.subscription, asked.limits, said.actor, said.comment, wiring.now()
            )
        )
    await _pass_on({wave.subscription for wave in waves}, wiring)
    log.info("respond_wave.limits", extra={"wave": waves[0].tracking_id, "limits": dict(asked.limits)})
    what = ", ".join(f"`{key}` is {number}" for key, number in asked.limits.items())
    return json_response(
        202,
        {
            "status": "accepted",
            "action": asked.command.kind.value,
            "actor": asked.command.actor,
            "limits": dict(asked.limits),
            "subscriptions": [wave.subscription for wave in waves],
            "reason": f"{what} until the wave is over.",
        },
    )


async def _said(
    asked: WaveRequest, tracking_id: str, waves: Sequence[Wave], wiring: Wiring, traceparent: str
) -> Response:
    lines: list[Listed] = []
    for wave in waves:
        listed = await wiring.runs.of_subscription(wave.subscription, fresh=True)
        lines += [
            line
            for line in listed
            if tracking_id in waves_of(line.metadata) and line.metadata.get("state") in ACTIVE
        ]
    chosen = await _chosen(asked, lines, wiring)
    if not chosen:
        raise Refused(409, NOBODY[asked.which or Which.ALL])

    async def say(line: Listed) -> Outcome:
        return await _one(asked, line, tracking_id, wiring, traceparent)

    outcomes = await side_by_side(say, chosen, AT_ONCE)
    await _pass_on({place_of(line)[0] for line in chosen}, wiring)
    return _answer(asked, outcomes)


async def _chosen(asked: WaveRequest, lines: list[Listed], wiring: Wiring) -> list[Listed]:
    if asked.which is Which.ALL:
        return lines
    waiting = [line for line in lines if "begun" not in line.metadata]
    if asked.which is Which.WAITING:
        return waiting
    late = await queue.late(waiting, wiring)
    return [line for line in waiting if line.path in late]


async def _one(
    asked: WaveRequest, line: Listed, tracking_id: str, wiring: Wiring, traceparent: str
) -> Outcome:
    command, name = asked.command.command(wiring.now()), "/".join(place_of(line)[1:])
    try:
        await commands.taken(command, line.path, tracking_id, wiring, traceparent, pass_on=False)
    except Refused as refused:
        return Outcome(name, refused=refused.sentence)
    except (StorageDown, Conflict, NewerRecord, BadRecord, LookupError) as error:
        log.warning("respond_wave.run_later", extra={"path": line.path, "reason": str(error)})
        return Outcome(name, failed=str(error))
    return Outcome(name)


async def _pass_on(subscriptions: Iterable[str], wiring: Wiring) -> None:
    """Wake whose turn has come; the sweep does it, too."""
    for subscription in sorted(subscriptions):
        try:
            await queue.wake(subscription, wiring)
        except StorageDown as error:
            log.warning("queue.wake_lost", extra={"subscription": subscription, "why": str(error)})


def _answer(asked: WaveRequest, outcomes: Sequence[Outcome]) -> Response:
    refused = [each for each in outcomes if each.refused]
    failed = [each for each in outcomes if each.failed]
    taken = [each.scale_set for each in outcomes if not each.refused and not each.failed]
    status = 503 if failed else 202 if taken else 409
    reason = f"{many(len(taken), 'scale set')} took it."
    if refused:
        one = refused[0]
        reason += f" {many(len(refused), 'scale set')} did not, such as {one.scale_set}: {one.refused}"
    if failed:
        reason += (
            f" {many(len(failed), 'scale set')} could not be reached, such as {failed[0].scale_set}: "
            f"{failed[0].failed} Say it again in a minute: what is done stays as it is."
        )
    body = {
        "status": "accepted" if status == 202 else "refused",
        "action": asked.command.kind.value,
        "actor": asked.command.actor,
        "scale_sets": taken,
        "refused": [{"scale_set": each.scale_set, "reason": each.refused} for each in refused],
        "failed": [{"scale_set": each.scale_set, "reason": each.failed} for each in failed],
        "reason": reason,
    }
    log.info("respond_wave.taken", extra={"action": asked.command.kind, "taken": len(taken)})
    return json_response(status, body, {"Retry-After": "30"} if failed else None)
