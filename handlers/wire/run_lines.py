"""A run as the queue of its subscription sees it, from the listing alone: a place costs no record."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from urllib.parse import unquote

from handlers.wire.documents import ASLEEP, HELD_BACK
from planner.azure.fleet import Interval
from planner.places.line import EVER, GOING, Course, Line
from planner.policy.weekly import WindowSets, parse_windows
from planner.record.cause import Cause
from planner.record.states import RunState


def line(path: str, metadata: Mapping[str, str]) -> Line:
    """The run that is listed at `path`. Raises ValueError for what no version of this app has written."""
    course = Course(
        batches=int(metadata.get("batches", "0")),
        expected=timedelta(seconds=int(metadata.get("expected", "600"))),
        soak=timedelta(seconds=int(metadata.get("soak", "0"))),
        windows=_windows(metadata.get("windows", "")),
        freezes=_freezes(metadata.get("freezes", "")),
    )
    state, held_back = RunState(metadata["state"]), metadata.get("queue") == HELD_BACK
    waits = Cause(metadata["waits"]) if metadata.get("waits") in set(Cause) else None
    return Line(
        path,
        unquote(metadata.get("name", "")),
        unquote(metadata.get("location", "")),
        state,
        course,
        earliest=_at(metadata, "earliest") or EVER,
        deadline=_at(metadata, "deadline"),
        tier=unquote(metadata.get("tier", "")),
        after=names(metadata.get("after", "")),
        counts_in=names(metadata.get("counts_in", "")),
        claims="begun" in metadata and "lets_pass" not in metadata,
        forecast=_at(metadata, "forecast") if "begun" in metadata and state in GOING else None,
        held_back=held_back,
        waits=waits if held_back else None,
        acts_at=_at(metadata, "due") if metadata.get("queue") != ASLEEP else None,
    )


def paging(metadata: Mapping[str, str]) -> tuple[int, datetime] | None:
    """The notice by which a listed run pages, and since when; None while it does not."""
    number, _, since = metadata.get("page", "").partition("@")
    return (int(number), datetime.fromisoformat(since)) if since else None


def names(text: str) -> tuple[str, ...]:
    """Names as metadata has them: percent-encoded, with commas."""
    return tuple(unquote(name) for name in text.split(",") if name)


def _at(metadata: Mapping[str, str], key: str) -> datetime | None:
    return datetime.fromisoformat(metadata[key]) if key in metadata else None


@lru_cache(maxsize=1024)
def _windows(text: str) -> WindowSets:
    return tuple(parse_windows(part) for part in text.split("|") if part)


@lru_cache(maxsize=1024)
def _freezes(text: str) -> tuple[Interval, ...]:
    spans = (map(datetime.fromisoformat, part.split("/")) for part in text.split(",") if part)
    return tuple(Interval(*span) for span in spans)
