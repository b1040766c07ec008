"""A wave in figures: its rows as the listing shows them, and who is on its roster."""

from collections.abc import Iterable
from datetime import datetime

from handlers.cloud.names import run_path
from handlers.cloud.records import Listed
from planner.azure.wave import Wave
from planner.notices.digest import Row
from planner.record.states import RunState


def row(line: Listed, key: str = "") -> Row:
    """A run as its metadata shows it; `key` for one that is not in its place any more."""
    deadline = line.metadata.get("deadline")
    return Row(
        key=key or line.path,
        state=RunState(line.metadata.get("state", RunState.SCHEDULED.value)),
        needs_person=line.metadata.get("needs_person") == "true",
        deadline=datetime.fromisoformat(deadline) if deadline else None,
        waits=line.metadata.get("waits", ""),
    )


def roster(found: Iterable[Wave]) -> tuple[str, ...]:
    """The keys of every scale set on the wave's rosters: the paths of their runs."""
    sets = [member.scale_set for wave in found for member in wave.roster]
    return tuple(
        run_path(scale_set.subscription, scale_set.resource_group, scale_set.name) for scale_set in sets
    )
