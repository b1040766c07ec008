"""The JSON Schema of what a webhook gets, each type of event with an example: docs/events.schema.json."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from handlers.channels.http import SCHEMA, TYPE, cloud_event
from handlers.render.addresses import Addresses
from handlers.render.compose import compose, standalone
from handlers.render.forms import render
from handlers.render.letter import Letter, Story
from handlers.render.vocabulary import STANDALONE
from handlers.render.webhook import KINDS, Data
from planner.azure.fleet import Interval, Orchestration
from planner.azure.wave import Announcement, Stage, Wave
from planner.notices.digest import Overview
from planner.record.batch import Batch
from planner.record.command import CommandKind
from planner.record.instance import InstanceProgress
from planner.record.notice import Kind, Notice, Urgency
from planner.record.run import People, Run, Target, Terms, Times, Verdict
from planner.record.states import BatchState, InstanceState, RunState
from planner.words.standing_still import TAKEN_UP_AGAIN

NOW = datetime(2026, 12, 5, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WAVE, SUBSCRIPTION = "VM8T-1Q8", "12345678-1234-1234-1234-1234567890ab"
NIGHT = datetime(2026, 12, 6, 1, 0, tzinfo=UTC)

ASKS = frozenset({Kind.APPROVAL, Kind.PAUSED, Kind.STALLED, Kind.REMINDER, Kind.SLACK, Kind.TROUBLE})
SENTENCES = {
    Kind.REPLANNED: "The windows of the policy have changed: the first start moves to Sunday.",
    Kind.APPROVAL: "The plan waits for approval.",
    Kind.STARTED: "Maintenance has begun with domain 0.",
    Kind.PAUSED: "Instance 1 did not come back within 60 min of its start.",
    Kind.RESUMED: "Ana resumed it: the disk is back.",
    Kind.LATE: TAKEN_UP_AGAIN,
    Kind.TROUBLE: "Azure has not answered since 02:14.",
    Kind.STALLED: "It has waited for a place under the limits for 4 hours.",
    Kind.REMINDER: "It still waits for approval.",
    Kind.SLACK: "Time is short: by its forecast it ends 2 hours after its deadline.",
    Kind.COMPLETED: "All 2 instances are maintained.",
    Kind.MISSED: "The self-service window closed before 1 instance was started.",
    Kind.CANCELLED: "Azure cancelled the wave.",
}


def schema() -> dict[str, Any]:
    """The schema of an event: the envelope, the data they share, and what is special about each type."""
    data = TypeAdapter(Data).json_schema(mode="serialization", ref_template="#/$defs/{model}")
    shared = data.pop("$defs")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA,
        "title": "What Breakwater tells a webhook",
        "description": "A CloudEvent 1.0 in structured mode. Fields are added, never renamed or removed.",
        "type": "object",
        "required": ["specversion", "id", "source", "type", "subject", "time", "dataschema", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                "type": "string",
                "description": "The message: the same whenever it is sent, and the `Idempotency-Key`.",
            },
            "source": {"type": "string", "description": "Where the app is reached (BREAKWATER_PUBLIC_URL)."},
            "type": {"enum": [f"{TYPE}{kind}" for kind in KINDS]},
            "subject": {
                "type": "string",
                "description": "The ARM id of the scale set where it is about one alone, else the wave.",
            },
            "time": {
                "type": "string",
                "format": "date-time",
                "description": "When it was first to be sent.",
            },
            "datacontenttype": {"const": "application/json"},
            "dataschema": {"enum": [f"{SCHEMA}#{kind}" for kind in KINDS]},
            "data": {"$ref": "#/$defs/Data"},
        },
        "oneOf": [
            {"properties": {"type": {"const": f"{TYPE}{kind}"}, "data": {"$ref": f"#{kind}"}}}
            for kind in KINDS
        ],
        "$defs": {"Data": data, **shared, **{kind: _of(kind) for kind in KINDS}},
    }


def event(kind: str) -> dict[str, Any]:
    """An example of an event, as it is posted."""
    letter = _letter(kind)
    message = render(letter, f"{KINDS.index(kind) + 1:032x}", "wave", NOW)
    made: dict[str, Any] = json.loads(cloud_event("https://breakwater.example")(message).body)
    return made


def _of(kind: str) -> dict[str, Any]:
    return {
        "$anchor": kind,
        "title": f"{TYPE}{kind}",
        "description": f"The data of `{TYPE}{kind}`.",
        "$ref": "#/$defs/Data",
        "properties": {"kind": {"const": kind}},
        "examples": [event(kind)["data"]],
    }


def _letter(kind: str) -> Letter:
    addresses = Addresses("https://breakwater.example", lambda place, action, *_: f"{action}.{len(place)}")
    if kind in STANDALONE:
        text = "The channel email of ops has not got through." if kind == "channel" else "What was seen."
        wave = "" if kind in {"test", "wired", "quarantined", "channel"} else WAVE
        return standalone(kind, wave, text, addresses)
    if kind == "finished":
        ended = (_run(RunState.COMPLETED),)
        return compose(Story(WAVE, (_wave(),), (), Overview({"completed": 1}), ended), addresses, NOW)
    leading = Kind.PLANNED if kind == "announced" else Kind(kind)
    asks = leading in ASKS
    notice = Notice(
        number=1,
        at=NOW,
        kind=leading,
        urgency=Urgency.PAGE if leading is Kind.PAUSED else Urgency.ACT if asks else Urgency.KNOW,
        sentence=SENTENCES.get(leading, "What happened, and why."),
        serving="2 of 3 instances are running and healthy" if asks else "",
        otherwise="If nobody answers by Sat 19 Dec 2026 12:00 UTC, it is left to Azure." if asks else "",
        answers=(CommandKind.APPROVE if leading is Kind.APPROVAL else CommandKind.RESUME,) if asks else (),
    )
    states = {Kind.PAUSED: RunState.PAUSED, Kind.APPROVAL: RunState.AWAITING_APPROVAL}
    run = _run(states.get(leading, RunState.SCHEDULED))
    return compose(Story(WAVE, (_wave(),), ((run, notice),), Overview({run.state.value: 1})), addresses, NOW)


def _wave() -> Wave:
    heard = Announcement(WAVE, SUBSCRIPTION, "1", Stage.PLANNED, "a" * 64, NOW, NOW, NOW, title="Reboots")
    return Wave(WAVE, SUBSCRIPTION, (heard,))


def _run(state: RunState) -> Run:
    provider = "providers/Microsoft.Compute/virtualMachineScaleSets"
    arm_id = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/{provider}/payments-prod"
    batches = tuple(
        Batch(number, f"domain {number}", (InstanceProgress(str(number)),), not_before=NIGHT + number * HOUR)
        for number in range(2)
    )
    if state is RunState.COMPLETED:
        done = InstanceProgress("0", state=InstanceState.MAINTAINED, reason="Maintained.")
        batches = tuple(replace(each, instances=(done,), state=BatchState.DONE) for each in batches)
    return Run(
        target=Target(arm_id, SUBSCRIPTION, "shop", "payments-prod", "westeurope", Orchestration.UNIFORM, 3),
        waves=(WAVE,),
        state=state,
        reason="To be started by us.",
        verdict=Verdict.SELF_SERVICE,
        due=NOW,
        planned_at=NOW,
        batches=batches,
        terms=Terms(receiver="ops"),
        times=Times(
            self_service=Interval(NOW - 24 * HOUR, NOW + 14 * 24 * HOUR),
            scheduled=Interval(NOW + 20 * 24 * HOUR, NOW + 28 * 24 * HOUR),
            deadline=NOW + 14 * 24 * HOUR,
            forecast_end=NIGHT + 3 * HOUR,
        ),
        people=People(checksum="4f1c09ab"),
    )
