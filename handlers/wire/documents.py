"""The records as JSON: pydantic reads and writes the planner's dataclasses directly.

Older versions and unknown fields are read; a record of a newer version is refused, so that nothing the newer
code knows is overwritten.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from handlers.wire.outside_json import faults
from handlers.wire.versions import VERSION, BadRecord, NewerRecord, version_of
from planner.azure.wave import Wave
from planner.decision.estimate import longest
from planner.places.line import EVER, of_run
from planner.record.notice import Urgency
from planner.record.run import Run

__all__ = [
    "ASLEEP",
    "HELD_BACK",
    "VERSION",
    "BadRecord",
    "NewerRecord",
    "decode",
    "encode",
    "instant",
    "run_metadata",
    "version_of",
    "wave_metadata",
    "waves_of",
]

_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    # Kept, because building one costs more than reading a thousand documents.
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(value: Any) -> bytes:
    """A dataclass of the planner as a JSON document."""
    return _adapter(type(value)).dump_json(value)


def decode[Kind](kind: type[Kind], body: bytes) -> Kind:
    """The document as the dataclass; raises NewerRecord or BadRecord."""
    try:
        value: Kind = _adapter(kind).validate_json(body)
        version = getattr(value, "v", VERSION)
    except ValidationError as error:
        version = version_of(body)
        if version <= VERSION:
            raise BadRecord(f"A stored {kind.__name__} cannot be read: {faults(error)[0]}.") from None
    if version > VERSION:
        raise NewerRecord(f"A {kind.__name__} record has version {version}.")
    return value


ASLEEP, HELD_BACK = "asleep", "held back"
"""Whether a run sleeps until its turn, or could not use it: something of its own is in the way."""

LONGEST = 1500
"""Characters of one field of metadata; Azure takes 8 KiB of all. What is longer is left out."""


def run_metadata(run: Run) -> dict[str, str]:
    """What a listing shows of a run: ASCII, no prose; times in UTC, lengths of time in whole seconds.

    `took` is the longest of its finished batches, from start to verification; `reading` how long its last
    poll took to read Azure, where that was long. `asks` is the last notice that does not only inform, `page`
    the one that pages until somebody acknowledges it, with when it began.

    Names are percent-encoded in Azure's spelling (a path has them in lower case). What is not known is left
    out.
    """
    took = longest(run)
    fields = {
        "v": str(run.v),
        "state": run.state.value,
        "generation": str(run.generation),
        "due": instant(run.due) if run.ended_at is None or run.recheck is not None else "",
        "last_notice": str(run.story.last_notice),
        "deadline": instant(run.times.deadline) if run.times.deadline else "",
        "forecast": instant(run.times.forecast_end) if run.times.forecast_end else "",
        "took": str(round(took.total_seconds())) if took is not None else "",
        "reading": str(round(run.reading.total_seconds())) if run.reading else "",
        "slack": str(int(run.times.slack.total_seconds())) if run.times.slack is not None else "",
        "needs_person": "true" if run.needs_person else "false",
        "waves": ",".join(run.waves),
        "receiver": quote(run.terms.receiver, safe=""),
        "resource_group": quote(run.target.resource_group, safe=""),
        "name": quote(run.target.name, safe=""),
        "location": quote(run.target.location, safe=""),
        "begun": "true" if run.begun else "",
        "lets_pass": "true" if run.people.lets_pass else "",
        "asks": str(
            max((each.number for each in run.story.notices if each.urgency is not Urgency.KNOW), default="")
        ),
        "page": f"{run.ringing.number}@{instant(run.ringing.since)}" if run.ringing is not None else "",
        "waits": run.waits.cause.value if run.waits is not None else "",
        "start_by": instant(run.times.start_by) if run.times.start_by is not None else "",
        "mode": run.terms.mode.value,
        "verdict": run.verdict.value,
        **_queue_metadata(run),
    }
    return {key: value for key, value in fields.items() if value}


def _queue_metadata(run: Run) -> dict[str, str]:
    """What the queue has to know of a run: its earliest start, its course, and what it goes after."""
    line = of_run("", run)
    fields = {
        "earliest": instant(line.earliest) if line.earliest > EVER else "",
        "batches": str(line.course.batches or ""),
        "expected": str(round(line.course.expected.total_seconds())),
        "soak": str(round(line.course.soak.total_seconds())),
        "windows": "|".join(";".join(map(str, windows)) for windows in line.course.windows),
        "freezes": ",".join(f"{instant(each.start)}/{instant(each.end)}" for each in line.course.freezes),
        "queue": HELD_BACK if line.held_back else ASLEEP if line.acts_at is None else "",
        "tier": quote(line.tier, safe=""),
        "after": quoted(line.after),
        "counts_in": quoted(line.counts_in),
    }
    return {key: value for key, value in fields.items() if len(value) <= LONGEST}


def quoted(names: Iterable[str]) -> str:
    """Names for metadata: percent-encoded, with commas."""
    return ",".join(quote(name, safe="") for name in names)


def wave_metadata(wave: Wave) -> dict[str, str]:
    """What a listing shows of a wave: enough for the overview of all waves.

    `announced` are the three times by which its latest announcement is ordered among others (ISO 8601),
    `members` how many scale sets are on its roster.
    """
    return {
        "v": str(wave.v),
        "generation": str(wave.generation),
        "stage": wave.stage.value,
        "open": "true" if wave.open else "false",
        "announced": ",".join(at.isoformat() for at in wave.current.order),
        "members": str(len(wave.roster)),
    }


def waves_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The waves a listed run belongs to."""
    return tuple(part for part in metadata.get("waves", "").split(",") if part)


def instant(at: datetime) -> str:
    """An aware time as `2026-11-22T23:30:00Z`."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
