"""The other runs of a subscription as one listing shows them."""

from datetime import datetime, timedelta
from urllib.parse import unquote

from handlers.cloud.records import Listed
from handlers.wire.documents import waves_of
from handlers.wiring import Wiring
from planner.places.neighbours import MOST_NAMED, Neighbour, Neighbours, beside, in_the_way
from planner.record.run import Run
from planner.record.waits import Turn


async def of(run: Run, wiring: Wiring) -> Neighbours:
    """What the runs beside `run` show; raises StorageDown."""
    listed = await wiring.runs.of_subscription(run.target.subscription)
    return beside(run, map(_neighbour, listed))


async def limited(limit: str, subscription: str, around: Neighbours, turn: Turn, wiring: Wiring) -> str:
    """Why the limits forbid a start, with the paused runs that take them up; raises StorageDown."""
    named = around.paused[:MOST_NAMED] if limit else ()
    listed = [line for line in await wiring.runs.of_subscription(subscription) if line.path in named]
    runs = tuple((await wiring.runs.read_listed(listed)).values())
    return in_the_way(limit, runs, len(around.paused) - len(runs), turn)


def _neighbour(line: Listed) -> Neighbour:
    fields = line.metadata
    took, by = fields.get("took"), fields.get("start_by")
    return Neighbour(
        line.path,
        unquote(fields.get("name", "")),
        unquote(fields.get("location", "")),
        fields.get("state", ""),
        waves_of(fields),
        timedelta(seconds=int(took)) if took is not None else None,
        fields.get("waits"),
        datetime.fromisoformat(by) if by else None,
        "begun" in fields and "lets_pass" not in fields,
    )


def forecast(line: Listed) -> datetime | None:
    """When the run of a listed record is expected to end."""
    end = line.metadata.get("forecast")
    return datetime.fromisoformat(end) if end else None
