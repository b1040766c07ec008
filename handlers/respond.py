"""respond: a person approves, holds, resumes, skips or raises; who and why travel with the word.

It writes no record: the word goes to the run's queue under its own id and is applied once by `advance`.
"""

import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from handlers.cloud.names import RUNS, checked_tracking_id, run_path
from handlers.cloud.records import StorageDown
from handlers.wire.documents import BadRecord, NewerRecord, decode_run
from handlers.wire.http import Request, Response, json_response
from handlers.wire.messages import PersonEvent, RunMessage
from handlers.wiring import Wiring
from planner.people import cannot_let_pass
from planner.raising import RAISABLE, checked_raise
from planner.run import ACTIVE, Run

log = logging.getLogger(__name__)

type Word = Literal["approve", "hold", "resume", "skip", "raise", "let-pass"]
ACTIONS: tuple[Word, ...] = ("approve", "hold", "resume", "skip", "raise", "let-pass")
PRINCIPAL = "x-ms-client-principal-name"
"""Set by App Service authentication in front of the app: then the actor is who signed in."""

LARGEST_BODY = 64 * 1024
LONGEST_RAISE, LONGEST_NAME = 400, 200
_ABOUT = ("actor", "comment", "checksum", "instances", "domains")
LONGEST_ACTOR, LONGEST_COMMENT, MOST_NAMES = 200, 2000, 1000
LARGEST_MESSAGE = 45_000
"""Bytes that fit into one queue message (64 KiB in base64) with its envelope."""


class _Refused(Exception):
    """The request cannot be carried out; with the status and the sentence to answer."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class _Said:
    """What the person says."""

    action: Word
    actor: str
    comment: str
    checksum: str
    instances: tuple[str, ...]
    domains: tuple[str, ...]
    raised: Mapping[str, str]


async def handle(request: Request, wiring: Wiring) -> Response:
    """202 when the word is on its way; 400, 404, 409 with a sentence; 503 when storage is down.

    Route parameters: `wave`, `subscription`, `group`, `name`, `action`.
    """
    try:
        said = _said(request)
        run = await _run(request.path_parameters, wiring)
        _check(said, run)
        event = PersonEvent(
            id=f"person-{uuid.uuid4()}",
            kind=said.action,
            actor=said.actor,
            comment=said.comment,
            at=wiring.now(),
            checksum=said.checksum,
            instances=said.instances,
            domains=said.domains,
            raised=dict(said.raised),
        )
        message = _message(run, event, request.headers.get("traceparent", ""))
        await wiring.queues.send(RUNS, message)
    except _Refused as refused:
        return json_response(refused.status, {"status": "refused", "reason": refused.sentence})
    except (StorageDown, NewerRecord) as error:
        log.warning("respond.later", extra={"reason": str(error)})
        reason = f"This cannot be taken right now, try again in a minute: {error}"
        return json_response(503, {"status": "refused", "reason": reason}, {"Retry-After": "30"})
    log.info("respond.taken", extra={"action": said.action, "event": event.id, "scale_set": run.target.id})
    return json_response(
        202,
        {
            "status": "accepted",
            "id": event.id,
            "action": said.action,
            "actor": said.actor,
            "scale_set": run.target.id,
            "state": run.state.value,
        },
    )


def _message(run: Run, event: PersonEvent, traceparent: str) -> RunMessage:
    message = RunMessage(
        subscription=run.target.subscription,
        resource_group=run.target.resource_group,
        name=run.target.name,
        generation=run.generation,
        event=event,
        traceparent=traceparent[:200],
    )
    size = len(message.model_dump_json().encode())
    if size > LARGEST_MESSAGE:
        raise _Refused(400, f"This is too much at once ({size} bytes): say it in several requests.")
    return message


def _said(request: Request) -> _Said:
    action = request.path_parameters.get("action", "")
    if action not in ACTIONS:
        raise _Refused(400, f"{action[:40]!r} is not an action; use {', '.join(ACTIONS)}.")
    given = _given(request)
    actor = _line(request.headers.get(PRINCIPAL)) or _line(given.get("actor"))
    if not actor:
        raise _Refused(400, "Say who you are: `actor` is missing. It is recorded in the run's history.")
    comment = given.get("comment") or ""
    if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT or "\x00" in comment:
        raise _Refused(400, f"`comment` must be text of at most {LONGEST_COMMENT} characters.")
    instances = _names(given.get("instances"), "instances", ",")
    domains = _names(given.get("domains"), "domains", ";")
    if (instances or domains) and action != "skip":
        which = "instances" if instances else "domains"
        raise _Refused(400, f"`{which}` belongs to skip; {action} is about the whole scale set.")
    # A misspelt `domains` must not skip everything.
    strange = [str(key)[:40] for key in given if key not in _ABOUT]
    if strange and action != "raise":
        raise _Refused(400, f"`{strange[0]}` is nothing that {action} knows; use {', '.join(_ABOUT)}.")
    return _Said(
        action=action,
        actor=actor[:LONGEST_ACTOR],
        comment=comment.strip(),
        checksum=_line(given.get("checksum"))[:128],
        instances=instances,
        domains=domains,
        raised=_raised(given) if action == "raise" else {},
    )


def _raised(given: Mapping[str, Any]) -> Mapping[str, str]:
    """What to raise for this run: keys of the policy beside who and why."""
    found: dict[str, str] = {}
    for key, value in given.items():
        if key in _ABOUT:
            continue
        if not isinstance(value, str | int) or isinstance(value, bool) or len(str(value)) > LONGEST_RAISE:
            raise _Refused(400, f"`{key[:40]}` must be text of at most {LONGEST_RAISE} characters.")
        try:
            found[checked_raise(key, str(value))] = str(value)
        except ValueError as error:
            raise _Refused(400, f"This cannot be raised: {error}.") from error
    if not found:
        raise _Refused(400, f"Say what to raise for this run: {', '.join(RAISABLE)}, such as soak=10m.")
    return found


def _given(request: Request) -> Mapping[str, Any]:
    """The fields of a JSON object or of a form; none for an empty body."""
    if len(request.body) > LARGEST_BODY:
        raise _Refused(400, f"The body has {len(request.body)} bytes; at most {LARGEST_BODY} are taken.")
    try:
        text = request.body.decode()
        text.encode()
        if not text.strip():
            return {}
        # curl says "form" of whatever it is given with -d.
        form = "form-urlencoded" in request.headers.get("content-type", "")
        if form and not text.lstrip().startswith("{"):
            return dict(parse_qsl(text, strict_parsing=True, max_num_fields=50, errors="strict"))
        given = json.loads(text)
        json.dumps(given, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise _Refused(400, "The body is neither a JSON object nor a form in UTF-8.") from error
    if not isinstance(given, dict):
        raise _Refused(400, "The body is JSON, but no object.")
    return given


def _line(value: Any) -> str:
    return " ".join(value.replace("\x00", " ").split()) if isinstance(value, str) else ""


def _names(value: Any, field: str, separator: str) -> tuple[str, ...]:
    """A JSON list, or names between separators as a form sends them; a domain's name may hold commas."""
    if value is None:
        return ()
    names = value.split(separator) if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(one, str | int) for one in names):
        raise _Refused(400, f"`{field}` must be a list of names.")
    found = tuple(dict.fromkeys(str(one).strip() for one in names if str(one).strip()))
    if not found:
        raise _Refused(400, f"`{field}` names nothing; leave it out to say it of all that is left.")
    if len(found) > MOST_NAMES or any(len(one) > LONGEST_NAME for one in found):
        raise _Refused(
            400, f"At most {MOST_NAMES} {field} at a time, each of at most {LONGEST_NAME} characters."
        )
    return found


async def _run(given: Mapping[str, str], wiring: Wiring) -> Run:
    try:
        tracking_id = checked_tracking_id(given.get("wave", ""))
        path = run_path(given.get("subscription", ""), given.get("group", ""), given.get("name", ""))
    except ValueError as error:
        raise _Refused(404, str(error)) from error
    stored = await wiring.records.read(path)
    try:
        run = decode_run(stored.body) if stored else None
    except BadRecord as error:
        raise _Refused(409, f"The run's record cannot be read: {error}") from error
    if run is None or tracking_id not in run.waves:
        raise _Refused(404, f"No run of this scale set in the wave {tracking_id} is on record.")
    return run


def _check(said: _Said, run: Run) -> None:
    if run.state not in ACTIVE:
        raise _Refused(409, f"The run is {run.state.value}, there is nothing to {said.action}. {run.reason}")
    if said.checksum and said.checksum != run.checksum:
        raise _Refused(
            409,
            "The plan has changed since you saw it. Look at the run again and decide about the plan "
            f"{run.checksum}.",
        )
    cannot = cannot_let_pass(run) if said.action == "let-pass" else ""
    if cannot:
        raise _Refused(409, cannot)
    known = {one.id for one in run.passages}
    strange = [one for one in said.instances if one not in known]
    if strange:
        raise _Refused(400, f"The plan has no instance {', '.join(strange)[:200]}.")
    domains = {batch.domain for batch in run.batches}
    strange = [one for one in said.domains if one not in domains]
    if strange:
        raise _Refused(
            400,
            f"The plan has no domain {'; '.join(strange)[:200]}. It has {'; '.join(sorted(domains))[:400]}.",
        )
