"""The commands on records and for drills: `export`, `render`, `replay`, `drill`, on recorded waves."""

import asyncio
import contextlib
import shlex
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Any
from unittest.mock import patch

from handlers.failures.quarantine import keep
from handlers.wire.documents import encode
from handlers.wire.ids import ALERTS
from handlers.wire.messages import AlertMessage
from handlers.wiring import Wiring
from handlers.words import answers as words
from tests.golden.cli_waves import FINISHED, PAUSED, WRONG, document, signed_in
from tests.golden.pages import at, runs_at, waves_at
from tests.golden.replayed import opened
from tests.golden.shell import Typed
from tests.handlers.cli.stand_in import stand_in
from tests.places import SAMPLES

SMALL = "announced-emergency"
"""A recorded moment with two scale sets."""

ALERT = (SAMPLES / "alerts" / "common-maintenance-planned.json").read_text("utf-8")
DRILL = "DRILL-3f0c9a1b2d4e"
"""As the app names a drill."""

BROKEN = "runs/broken.json"
FAILED = AlertMessage(alert="a" * 64).model_dump_json().encode()
"""A message that is in quarantine."""

RENDER = f"render paused.json --at {at(WRONG).at.isoformat()}"
DRILLS = "drill --yes --actor Ana"
COMMANDS: Mapping[str, str] = {
    "export": "export",
    "export-csv": "export --format csv",
    "export-to-a-file": "export -o runs.jsonl",
    "export-of-no-such-wave": "export --wave NONE-123 -o runs.jsonl",
    "export-in-part": "export --format csv --wave NONE-123",
    "export-without-storage": "export",
    "render": RENDER,
    **{f"render-{form}": f"{RENDER} --as {form}" for form in ("mail", "html", "card", "event")},
    **{f"render-{form}": f"{RENDER} --as {form}" for form in ("calendar", "csv")},
    "render-to-a-file": f"{RENDER} --as mail -o paused.txt",
    "render-no-such-notice": f"{RENDER} --as mail --notice 99",
    "render-what-is-no-record": "render alert.json",
    "render-a-file-that-is-not-there": "render none.json",
    **{f"replay{suffix}": f"replay ITEM{more}" for suffix, more in (("", ""), ("-plain", " -o plain"), ("-json", " -o json"))},
    **{f"replay-an-alert{suffix}": f"replay alert.json --yes{more}" for suffix, more in (("", ""), ("-json", " -o json"))},
    "replay-an-alert-without-a-terminal": "replay alert.json",
    "replay-what-is-not-there": "replay quarantine/none.json",
    "replay-what-is-no-alert": "replay paused.json --yes",
    "replay-without-storage": "replay quarantine/none.json",
    **{f"drill{suffix}": f"{DRILLS}{more}" for suffix, more in (("", ""), ("-plain", " -o plain"), ("-json", " -o json"))},
    "drill-end": f"drill --end {DRILL}",
    "drill-without-a-terminal": "drill",
    "drill-while-everything-is-stopped": DRILLS,
}  # fmt: skip
"""What is typed; ITEM stands for the path of what is in quarantine."""


def answers(name: str) -> dict[str, tuple[int, Any]]:
    """What the app answers to a drill and to an alert."""
    stopped = "stopped" in name
    health = {"stopped": stopped, "stopped_by": "Everything is stopped: BREAKWATER_STOP is set."}
    begun = {
        "tracking_id": DRILL,
        "ends_at": "2026-12-08T09:00:00+00:00",
        "alert": {"schemaId": "azureMonitorCommonAlertSchema", "data": {}},
        "reason": words.DRILL_ON_RECORD,
    }
    wave = document(FINISHED)
    runs = [{**run, "drill": True} for run in wave["runs"] if run["name"] in {"orders-prod", "web-0"}]
    over = {**wave, "tracking_id": DRILL, "drill": True, "runs": runs, "counts": {"completed": len(runs)}}
    taken = {"tracking_id": "VM12-3AB", "status": "accepted", "reason": words.QUEUED}
    ended = {"tracking_id": DRILL, "reason": words.DRILL_ENDED}
    return {
        "GET health": (200, health),
        "POST drills": (201, begun),
        "POST alerts": (202, taken),
        f"POST drills/{DRILL}": (202, ended),
        f"GET waves/{DRILL}.json": (200, over),
    }


@contextlib.asynccontextmanager
async def _storage(*, broken: bool = False) -> AsyncIterator[Wiring]:
    """The small wave's runs on record, and a message in quarantine."""
    wiring = opened(at(SMALL))
    await keep(ALERTS, FAILED, "no run is on record.", wiring)
    if broken:
        await wiring.records.create(BROKEN, b"{", {"waves": "NONE-123"})
    yield wiring


async def _item() -> str:
    """The path of what is in quarantine."""
    async with _storage() as wiring:
        (found,) = await wiring.records.list("quarantine/")
    return found.path


def _words(typed: str) -> list[str]:
    return [asyncio.run(_item()) if word == "ITEM" else word for word in shlex.split(typed)]


def _files() -> dict[str, str]:
    """What is on record of a paused scale set and its wave, and a saved alert."""
    run = next(run for run in runs_at(WRONG) if run.target.name == PAUSED)
    return {
        "paused.json": "\n".join(encode(each).decode() for each in (run, *waves_at(WRONG))),
        "alert.json": ALERT,
    }


@contextlib.contextmanager
def _world(name: str) -> Iterator[None]:
    """The app, files of records, and its storage unless the name says otherwise."""
    storage = partial(_storage, broken="in-part" in name)
    with stand_in(answers(name)) as app, signed_in(app.url, at(WRONG).at, files=_files()):
        if "without-storage" in name:
            yield
            return
        with patch("handlers.cli.app_storage.opened", storage):
            yield


TYPED: Mapping[str, Typed] = {
    name: Typed(partial(_words, typed), partial(_world, name)) for name, typed in COMMANDS.items()
}
